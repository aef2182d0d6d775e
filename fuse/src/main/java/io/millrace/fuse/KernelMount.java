package io.millrace.fuse;

import io.millrace.fuse.FuseMountException.Kind;
import java.io.IOException;
import java.lang.System.Logger.Level;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * Mounts, answers INIT, clones descriptors, unmounts: everything about a mount but serving it.
 * Stateless.
 */
final class KernelMount {
  private static final String DEVICE = "/dev/fuse";

  private KernelMount() {}

  static KernelConnection mount(FuseConfig config) throws FuseMountException {
    boolean fusermount = byFusermount(config);
    detachDead(config, fusermount);
    Path target = MountPoint.check(config.mountPoint());
    int fd = fusermount ? Fusermount.mount(config, target) : mountAsRoot(config, target);
    boolean done = false;
    try {
      FuseFeatures features = InitHandshake.run(fd, config);
      setReadAhead(target, config.readAheadBytes());
      List<Integer> descriptors = cloneDescriptors(fd, config.workers());
      done = true;
      return new KernelConnection(target, descriptors, features, fusermount);
    } finally {
      if (!done) {
        Native.close(new CallState(), fd);
        unmountQuietly(target, fusermount);
      }
    }
  }

  /**
   * After a kill -9 the mount is still there, without a server: nothing can be lost by detaching
   * it.
   */
  private static void detachDead(FuseConfig config, boolean fusermount) throws FuseMountException {
    MountPoint.Entry entry = config.replaceDead() ? MountPoint.find(config.mountPoint()) : null;
    if (entry != null
        && entry.type().equals("fuse." + config.subtype())
        && MountPoint.isDead(entry)) {
      ReplyContext.LOG.log(Level.INFO, "a dead mount at {0} is detached", entry.path());
      unmountQuietly(entry.path(), fusermount);
    }
  }

  private static boolean byFusermount(FuseConfig config) {
    return switch (config.method()) {
      case AUTO -> Native.geteuid(new CallState()) != 0;
      case MOUNT2 -> false;
      case FUSERMOUNT -> true;
    };
  }

  private static int mountAsRoot(FuseConfig config, Path target) throws FuseMountException {
    var state = new CallState();
    int fd = openDevice(state);
    if (fd < 0) {
      throw deviceProblem(-fd);
    }
    long flags = Native.MS_NOSUID | Native.MS_NODEV | (config.readOnly() ? Native.MS_RDONLY : 0);
    int result;
    try (Arena arena = Arena.ofConfined()) {
      result =
          Native.mount(
              state,
              arena.allocateFrom(config.fsName()),
              arena.allocateFrom(target.toString()),
              arena.allocateFrom("fuse." + config.subtype()),
              flags,
              arena.allocateFrom(options(config, fd, state)));
    }
    if (result < 0) {
      Native.close(state, fd);
      throw mountProblem(target, -result);
    }
    return fd;
  }

  private static String options(FuseConfig config, int fd, CallState state) {
    return "fd="
        + fd
        + ",rootmode=40000,user_id="
        + Native.geteuid(state)
        + ",group_id="
        + Native.getegid(state)
        + ",max_read="
        + config.maxWriteBytes()
        + (config.defaultPermissions() ? ",default_permissions" : "")
        + (config.allowOther() ? ",allow_other" : "");
  }

  private static int openDevice(CallState state) {
    try (Arena arena = Arena.ofConfined()) {
      return Native.open(state, arena.allocateFrom(DEVICE), Native.O_RDWR | Native.O_CLOEXEC);
    }
  }

  private static FuseMountException deviceProblem(int errno) {
    if (errno == FuseErrno.EACCES || errno == FuseErrno.EPERM) {
      return new FuseMountException(
          Kind.NO_PERMISSION,
          "/dev/fuse can't be opened: no permission; run as root, or in a container with"
              + " --device /dev/fuse --cap-add SYS_ADMIN");
    }
    return new FuseMountException(
        Kind.NO_DEVICE,
        "/dev/fuse can't be opened (errno "
            + errno
            + "); load the module (modprobe fuse), or give the container --device /dev/fuse");
  }

  private static FuseMountException mountProblem(Path target, int errno) {
    return switch (errno) {
      case FuseErrno.EPERM, FuseErrno.EACCES ->
          new FuseMountException(
              Kind.NO_PERMISSION,
              "mounting on "
                  + target
                  + " is not permitted; run as root or, as a user, install"
                  + " fuse3 (fusermount3); a container needs --cap-add SYS_ADMIN");
      case FuseErrno.EBUSY ->
          new FuseMountException(
              Kind.ALREADY_MOUNTED, target + " is busy; unmount what is there: umount " + target);
      case FuseErrno.ENODEV ->
          new FuseMountException(
              Kind.NO_DEVICE, "this kernel has no FUSE; load the module: modprobe fuse");
      default ->
          new FuseMountException(Kind.OTHER, "mount on " + target + " failed: errno " + errno);
    };
  }

  /**
   * Where the device can't be opened again (a user's /dev/fuse), workers share the mount's own
   * descriptor.
   */
  private static List<Integer> cloneDescriptors(int fd, int workers) {
    var state = new CallState();
    var descriptors = new ArrayList<Integer>();
    descriptors.add(fd);
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment source = arena.allocateFrom(ValueLayout.JAVA_INT, fd);
      while (descriptors.size() < workers) {
        int clone = openDevice(state);
        if (clone < 0) {
          ReplyContext.LOG.log(
              Level.INFO,
              "/dev/fuse can''t be opened again (errno {0}): workers share one",
              -clone);
          break;
        }
        int result = Native.ioctl(state, clone, Native.FUSE_DEV_IOC_CLONE, source);
        if (result < 0) {
          ReplyContext.LOG.log(Level.WARNING, "descriptor not cloned: errno {0}", -result);
          Native.close(state, clone);
          break;
        }
        descriptors.add(clone);
      }
    }
    return descriptors;
  }

  private static void setReadAhead(Path target, int bytes) throws FuseMountException {
    MountPoint.Entry entry = bytes == 0 ? null : MountPoint.find(target);
    if (entry != null) {
      Path file = Path.of("/sys/class/bdi", entry.device(), "read_ahead_kb");
      try {
        Files.writeString(file, Integer.toString(bytes >> 10));
      } catch (IOException e) {
        ReplyContext.LOG.log(
            Level.INFO, "read-ahead stays 128 KiB: {0} can''t be written; root can", file);
      }
    }
  }

  /** Unmounts; gives 0 or -errno. {@code flags} as of umount2(2). */
  static int unmount(Path target, boolean fusermount, int flags) {
    if (fusermount) {
      return Fusermount.unmount(target, (flags & Native.MNT_DETACH) != 0) ? 0 : -FuseErrno.EBUSY;
    }
    try (Arena arena = Arena.ofConfined()) {
      return Native.umount2(
          new CallState(), arena.allocateFrom(target.toString()), flags | Native.UMOUNT_NOFOLLOW);
    }
  }

  private static void unmountQuietly(Path target, boolean fusermount) {
    int result = unmount(target, fusermount, Native.MNT_DETACH);
    if (result < 0) {
      ReplyContext.LOG.log(Level.WARNING, "a dead mount is left at {0}", target);
    }
  }

  /**
   * Ends all requests of a mount at once, where the kernel lets us; the number is the mount's minor
   * device.
   */
  static boolean abort(String device) {
    String minor = device.substring(device.indexOf(':') + 1);
    try {
      Files.writeString(Path.of("/sys/fs/fuse/connections", minor, "abort"), "1");
      return true;
    } catch (IOException e) {
      return false;
    }
  }
}
