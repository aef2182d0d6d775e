package io.millrace.meta.store;

import java.util.Map;

/** Sorted rows as bytes: what was written, a snapshot of it, or it with a batch on top. */
public interface Rows {

  /** Null where there is none. */
  byte[] get(byte[] key);

  /** Rows from {@code start} up to but not including {@code end}, in order. */
  Cursor scan(byte[] start, byte[] end);

  /** The last row with {@code lowest <= key <= highest}; null where there is none. */
  Map.Entry<byte[], byte[]> floor(byte[] lowest, byte[] highest);

  /** Stands before the first row until {@link #next}. Owned by one thread. */
  interface Cursor extends AutoCloseable {
    boolean next();

    byte[] key();

    byte[] value();

    @Override
    void close();
  }
}
