package io.millrace.core.access;

import com.google.protobuf.ByteString;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * What one inode allows, by its mode bits and its access control list.
 *
 * @param acl the access list as the kernel's xattr has it; null for none
 */
public record Permissions(int uid, int gid, int mode, ByteString acl) {
  public static final int READ = 4;
  public static final int WRITE = 2;
  public static final int EXECUTE = 1;

  private static final int ACCESS_MODE = 3;
  private static final int READ_ONLY = 0;
  private static final int WRITE_ONLY = 1;
  private static final int TRUNCATES = 01000;
  private static final int EXECUTES = 040; // FMODE_EXEC, as the kernel passes it on

  private static final int DIRECTORY = 0040000;
  private static final int TYPE = 0170000;
  private static final int ACL_HEADER_BYTES = 4;
  private static final int ACL_ENTRY_BYTES = 8;
  private static final int USER = 2;
  private static final int GROUP_OBJ = 4;
  private static final int GROUP = 8;

  /** What an open(2) with these flags asks for. */
  public static int wanted(int flags) {
    if ((flags & EXECUTES) != 0) {
      return EXECUTE;
    }
    int write = (flags & TRUNCATES) != 0 ? WRITE : 0;
    return switch (flags & ACCESS_MODE) {
      case READ_ONLY -> READ | write;
      case WRITE_ONLY -> WRITE;
      default -> READ | WRITE;
    };
  }

  /**
   * @param wanted of {@link #READ}, {@link #WRITE}, {@link #EXECUTE}
   */
  public boolean allow(Caller caller, int wanted) {
    return granted(caller, wanted) || overridden(caller, wanted);
  }

  private boolean overridden(Caller caller, int wanted) {
    boolean directory = (mode & TYPE) == DIRECTORY;
    if ((wanted & WRITE) == 0
        && (directory || wanted == READ)
        && caller.has(Caller.DAC_READ_SEARCH)) {
      return true;
    }
    boolean executable = directory || (wanted & EXECUTE) == 0 || (mode & 0111) != 0;
    return executable && caller.has(Caller.DAC_OVERRIDE);
  }

  private boolean granted(Caller caller, int wanted) {
    if (caller.uid() == uid) {
      return has(mode >> 6, wanted);
    }
    if (acl != null && (mode & 070) != 0) {
      return byList(caller, wanted);
    }
    return has(caller.isIn(gid) ? mode >> 3 : mode, wanted);
  }

  private static boolean has(int bits, int wanted) {
    return (wanted & ~bits) == 0;
  }

  /** A named user's entry decides alone; of the caller's groups one must grant it all. */
  private boolean byList(Caller caller, int wanted) {
    int mask = mode >> 3; // the mode's group bits show the list's mask
    boolean inGroup = false;
    ByteBuffer entries = acl.asReadOnlyByteBuffer().order(ByteOrder.LITTLE_ENDIAN);
    for (int at = ACL_HEADER_BYTES; at + ACL_ENTRY_BYTES <= acl.size(); at += ACL_ENTRY_BYTES) {
      int tag = entries.getShort(at);
      int bits = entries.getShort(at + 2) & mask;
      int id = tag == GROUP_OBJ ? gid : entries.getInt(at + 4);
      if (tag == USER && id == caller.uid()) {
        return has(bits, wanted);
      }
      if ((tag == GROUP_OBJ || tag == GROUP) && caller.isIn(id)) {
        if (has(bits, wanted)) {
          return true;
        }
        inGroup = true;
      }
    }
    return !inGroup && has(mode, wanted);
  }
}
