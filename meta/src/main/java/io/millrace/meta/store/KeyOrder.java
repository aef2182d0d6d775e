package io.millrace.meta.store;

import java.util.Arrays;
import java.util.Comparator;

/** Keys as unsigned bytes, as RocksDB sorts them. */
enum KeyOrder implements Comparator<byte[]> {
  INSTANCE;

  @Override
  public int compare(byte[] a, byte[] b) {
    return Arrays.compareUnsigned(a, b);
  }
}
