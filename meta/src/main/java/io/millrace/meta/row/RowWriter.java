package io.millrace.meta.row;

import java.util.Arrays;

/**
 * Writes one key or value. Numbers in keys are big-endian so that bytes sort as numbers; numbers in
 * values are varints (7 bits a byte, low bits first). Owned by one thread; reusable after {@link
 * #take}.
 */
public final class RowWriter {
  private byte[] bytes;
  private int length;

  public RowWriter() {
    this(96);
  }

  public RowWriter(int capacity) {
    bytes = new byte[capacity];
  }

  public RowWriter u8(int value) {
    ensure(1);
    bytes[length++] = (byte) value;
    return this;
  }

  public RowWriter u16(int value) {
    return u8(value >>> 8).u8(value);
  }

  public RowWriter u32(int value) {
    return u16(value >>> 16).u16(value);
  }

  public RowWriter u64(long value) {
    return u32((int) (value >>> 32)).u32((int) value);
  }

  public RowWriter varint(long value) {
    ensure(10);
    long rest = value;
    while ((rest & ~0x7fL) != 0) {
      bytes[length++] = (byte) (rest | 0x80);
      rest >>>= 7;
    }
    bytes[length++] = (byte) rest;
    return this;
  }

  /** Nanoseconds since 1970 as seconds (zigzag) and nanoseconds: whole seconds stay short. */
  public RowWriter time(long nanos) {
    long seconds = Math.floorDiv(nanos, 1_000_000_000L);
    return varint((seconds << 1) ^ (seconds >> 63)).varint(Math.floorMod(nanos, 1_000_000_000L));
  }

  /** Bytes without their length: the last field. */
  public RowWriter rest(byte[] value) {
    ensure(value.length);
    System.arraycopy(value, 0, bytes, length, value.length);
    length += value.length;
    return this;
  }

  /** Bytes with their length before them. */
  public RowWriter bytes(byte[] value) {
    return varint(value.length).rest(value);
  }

  /** What was written; the writer is empty again. */
  public byte[] take() {
    byte[] taken = Arrays.copyOf(bytes, length);
    length = 0;
    return taken;
  }

  private void ensure(int more) {
    if (length + more > bytes.length) {
      bytes = Arrays.copyOf(bytes, Math.max(bytes.length * 2, length + more));
    }
  }
}
