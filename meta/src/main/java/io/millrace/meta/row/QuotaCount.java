package io.millrace.meta.row;

/** What counts in a quota: logical bytes (sizes, holes too) and inodes. FORMATS.md, "Namespace". */
public record QuotaCount(long bytes, long files) {
  private static final int FORMAT = 1;
  public static final QuotaCount ZERO = new QuotaCount(0, 0);

  public static QuotaCount decode(byte[] value) {
    if (value == null) {
      return ZERO;
    }
    var row = new RowReader(value);
    row.format(FORMAT);
    return new QuotaCount(row.varint(), row.varint());
  }

  public byte[] encode() {
    return new RowWriter(21).u8(FORMAT).varint(bytes).varint(files).take();
  }

  public QuotaCount plus(long moreBytes, long moreFiles) {
    return new QuotaCount(bytes + moreBytes, files + moreFiles);
  }
}
