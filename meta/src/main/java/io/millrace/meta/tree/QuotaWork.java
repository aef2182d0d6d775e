package io.millrace.meta.tree;

import io.millrace.meta.row.RowReader;
import io.millrace.meta.row.RowWriter;

/**
 * A directory that counts in a quota and has entries from before that may not yet: all up to a name
 * do. Its row lasts until all do, so the count goes on after a restart.
 */
@SuppressWarnings("ArrayRecordComponent")
public record QuotaWork(long dir, byte[] upTo) {
  private static final int FORMAT = 1;
  private static final int DIR_OFFSET = 5;

  /** The value of a row whose directory nobody has looked at. */
  static final byte[] START = {FORMAT};

  public static QuotaWork decode(byte[] key, byte[] value) {
    var row = new RowReader(value);
    row.format(FORMAT);
    return new QuotaWork(new RowReader(key, DIR_OFFSET).u64(), row.rest());
  }

  public byte[] value() {
    return new RowWriter(upTo.length + 1).u8(FORMAT).rest(upTo).take();
  }
}
