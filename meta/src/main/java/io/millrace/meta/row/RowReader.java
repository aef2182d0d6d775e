package io.millrace.meta.row;

import io.millrace.core.api.Errno;
import io.millrace.core.api.FsException;
import java.util.Arrays;

/** Reads what {@link RowWriter} wrote. A row that ends early is damage: EIO. */
public final class RowReader {
  private final byte[] bytes;
  private int at;

  public RowReader(byte[] bytes) {
    this.bytes = bytes;
  }

  public RowReader(byte[] bytes, int start) {
    this.bytes = bytes;
    this.at = start;
  }

  public int u8() {
    need(1);
    return bytes[at++] & 0xff;
  }

  public int u32() {
    return (int) unsigned(4);
  }

  public long u64() {
    return unsigned(8);
  }

  public long varint() {
    long value = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      int next = u8();
      value |= (long) (next & 0x7f) << shift;
      if (next < 0x80) {
        return value;
      }
    }
    throw damaged();
  }

  public int smallVarint() {
    return Math.toIntExact(varint());
  }

  public long time() {
    long zigzag = varint();
    long seconds = (zigzag >>> 1) ^ -(zigzag & 1);
    return seconds * 1_000_000_000L + varint();
  }

  public byte[] rest() {
    return slice(bytes.length - at);
  }

  public byte[] bytes() {
    return slice(smallVarint());
  }

  public byte[] slice(int length) {
    need(length);
    byte[] slice = Arrays.copyOfRange(bytes, at, at + length);
    at += length;
    return slice;
  }

  /** Refuses a row of a format that this version does not know (H31). */
  public int format(int... known) {
    int format = u8();
    for (int one : known) {
      if (one == format) {
        return format;
      }
    }
    throw new FsException(Errno.EIO, "row of an unknown format", "format", format);
  }

  private long unsigned(int width) {
    need(width);
    long value = 0;
    for (int i = 0; i < width; i++) {
      value = (value << 8) | (bytes[at++] & 0xff);
    }
    return value;
  }

  private void need(int more) {
    if (more < 0 || at + more > bytes.length) {
      throw damaged();
    }
  }

  private static FsException damaged() {
    return new FsException(Errno.EIO, "namespace row ends early");
  }
}
