package io.millrace.meta.tree;

import io.millrace.meta.row.RowReader;
import io.millrace.meta.row.RowWriter;

/**
 * A directory that counts in a quota and has entries from before that may not yet: all up to a name
 * do. Its row lasts until all do, so the count goes on after a restart.
 *
 * @param quota whose row it is; where that was removed, the one around it does the work
 */
@SuppressWarnings("ArrayRecordComponent")
public record QuotaWork(int quota, long dir, byte[] upTo) {
  private static final int FORMAT = 1;
  private static final int QUOTA_OFFSET = 1;

  /** The value of a row whose directory nobody has looked at. */
  static final byte[] START = {FORMAT};

  public static QuotaWork decode(byte[] key, byte[] value) {
    var row = new RowReader(value);
    row.format(FORMAT);
    var owner = new RowReader(key, QUOTA_OFFSET);
    return new QuotaWork(owner.u32(), owner.u64(), row.rest());
  }

  public byte[] value() {
    return new RowWriter(upTo.length + 1).u8(FORMAT).rest(upTo).take();
  }
}
