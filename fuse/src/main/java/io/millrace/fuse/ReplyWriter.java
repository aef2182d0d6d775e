package io.millrace.fuse;

import java.lang.foreign.MemorySegment;

/**
 * The native memory one reply is put together in: header, small body, and the vector for bodies
 * that lie elsewhere. A worker owns one; the replies of other threads borrow theirs from {@link
 * ReplyWriters}. Used by one thread at a time.
 */
final class ReplyWriter {
  static final int BODY = Wire.OutHeader.BYTES;
  static final int BODY_BYTES = 128 << 10;

  /** The kernel's own limit is 1,024 parts; 1 MiB in pages needs 256. */
  static final int SEGMENTS_MAX = 256;

  private static final int IOVEC_BYTES = 16;
  private static final int IOVEC = BODY + BODY_BYTES;

  private final CallState state = new CallState();
  private final NativeMemory memory =
      new NativeMemory(state, IOVEC + (SEGMENTS_MAX + 1) * IOVEC_BYTES);
  final MemorySegment out = memory.segment;

  /** Sends the header and {@code bodyBytes} of what was put at {@link #BODY}. Gives 0 or -errno. */
  int sendBody(int fd, long unique, int bodyBytes) {
    return sendHeaderAndBody(fd, unique, 0, bodyBytes);
  }

  int sendError(int fd, long unique, int errno) {
    return sendHeaderAndBody(fd, unique, -errno, 0);
  }

  /** Sends a notice: as {@link #sendBody}, with the kind of notice in place of an error. */
  int sendNotice(int fd, int kind, int bodyBytes) {
    return sendHeaderAndBody(fd, 0, kind, bodyBytes);
  }

  private int sendHeaderAndBody(int fd, long unique, int error, int bodyBytes) {
    int length = BODY + bodyBytes;
    header(length, unique, error);
    return outcome(Native.write(state, fd, memory.address, length));
  }

  /** Names part {@code index} of a body that lies elsewhere; the caller keeps it alive. */
  void part(int index, long address, long length) {
    long at = IOVEC + (long) (index + 1) * IOVEC_BYTES;
    out.set(Wire.U64, at, address);
    out.set(Wire.U64, at + 8, length);
  }

  /** Sends the header, {@code bodyBytes} from {@link #BODY}, then the named parts. */
  int sendParts(int fd, long unique, int error, int bodyBytes, int parts, long partBytes) {
    header((int) (BODY + bodyBytes + partBytes), unique, error);
    out.set(Wire.U64, IOVEC, memory.address);
    out.set(Wire.U64, IOVEC + 8, BODY + bodyBytes);
    return outcome(Native.writev(state, fd, memory.address + IOVEC, parts + 1));
  }

  private void header(int length, long unique, int error) {
    out.set(Wire.U32, Wire.OutHeader.LENGTH, length);
    out.set(Wire.U32, Wire.OutHeader.ERROR, error);
    out.set(Wire.U64, Wire.OutHeader.UNIQUE, unique);
  }

  private static int outcome(long written) {
    return written >= 0 ? 0 : (int) written;
  }

  void free() {
    memory.free(state);
  }
}
