package io.millrace.fuse;

import java.lang.foreign.MemorySegment;

/**
 * The first exchange on a new mount: agrees on version, sizes and features. Runs on the mounting
 * thread.
 */
final class InitHandshake {
  private static final long WANTED =
      InitFlags.ASYNC_READ
          | InitFlags.FILE_OPS
          | InitFlags.ATOMIC_O_TRUNC
          | InitFlags.BIG_WRITES
          | InitFlags.ASYNC_DIO
          | InitFlags.NO_OPEN_SUPPORT
          | InitFlags.PARALLEL_DIROPS
          | InitFlags.MAX_PAGES
          | InitFlags.CACHE_SYMLINKS
          | InitFlags.NO_OPENDIR_SUPPORT
          | InitFlags.EXPLICIT_INVAL_DATA
          | InitFlags.HANDLE_KILLPRIV_V2
          | InitFlags.INIT_EXT
          | InitFlags.HAS_EXPIRE_ONLY
          | InitFlags.DIRECT_IO_ALLOW_MMAP
          | InitFlags.HAS_RESEND;

  private InitHandshake() {}

  /** Reads INIT from {@code fd}, which waits for the kernel, and answers it. */
  static FuseFeatures run(int fd, FuseConfig config) throws FuseMountException {
    var state = new CallState();
    var memory = new RequestMemory(state, config.maxWriteBytes());
    var writer = new ReplyWriter();
    try {
      return exchange(fd, config, state, memory, writer);
    } finally {
      memory.free(state);
      writer.free();
    }
  }

  private static FuseFeatures exchange(
      int fd, FuseConfig config, CallState state, RequestMemory memory, ReplyWriter writer)
      throws FuseMountException {
    while (true) {
      long n = Native.read(state, fd, memory.address(), memory.capacity());
      if (n == -FuseErrno.EINTR || n == -FuseErrno.EAGAIN) {
        continue;
      }
      MemorySegment in = memory.segment();
      if (n < Wire.InHeader.BYTES || in.get(Wire.U32, Wire.InHeader.OPCODE) != FuseOpcode.INIT) {
        throw protocol("the kernel's first request is not INIT (" + n + ")");
      }
      long unique = in.get(Wire.U64, Wire.InHeader.UNIQUE);
      int major = in.get(Wire.U32, Wire.InHeader.BYTES + Wire.InitRequest.MAJOR);
      if (major > Wire.MAJOR) {
        putVersion(writer.out, Wire.MINOR);
        writer.sendBody(fd, unique, Wire.InitReply.BYTES);
        continue;
      }
      int minor = in.get(Wire.U32, Wire.InHeader.BYTES + Wire.InitRequest.MINOR);
      if (major < Wire.MAJOR || minor < Wire.MINOR_MIN) {
        writer.sendError(fd, unique, 71);
        throw protocol(
            "the kernel speaks FUSE " + major + "." + minor + "; 7.31 (Linux 5.4) is needed");
      }
      FuseFeatures features = agree(in.asSlice(Wire.InHeader.BYTES), minor, config);
      put(writer.out, features);
      int sent = writer.sendBody(fd, unique, Wire.InitReply.BYTES);
      if (sent != 0) {
        throw protocol("the kernel refused the answer to INIT: errno " + -sent);
      }
      return features;
    }
  }

  /** What comes of the kernel's offer; {@code in} is the body of INIT. */
  static FuseFeatures agree(MemorySegment in, int kernelMinor, FuseConfig config) {
    long offered = Integer.toUnsignedLong(in.get(Wire.U32, Wire.InitRequest.FLAGS));
    if ((offered & InitFlags.INIT_EXT) != 0) {
      offered |= (long) in.get(Wire.U32, Wire.InitRequest.FLAGS2) << 32;
    }
    long flags = offered & wanted(config);
    int maxWrite = config.maxWriteBytes();
    if ((flags & InitFlags.MAX_PAGES) == 0) {
      maxWrite = Math.min(maxWrite, 128 << 10);
    }
    return new FuseFeatures(
        kernelMinor,
        Math.min(kernelMinor, Wire.MINOR),
        offered,
        flags,
        Math.max(in.get(Wire.U32, Wire.InitRequest.MAX_READAHEAD), maxWrite),
        maxWrite,
        maxWrite / NativeMemory.PAGE_BYTES,
        config.maxBackground(),
        Math.max(1, config.maxBackground() * 3 / 4));
  }

  private static long wanted(FuseConfig config) {
    long wanted = WANTED;
    if (config.readdirplus()) {
      wanted |= InitFlags.DO_READDIRPLUS | InitFlags.READDIRPLUS_AUTO;
    }
    if (config.writebackCache()) {
      wanted |= InitFlags.WRITEBACK_CACHE;
    }
    if (config.posixAcl()) {
      wanted |= InitFlags.POSIX_ACL | InitFlags.DONT_MASK | InitFlags.SETXATTR_EXT;
    }
    if (config.locks()) {
      wanted |= InitFlags.POSIX_LOCKS | InitFlags.FLOCK_LOCKS;
    }
    return wanted;
  }

  private static void putVersion(MemorySegment out, int minor) {
    out.asSlice(ReplyWriter.BODY, Wire.InitReply.BYTES).fill((byte) 0);
    out.set(Wire.U32, ReplyWriter.BODY + Wire.InitReply.MAJOR, Wire.MAJOR);
    out.set(Wire.U32, ReplyWriter.BODY + Wire.InitReply.MINOR, minor);
  }

  static void put(MemorySegment out, FuseFeatures f) {
    putVersion(out, f.minor());
    int at = ReplyWriter.BODY;
    out.set(Wire.U32, at + Wire.InitReply.MAX_READAHEAD, f.maxReadaheadBytes());
    out.set(Wire.U32, at + Wire.InitReply.FLAGS, (int) f.flags());
    out.set(Wire.U32, at + Wire.InitReply.FLAGS2, (int) (f.flags() >>> 32));
    out.set(Wire.U16, at + Wire.InitReply.MAX_BACKGROUND, (short) f.maxBackground());
    out.set(Wire.U16, at + Wire.InitReply.CONGESTION_THRESHOLD, (short) f.congestionThreshold());
    out.set(Wire.U32, at + Wire.InitReply.MAX_WRITE, f.maxWriteBytes());
    out.set(Wire.U32, at + Wire.InitReply.TIME_GRAN, 1);
    out.set(Wire.U16, at + Wire.InitReply.MAX_PAGES, (short) f.maxPages());
  }

  private static FuseMountException protocol(String message) {
    return new FuseMountException(FuseMountException.Kind.PROTOCOL, message);
  }
}
