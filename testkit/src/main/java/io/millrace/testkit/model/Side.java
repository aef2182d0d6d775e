package io.millrace.testkit.model;

import io.millrace.testkit.posix.FileStat;
import io.millrace.testkit.posix.Syscalls;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;

/**
 * One of the compared file systems: does operations below a directory of it by system calls and
 * says what they gave. Several roots are several mounts of the same directory. Owned by one thread,
 * which acts as another user for a moment where an operation says so.
 */
final class Side implements AutoCloseable {
  private static final int ERANGE = 34;
  static final int USER = 1001;
  private static final int UTIME_NOW = (1 << 30) - 1;
  private static final int UTIME_OMIT = (1 << 30) - 2;
  private static final int SEEK_SET = 0;
  private static final int SEEK_END = 2;
  private static final String GONE = "neither file nor named";
  private static final int EISDIR = 21;
  private static final int EINVAL = 22;

  private final Syscalls calls = new Syscalls();
  private final List<String> roots;
  private final boolean syncWrites;
  private final RandomBytes random;
  private final TimeClass times;
  private final MemorySegment buffer = Arena.ofAuto().allocate(RandomBytes.LENGTH_MAX, 4096);
  private final MemorySegment raw = Arena.ofAuto().allocate(FileStat.BYTES, Long.BYTES);
  private final ChangedNames changed = new ChangedNames();
  private final Slots slots = new Slots(calls);
  private final HeldMapping mapping = new HeldMapping(calls);
  private final TimeProbe probe = new TimeProbe(calls);

  /**
   * @param syncWrites every write is followed by fsync, so that other mounts see it
   */
  Side(List<String> roots, boolean syncWrites, RandomBytes random, TimeClass times) {
    this.roots = roots;
    this.syncWrites = syncWrites;
    this.random = random;
    this.times = times;
  }

  List<String> roots() {
    return roots;
  }

  Syscalls calls() {
    return calls;
  }

  /** What the last read left; valid until the next operation. */
  MemorySegment lastRead(long length) {
    return buffer.asSlice(0, length);
  }

  Outcome perform(Operation op) {
    changed.add(op);
    String root = roots.get(op.at() % roots.size());
    if (!op.probe()) {
      return acting(op, root);
    }
    FileStat[] before = probe.look(op, root, slots.fd(op.slot()));
    Outcome outcome = acting(op, root);
    return outcome.and(TimeProbe.changes(before, probe.look(op, root, slots.fd(op.slot()))));
  }

  private Outcome acting(Operation op, String root) {
    if (!op.asUser()) {
      return act(op, root);
    }
    calls.actAs(USER, USER);
    try {
      return act(op, root);
    } finally {
      calls.actAs(0, 0);
    }
  }

  private Outcome act(Operation op, String root) {
    if (op.asUser() && op.ownsNobody()) {
      return new Outcome(0, "FUSE can't tell it from a write that takes setuid away");
    }
    String path = op.path().isEmpty() ? root : root + "/" + op.path();
    String other = root + "/" + op.other();
    int fd = slots.fd(op.slot());
    if (syncWrites && op.asUser()) {
      refreshOwner(path, fd);
    }
    return switch (op.kind()) {
      case OPEN -> open(op, path);
      case CLOSE -> slots.close(op.slot());
      case READ, PREAD -> read(op, fd);
      case WRITE, PWRITE -> write(op, fd);
      case LSEEK -> lseek(op, fd);
      case FTRUNCATE -> Outcome.of(calls.ftruncate(fd, op.length()));
      case TRUNCATE -> Outcome.of(calls.truncate(path, op.length()));
      case FALLOCATE -> Outcome.of(calls.fallocate(fd, op.flags(), op.offset(), op.length()));
      case COPY_RANGE -> copy(op, fd, slots.fd(op.slot2()));
      case MAPPED_STORE ->
          synced(mapping.once(fd, op.offset(), op.length(), random.of(op.seed(), op.length())), fd);
      case MAPPED_LOAD -> mapping.once(fd, op.offset(), op.length(), null);
      case MAP_HOLD -> mapping.hold(fd);
      case MAP_TOUCH ->
          mapping.touch(
              op.offset(), op.length(), op.flags() == 0 ? null : random.of(op.seed(), op.length()));
      case FSYNC -> Outcome.of(calls.fsync(fd));
      case FDATASYNC -> Outcome.of(calls.fdatasync(fd));
      case SYNCFS -> Outcome.of(calls.syncfs(fd));
      case MKDIR -> Outcome.of(calls.mkdir(path, op.mode()));
      case RMDIR -> Outcome.of(calls.unlink(path, Syscalls.AT_REMOVEDIR));
      case UNLINK -> Outcome.of(calls.unlink(path, 0));
      case RENAME -> rename(op, path, other);
      case LINK -> Outcome.of(calls.link(Syscalls.AT_FDCWD, path, other, op.flags()));
      case LINK_OPEN -> linkOpen(op, fd);
      case SYMLINK -> Outcome.of(calls.symlink(op.other(), path));
      case READLINK -> readlink(op, path);
      case MKNOD -> Outcome.of(calls.mknod(path, op.mode(), 0));
      case CHMOD -> Outcome.of(calls.chmod(path, op.mode()));
      case FCHMOD -> Outcome.of(calls.fchmod(fd, op.mode()));
      case CHOWN ->
          Outcome.of(calls.chown(path, op.flags(), op.mode(), op.length() == 0 ? 0 : 0x100));
      case FCHOWN -> Outcome.of(calls.fchown(fd, op.flags(), op.mode()));
      case UTIMENS, FUTIMENS -> utimens(op, path, fd);
      case SETXATTR, FSETXATTR -> setxattr(op, path, fd);
      case GETXATTR, FGETXATTR -> getxattr(op, path, fd);
      case LISTXATTR -> listxattr(op, path);
      case REMOVEXATTR -> Outcome.of(calls.removexattr(path, op.mode() == 0, op.other()));
      case STAT -> stat(Syscalls.AT_FDCWD, path, op.flags());
      case FSTAT -> stat(fd, "", Syscalls.AT_EMPTY_PATH);
      case ACCESS -> Outcome.of(calls.access(path, op.mode(), 0x200));
      case READDIR -> readdir(path);
      case READDIR_PART -> readPart(op, fd);
      case STATFS -> statfs(root);
      case REMOUNT, RESTART_NODE -> closeAll();
    };
  }

  /** The kernel checks the owner of what it has cached: it asks again for stat, not for chmod. */
  private void refreshOwner(String path, int fd) {
    calls.stat(Syscalls.AT_FDCWD, path, 0, raw);
    calls.stat(Syscalls.AT_FDCWD, path, Syscalls.AT_SYMLINK_NOFOLLOW, raw);
    if (fd >= 0) {
      calls.stat(fd, "", Syscalls.AT_EMPTY_PATH, raw);
    }
  }

  // ---- content ----

  private Outcome open(Operation op, String path) {
    int fd = calls.open(path, op.flags(), op.mode());
    if (fd < 0) {
      return Outcome.of(fd);
    }
    String before = slots.fd(op.slot()) < 0 ? "" : "closed " + slots.close(op.slot()).result();
    slots.put(op.slot(), fd, op.at(), op.flags());
    return new Outcome(0, before);
  }

  private Outcome read(Operation op, int fd) {
    long got =
        op.kind() == Operation.Kind.READ
            ? calls.read(fd, buffer, op.length())
            : calls.pread(fd, buffer, op.length(), op.offset());
    if (got == -EINVAL && isDirectory(op.slot())) {
      return Outcome.of(-EISDIR); // ext4, where a listing has moved the directory's position
    }
    return got <= 0 ? Outcome.of(got) : new Outcome(got, Digests.of(buffer.asSlice(0, got)));
  }

  /** Of these a mount keeps the attributes of stat only. */
  private boolean isGone(int slot) {
    return slots.isGone(slot, raw);
  }

  /** The slots that hold what is no file and has no name: another mount's removal ends them. */
  int[] gone() {
    return IntStream.range(0, OperationGenerator.SLOTS).filter(this::isGone).toArray();
  }

  void closeSlots(int[] which) {
    for (int slot : which) {
      slots.close(slot);
    }
  }

  private boolean isPipe(int slot) {
    FileStat stat = slots.stat(slot, raw);
    return stat != null && stat.isPipe();
  }

  private boolean isDirectory(int slot) {
    FileStat stat = slots.stat(slot, raw);
    return stat != null && stat.isDirectory();
  }

  private Outcome write(Operation op, int fd) {
    MemorySegment bytes = random.of(op.seed(), op.length());
    long done =
        op.kind() == Operation.Kind.WRITE
            ? calls.write(fd, bytes, op.length())
            : calls.pwrite(fd, bytes, op.length(), op.offset());
    if (done > 0 && isPipe(op.slot())) {
      long[] now = {0, UTIME_NOW, 0, UTIME_NOW};
      calls.actAs(0, 0);
      calls.utimens(fd, null, now, 0); // FUSE is not told of writes to pipes
    }
    Outcome written = synced(Outcome.of(done), fd);
    boolean appended = done > 0 && op.kind() == Operation.Kind.WRITE && slots.appends(op.slot());
    if (roots.size() > 1 && appended) {
      calls.lseek(fd, 0, SEEK_END); // the position comes from the size that its kernel knew
    }
    return written;
  }

  private Outcome synced(Outcome outcome, int fd) {
    if (!syncWrites || outcome.result() <= 0 || fd < 0) {
      return outcome;
    }
    long synced = calls.fsync(fd);
    boolean fine = synced == 0 || synced == -EINVAL; // a pipe
    return fine ? outcome : outcome.and("fsync " + synced);
  }

  private Outcome lseek(Operation op, int fd) {
    if (isDirectory(op.slot())) {
      return new Outcome(0, "a directory's positions are its own");
    }
    return Outcome.of(calls.lseek(fd, op.offset(), op.flags()));
  }

  private Outcome copy(Operation op, int from, int to) {
    long done = 0;
    long left = op.length();
    while (left > 0) {
      long toOffset = Math.floorMod(op.seed(), 1 << 20) + done;
      long n = calls.copyFileRange(from, op.offset() + done, to, toOffset, left);
      if (n <= 0) {
        return done > 0 ? Outcome.of(done) : Outcome.of(n);
      }
      done += n;
      left -= n;
    }
    return synced(Outcome.of(done), to);
  }

  // ---- names ----

  /**
   * A directory that another mount has moved, with something open in it here: the kernel can't find
   * it by its new name for the first time inside of a rename. It can for stat.
   */
  private Outcome rename(Operation op, String path, String other) {
    if (roots.size() > 1) {
      calls.stat(Syscalls.AT_FDCWD, path, Syscalls.AT_SYMLINK_NOFOLLOW, raw);
      calls.stat(Syscalls.AT_FDCWD, other, Syscalls.AT_SYMLINK_NOFOLLOW, raw);
    }
    return Outcome.of(calls.rename(path, other, op.flags()));
  }

  private Outcome linkOpen(Operation op, int fd) {
    String root = roots.get(slots.mount(op.slot()) % roots.size());
    String open = "/proc/self/fd/" + fd;
    return Outcome.of(
        calls.link(Syscalls.AT_FDCWD, open, root + "/" + op.path(), Syscalls.AT_SYMLINK_FOLLOW));
  }

  private Outcome readlink(Operation op, String path) {
    long got = calls.readlink(path, buffer, op.length());
    return got <= 0 ? Outcome.of(got) : new Outcome(got, text(got));
  }

  private String text(long length) {
    byte[] bytes = buffer.asSlice(0, length).toArray(ValueLayout.JAVA_BYTE);
    return new String(bytes, StandardCharsets.ISO_8859_1);
  }

  private Outcome readdir(String path) {
    int fd = calls.open(path, Syscalls.O_DIRECTORY, 0);
    if (fd < 0) {
      return Outcome.of(fd);
    }
    var failure = new long[1];
    var names = new ArrayList<String>();
    DirectoryListing.whole(calls, fd, buffer, failure)
        .forEach(e -> names.add(e.name() + ":" + e.type()));
    calls.close(fd);
    names.sort(null);
    return new Outcome(failure[0], names.toString());
  }

  /** How much fits a buffer is each file system's affair: only what is wrong is told. */
  private Outcome readPart(Operation op, int fd) {
    FileStat stat = slots.stat(op.slot(), raw);
    if (stat == null || !stat.isDirectory() || stat.nlink() == 0) {
      return Outcome.done(calls.getdents(fd, buffer, 4096));
    }
    DirectoryPass pass = slots.pass(op.slot(), changed);
    long got = pass.read(buffer, 300 + op.length());
    if (got != 0) {
      return Outcome.done(got);
    }
    slots.endPass(op.slot());
    calls.lseek(fd, 0, SEEK_SET);
    return new Outcome(0, pass.violations());
  }

  // ---- attributes ----

  private Outcome stat(int directory, String path, int flags) {
    long result = calls.stat(directory, path, flags, raw);
    return result < 0 ? Outcome.of(result) : new Outcome(0, facts(FileStat.of(raw)));
  }

  static String facts(FileStat stat) {
    return "mode %o owner %d:%d nlink %d%s"
        .formatted(
            stat.mode(),
            stat.uid(),
            stat.gid(),
            stat.nlink(),
            stat.isDirectory() ? "" : " size " + stat.size());
  }

  private Outcome utimens(Operation op, String path, int fd) {
    int atime = op.flags() & 3;
    int mtime = op.flags() >> 2 & 3;
    long explicit = Math.floorMod(op.seed(), 3_000_000_000L) - 1_000_000_000L;
    long nanos = Math.floorMod(op.seed() >> 32, 1_000_000_000L);
    long[] pairs = {explicit, special(atime, nanos), explicit + 7, special(mtime, nanos)};
    boolean byFd = op.kind() == Operation.Kind.FUTIMENS;
    int flags = byFd || op.length() == 0 ? 0 : Syscalls.AT_SYMLINK_NOFOLLOW;
    long result =
        byFd
            ? calls.utimens(fd, null, pairs, 0)
            : calls.utimens(Syscalls.AT_FDCWD, path, pairs, flags);
    if (result < 0) {
      return Outcome.of(result);
    }
    long got =
        byFd
            ? calls.stat(fd, "", Syscalls.AT_EMPTY_PATH, raw)
            : calls.stat(Syscalls.AT_FDCWD, path, flags, raw);
    if (got < 0) {
      return new Outcome(0, "stat " + got);
    }
    FileStat stat = FileStat.of(raw);
    String a = atime == 2 ? "kept" : times.of(stat.atimeNanos());
    return new Outcome(0, "atime " + a + " mtime " + times.of(stat.mtimeNanos()));
  }

  private static long special(int kind, long nanos) {
    return switch (kind) {
      case 1 -> UTIME_NOW;
      case 2 -> UTIME_OMIT;
      default -> nanos;
    };
  }

  private Outcome setxattr(Operation op, String path, int fd) {
    if (op.kind() == Operation.Kind.FSETXATTR && isGone(op.slot())) {
      return new Outcome(0, GONE);
    }
    MemorySegment value = random.of(op.seed(), op.length());
    return Outcome.of(
        op.kind() == Operation.Kind.FSETXATTR
            ? calls.fsetxattr(fd, op.other(), value, op.length(), op.flags())
            : calls.setxattr(path, op.mode() == 0, op.other(), value, op.length(), op.flags()));
  }

  private Outcome getxattr(Operation op, String path, int fd) {
    if (op.kind() == Operation.Kind.FGETXATTR && isGone(op.slot())) {
      return new Outcome(0, GONE);
    }
    long got =
        op.kind() == Operation.Kind.FGETXATTR
            ? calls.fgetxattr(fd, op.other(), buffer, op.length())
            : calls.getxattr(path, op.mode() == 0, op.other(), buffer, op.length());
    boolean read = got > 0 && op.length() > 0;
    return read ? new Outcome(got, Digests.of(buffer.asSlice(0, got))) : Outcome.of(got);
  }

  private Outcome listxattr(Operation op, String path) {
    long got = calls.listxattr(path, op.mode() == 0, buffer, op.length());
    if (op.asUser()) {
      // Only the ids are the user's: the disk still shows what root's capability may see.
      return Outcome.of(got >= 0 || got == -ERANGE ? 0 : got);
    }
    if (got <= 0 || op.length() == 0) {
      return Outcome.of(got);
    }
    String[] names = text(got).split("\0", -1);
    Arrays.sort(names);
    return new Outcome(got, Arrays.toString(names));
  }

  private Outcome statfs(String root) {
    long result = calls.statfs(root, buffer);
    long blockBytes = buffer.get(ValueLayout.JAVA_LONG, 8);
    long blocks = buffer.get(ValueLayout.JAVA_LONG, 16);
    long free = buffer.get(ValueLayout.JAVA_LONG, 24);
    long available = buffer.get(ValueLayout.JAVA_LONG, 32);
    long nameMax = buffer.get(ValueLayout.JAVA_LONG, 64);
    boolean sane =
        blockBytes >= 512
            && blocks >= free
            && free >= available
            && available >= 0
            && nameMax == 255;
    return new Outcome(result, sane ? "sane" : blocks + " " + free + " " + available);
  }

  Outcome closeAll() {
    mapping.release();
    return slots.closeAll();
  }

  @Override
  public void close() {
    closeAll();
  }
}
