package io.millrace.fuse;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

/**
 * struct msghdr with one part and room for descriptors (SCM_RIGHTS), as 64-bit Linux lays them out.
 * Lives as long as the arena it was made in.
 */
final class SocketMessage {
  private static final int MSG_IOV = 16;
  private static final int MSG_IOVLEN = 24;
  private static final int MSG_CONTROL = 32;
  private static final int MSG_CONTROLLEN = 40;
  private static final int MSG_BYTES = 56;
  private static final int CMSG_LENGTH = 0;
  private static final int CMSG_LEVEL = 8;
  private static final int CMSG_TYPE = 12;
  private static final int CMSG_DATA = 16;
  private static final int SOL_SOCKET = 1;
  private static final int SCM_RIGHTS = 1;

  final MemorySegment header;
  private final MemorySegment control;

  SocketMessage(Arena arena, MemorySegment body, int descriptorsMax) {
    header = arena.allocate(MSG_BYTES, 8);
    control = arena.allocate(CMSG_DATA + (descriptorsMax * 4L + 7) / 8 * 8, 8);
    MemorySegment part = arena.allocate(16, 8);
    part.set(Wire.U64, 0, body.address());
    part.set(Wire.U64, 8, body.byteSize());
    header.set(Wire.U64, MSG_IOV, part.address());
    header.set(Wire.U64, MSG_IOVLEN, 1);
    header.set(Wire.U64, MSG_CONTROL, control.address());
    header.set(Wire.U64, MSG_CONTROLLEN, control.byteSize());
  }

  /** For sending. */
  void setDescriptors(List<Integer> fds) {
    control.set(Wire.U64, CMSG_LENGTH, CMSG_DATA + fds.size() * 4L);
    control.set(Wire.U32, CMSG_LEVEL, SOL_SOCKET);
    control.set(Wire.U32, CMSG_TYPE, SCM_RIGHTS);
    for (int i = 0; i < fds.size(); i++) {
      control.set(Wire.U32, CMSG_DATA + i * 4L, fds.get(i));
    }
  }

  /** Those that came with what was received. */
  List<Integer> descriptors() {
    var fds = new ArrayList<Integer>();
    boolean carries =
        header.get(Wire.U64, MSG_CONTROLLEN) > CMSG_DATA
            && control.get(Wire.U32, CMSG_LEVEL) == SOL_SOCKET
            && control.get(Wire.U32, CMSG_TYPE) == SCM_RIGHTS;
    long end = carries ? control.get(Wire.U64, CMSG_LENGTH) : 0;
    for (long at = CMSG_DATA; at + 4 <= end; at += 4) {
      fds.add(control.get(Wire.U32, at));
    }
    return fds;
  }
}
