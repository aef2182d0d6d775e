package io.millrace.fuse;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;

/**
 * The other end of a session's descriptor, played by a test over a packet socket: every request
 * byte by byte.
 */
final class FakeKernel implements AutoCloseable {
  private static final int SOCK_SEQPACKET = 5;
  private static final int BUFFER_BYTES = 256 << 10;

  /** A reply as the kernel would read it. */
  record Reply(int error, long unique, MemorySegment body) {}

  private final Arena arena = Arena.ofShared();
  private final CallState state = new CallState();
  private final MemorySegment buffer = arena.allocate(BUFFER_BYTES, 8);
  private final int ours;
  final int theirs;
  private boolean open = true;

  FakeKernel() {
    MemorySegment pair = arena.allocate(8, 4);
    if (Native.socketpair(state, Native.AF_UNIX, SOCK_SEQPACKET, pair) < 0) {
      throw new AssertionError("socketpair");
    }
    ours = pair.get(Wire.U32, 0);
    theirs = pair.get(Wire.U32, 4);
  }

  static FuseConfig config(int workers) {
    return FuseConfig.at(Path.of("/nowhere")).workers(workers).maxWriteBytes(64 << 10).build();
  }

  static FuseFeatures features(int minor) {
    long all = InitFlags.HAS_EXPIRE_ONLY | InitFlags.HAS_RESEND;
    return new FuseFeatures(minor, minor, all, all, 1 << 17, 64 << 10, 16, 64, 48);
  }

  FuseSession serve(FuseFileSystem fs, int workers) throws FuseMountException {
    var connection =
        new KernelConnection(Path.of("/nowhere"), List.of(theirs), features(45), false);
    return FuseSession.serve(config(workers), fs, connection);
  }

  /**
   * Sends a request; parts are Integer, Long (in machine order), byte[], or String (with a 0 after
   * it).
   */
  void send(int opcode, long unique, long nodeid, Object... parts) {
    int at = Wire.InHeader.BYTES;
    buffer.fill((byte) 0);
    for (Object part : parts) {
      switch (part) {
        case Integer i -> buffer.set(Wire.U32, at, i);
        case Long l -> buffer.set(Wire.U64, at, l);
        case byte[] b -> MemorySegment.copy(b, 0, buffer, ValueLayout.JAVA_BYTE, at, b.length);
        case String s -> {
          byte[] b = s.getBytes(StandardCharsets.UTF_8);
          MemorySegment.copy(b, 0, buffer, ValueLayout.JAVA_BYTE, at, b.length);
        }
        default -> throw new AssertionError(part);
      }
      at += size(part);
    }
    buffer.set(Wire.U32, Wire.InHeader.LENGTH, at);
    buffer.set(Wire.U32, Wire.InHeader.OPCODE, opcode);
    buffer.set(Wire.U64, Wire.InHeader.UNIQUE, unique);
    buffer.set(Wire.U64, Wire.InHeader.NODEID, nodeid);
    buffer.set(Wire.U32, Wire.InHeader.UID, 1001);
    buffer.set(Wire.U32, Wire.InHeader.GID, 1002);
    buffer.set(Wire.U32, Wire.InHeader.PID, 1003);
    if (Native.write(state, ours, buffer.address(), at) != at) {
      throw new AssertionError("write: errno " + state.errno());
    }
  }

  private static int size(Object part) {
    return switch (part) {
      case Integer _ -> 4;
      case Long _ -> 8;
      case byte[] b -> b.length;
      default -> part.toString().getBytes(StandardCharsets.UTF_8).length + 1;
    };
  }

  /** The next reply or notice; its body is valid until the next call. */
  Reply receive() {
    long n = Native.read(state, ours, buffer.address(), BUFFER_BYTES);
    if (n != buffer.get(Wire.U32, Wire.OutHeader.LENGTH)) {
      throw new AssertionError("length " + n);
    }
    return new Reply(
        buffer.get(Wire.U32, Wire.OutHeader.ERROR),
        buffer.get(Wire.U64, Wire.OutHeader.UNIQUE),
        buffer.asSlice(Wire.OutHeader.BYTES, n - Wire.OutHeader.BYTES));
  }

  /** Ends the session: its reads give 0. */
  void hangUp() {
    if (open) {
      open = false;
      Native.close(state, ours);
    }
  }

  @Override
  public void close() {
    arena.close();
  }
}
