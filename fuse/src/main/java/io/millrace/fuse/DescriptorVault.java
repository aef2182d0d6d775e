package io.millrace.fuse;

import io.millrace.fuse.FuseMountException.Kind;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;

/**
 * Keeps a mount's descriptors alive beyond the process that serves it (H17): they lie in the queue
 * of a Unix socket pair, together with what was agreed at INIT, for as long as any process has the
 * pair open. Each process that serves the mount looks at the message without taking it out, which
 * gives it descriptors of its own; so whoever holds the pair needs no code at all.
 *
 * <p>Used by one thread, at the start of a mount.
 */
public final class DescriptorVault {
  private static final int MESSAGE_BYTES = 8192;
  private static final int DESCRIPTORS_MAX = 64;
  private static final int EAGAIN = FuseErrno.EAGAIN;

  private final CallState state = new CallState();
  private final int in;
  private final int out;

  private DescriptorVault(int in, int out) {
    this.in = in;
    this.out = out;
  }

  /** A new, empty one. */
  public static DescriptorVault create() throws FuseMountException {
    var state = new CallState();
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment pair = arena.allocate(8, 4);
      int result =
          Native.socketpair(state, Native.AF_UNIX, Native.SOCK_DGRAM | Native.O_CLOEXEC, pair);
      if (result < 0) {
        throw new FuseMountException(Kind.OTHER, "no socket pair: errno " + -result);
      }
      return new DescriptorVault(pair.get(Wire.U32, 0), pair.get(Wire.U32, 4));
    }
  }

  /** One that this process inherited. */
  public static DescriptorVault inherited(int in, int out) {
    return new DescriptorVault(in, out);
  }

  /** The two descriptors a holder must have open. */
  public List<Integer> descriptors() {
    return List.of(in, out);
  }

  /** Puts a mount in; it is not to be put twice. */
  void put(KernelConnection connection) throws FuseMountException {
    List<Integer> fds = connection.descriptors();
    byte[] text = connection.encoded();
    if (fds.size() > DESCRIPTORS_MAX || text.length > MESSAGE_BYTES) {
      throw new FuseMountException(Kind.OTHER, "too many descriptors to keep: " + fds.size());
    }
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment body = arena.allocate(text.length);
      MemorySegment.copy(text, 0, body, ValueLayout.JAVA_BYTE, 0, text.length);
      var message = new SocketMessage(arena, body, fds.size());
      message.setDescriptors(fds);
      long sent = Native.sendmsg(state, in, message.header, Native.MSG_DONTWAIT);
      if (sent < 0) {
        throw new FuseMountException(
            Kind.OTHER, "the mount's descriptors can't be kept: errno " + -sent);
      }
    }
  }

  /** The mount that is kept, with new descriptors; null where there is none yet. */
  KernelConnection look() throws FuseMountException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment body = arena.allocate(MESSAGE_BYTES);
      var message = new SocketMessage(arena, body, DESCRIPTORS_MAX);
      int flags = Native.MSG_PEEK | Native.MSG_DONTWAIT | Native.MSG_CMSG_CLOEXEC;
      long n;
      do {
        n = Native.recvmsg(state, out, message.header, flags);
      } while (n == -FuseErrno.EINTR);
      if (n == -EAGAIN) {
        return null;
      }
      if (n < 0) {
        throw new FuseMountException(Kind.OTHER, "the mount kept can't be had: errno " + -n);
      }
      byte[] text = body.asSlice(0, n).toArray(ValueLayout.JAVA_BYTE);
      return KernelConnection.decoded(text, new ArrayList<>(message.descriptors()));
    }
  }
}
