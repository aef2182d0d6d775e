package io.millrace.testkit.model;

import io.millrace.testkit.model.Operation.Kind;
import io.millrace.testkit.posix.Syscalls;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;

/**
 * Makes operations from a seed. Few names and few slots, so that operations meet; it learns which
 * paths exist, so that most of them do something. One thread.
 */
final class OperationGenerator {
  static final int SLOTS = 10;
  private static final int KNOWN_MAX = 400;
  private static final int PAGE = 4096;
  private static final int BLOCK = 4 << 20;
  private static final long FILE_MAX = 3L * BLOCK;

  private static final List<String> NAMES = List.of("a", "b", "c", "d", "e", "f", "g");
  private static final List<String> ODD_NAMES =
      List.of(
          "n".repeat(255),
          "n".repeat(256),
          "\u00ff\u00fe\n",
          " ",
          "\u00c3\u00a4 b",
          ".hidden",
          "..x");

  private static final List<String> ODD_ENDS = List.of("/", "/.", "/..", "//", "/../a", "/./b");
  private static final int[] MODES = {0644, 0600, 0755, 04755, 02755, 06711, 01777, 0444, 0, 0666};
  private static final int[] DIRECTORY_MODES = {0755, 0777, 01777, 02777, 0700, 0555};
  private static final int[] OWNERS = {-1, 0, Side.USER, 1002};
  private static final List<String> ATTRIBUTES =
      List.of("user.a", "user.b", "trusted.t", "user.a", "security.test");
  private static final List<String> ODD_ATTRIBUTES =
      List.of("nonsense", "user.", "trusted.", "security.", "system.", "u", "user.\u00ff ");
  private static final int[] FALLOCATE_MODES = {0, 1, 3, 0x10, 0x11};
  private static final int[] NODE_TYPES = {0010000, 0010000, 0140000, 0100000};

  private final SplittableRandom random;
  private final int mounts;

  private final List<Kind> bag = new ArrayList<>();
  private final List<String> known = new ArrayList<>();

  /** Makes anything but the kinds in {@code without}. */
  OperationGenerator(long seed, int mounts, Set<Kind> without) {
    this.random = new SplittableRandom(seed);
    this.mounts = mounts;
    for (Kind kind : Kind.values()) {
      for (int i = 0; i < kind.weight && !without.contains(kind); i++) {
        bag.add(kind);
      }
    }
  }

  /** What exists now. */
  void knows(Collection<String> paths) {
    known.clear();
    known.addAll(paths);
  }

  void learn(Operation op, long result) {
    if (result < 0 || known.size() >= KNOWN_MAX) {
      return;
    }
    switch (op.kind()) {
      case OPEN, MKDIR, MKNOD, LINK_OPEN -> known.add(op.path());
      case SYMLINK -> known.add(op.path());
      case LINK, RENAME -> known.add(op.other());
      case UNLINK, RMDIR -> known.remove(op.path());
      default -> {}
    }
  }

  private boolean chance(int percent) {
    return random.nextInt(100) < percent;
  }

  private <T> T any(List<T> from) {
    return from.get(random.nextInt(from.size()));
  }

  private int any(int[] from) {
    return from[random.nextInt(from.length)];
  }

  // ---- names ----

  private String name() {
    return chance(3) ? any(ODD_NAMES) : any(NAMES);
  }

  private String freshPath() {
    var path = new StringBuilder(name());
    for (int depth = random.nextInt(3); depth > 0; depth--) {
      path.append('/').append(name());
    }
    return path.toString();
  }

  private String path() {
    int what = random.nextInt(100);
    String path;
    if (known.isEmpty() || what < 15) {
      path = freshPath();
    } else if (what < 70) {
      path = any(known);
    } else {
      path = any(known) + "/" + name();
    }
    if (chance(2)) {
      path += any(ODD_ENDS);
    }
    return depth(path) > 7 ? name() : path;
  }

  private static long depth(String path) {
    return path.chars().filter(c -> c == '/').count();
  }

  /** Every target lies below the link's own directory, so that no path leaves the run's. */
  private String target() {
    return switch (random.nextInt(20)) {
      case 0 -> "/nonexistent/millrace";
      case 1 -> ("x".repeat(250) + "/").repeat(16) + "y".repeat(79);
      case 2 -> "";
      case 3 -> "z".repeat(300);
      case 4 -> freshPath() + "/" + "z".repeat(256);
      default -> freshPath();
    };
  }

  // ---- numbers ----

  private long near(long border) {
    return Math.max(0, border + random.nextInt(7) - 3);
  }

  private long offset() {
    return switch (random.nextInt(20)) {
      case 0 -> near(BLOCK);
      case 1 -> random.nextLong(FILE_MAX);
      case 2 -> near(2L * BLOCK);
      case 3, 4 -> near((long) PAGE * random.nextInt(64));
      case 5, 6, 7 -> 0;
      case 8 -> random.nextLong(1 << 20);
      case 9, 10 -> (long) PAGE * random.nextInt(40);
      default -> random.nextLong(20_000);
    };
  }

  private long length() {
    return switch (random.nextInt(40)) {
      case 0 -> near(BLOCK);
      case 1 -> random.nextLong(BLOCK);
      case 2, 3 -> near(128 << 10);
      case 4, 5, 6, 7 -> near((long) PAGE * random.nextInt(1, 20));
      case 8 -> 0;
      case 9, 10, 11, 12, 13 -> random.nextLong(100_000);
      default -> random.nextLong(1, 5_000);
    };
  }

  private int openFlags() {
    int flags = any(new int[] {0, 0, 1, 2, 2, 2}) | Syscalls.O_NONBLOCK;
    flags |= chance(50) ? Syscalls.O_CREAT : 0;
    flags |= chance(8) ? Syscalls.O_EXCL : 0;
    flags |= chance(12) ? Syscalls.O_TRUNC : 0;
    flags |= chance(15) ? Syscalls.O_APPEND : 0;
    flags |= chance(8) ? Syscalls.O_DIRECTORY : 0;
    flags |= chance(8) ? Syscalls.O_NOFOLLOW : 0;
    flags |= chance(2) ? Syscalls.O_SYNC : 0;
    flags |= chance(2) ? Syscalls.O_DSYNC : 0;
    return mounts == 1 && chance(2) ? flags | Syscalls.O_PATH : flags; // unknown elsewhere
  }

  // ---- operations ----

  /** The parts that depend on the kind, 0 and empty where it has none. */
  private static final class Draft {
    private String other = "";
    private long offset;
    private long length;
    private int flags;
    private int mode;
  }

  Operation next() {
    Kind kind = any(bag);
    String path = path();
    var draft = new Draft();
    ofContent(kind, draft);
    ofNames(kind, draft);
    return new Operation(
        kind,
        isOnSlotOnly(kind) ? "" : path,
        draft.other,
        random.nextInt(SLOTS),
        kind == Kind.COPY_RANGE ? random.nextInt(SLOTS) : 0,
        draft.offset,
        draft.length,
        draft.flags,
        draft.mode,
        random.nextLong(),
        random.nextInt(mounts),
        chance(12),
        chance(20));
  }

  private void ofContent(Kind kind, Draft draft) {
    switch (kind) {
      case OPEN -> {
        draft.flags = openFlags();
        draft.mode = any(MODES);
      }
      case READ, WRITE -> draft.length = length();
      case PREAD, PWRITE, MAPPED_STORE, MAPPED_LOAD, MAP_TOUCH, COPY_RANGE -> {
        draft.offset = offset();
        draft.length = length();
        draft.flags = random.nextInt(2);
      }
      case LSEEK -> {
        draft.offset = offset() - random.nextInt(1000);
        draft.flags = random.nextInt(3);
      }
      case FTRUNCATE, TRUNCATE -> draft.length = chance(2) ? -1 : offset();
      case FALLOCATE -> {
        draft.flags = any(FALLOCATE_MODES);
        draft.offset = offset();
        draft.length = length();
      }
      default -> {}
    }
  }

  private void ofNames(Kind kind, Draft draft) {
    switch (kind) {
      case MKDIR -> draft.mode = any(DIRECTORY_MODES);
      case MKNOD -> draft.mode = any(NODE_TYPES) | any(MODES);
      case CHMOD, FCHMOD -> draft.mode = chance(50) ? any(DIRECTORY_MODES) : any(MODES);
      case CHOWN, FCHOWN -> {
        draft.flags = any(OWNERS);
        draft.mode = any(OWNERS);
        draft.length = random.nextInt(2);
      }
      case RENAME -> {
        draft.other = path();
        draft.flags = chance(70) ? 0 : random.nextInt(4);
      }
      case LINK -> {
        draft.other = path();
        draft.flags = chance(20) ? Syscalls.AT_SYMLINK_FOLLOW : 0;
      }
      case SYMLINK -> draft.other = target();
      case READLINK, READDIR_PART -> draft.length = chance(80) ? 600 : random.nextInt(1, 40);
      case UTIMENS, FUTIMENS -> {
        draft.flags = random.nextInt(16);
        draft.length = random.nextInt(2);
      }
      case SETXATTR, FSETXATTR, GETXATTR, FGETXATTR, REMOVEXATTR, LISTXATTR -> {
        draft.other = chance(5) ? any(ODD_ATTRIBUTES) : any(ATTRIBUTES);
        draft.length = chance(3) ? 65537 : random.nextInt(600);
        draft.flags = chance(70) ? 0 : random.nextInt(4);
        draft.mode = random.nextInt(2);
      }
      case STAT -> draft.flags = chance(70) ? Syscalls.AT_SYMLINK_NOFOLLOW : 0;
      case ACCESS -> draft.mode = random.nextInt(8);
      default -> {}
    }
  }

  private static boolean isOnSlotOnly(Kind kind) {
    return switch (kind) {
      case CLOSE,
          READ,
          WRITE,
          PREAD,
          PWRITE,
          LSEEK,
          FTRUNCATE,
          FALLOCATE,
          COPY_RANGE,
          MAPPED_STORE,
          MAPPED_LOAD,
          MAP_HOLD,
          MAP_TOUCH,
          FSYNC,
          FDATASYNC,
          SYNCFS,
          FCHMOD,
          FCHOWN,
          FUTIMENS,
          FSETXATTR,
          FGETXATTR,
          FSTAT,
          READDIR_PART,
          STATFS ->
          true;
      default -> false;
    };
  }
}
