package io.millrace.fuse;

import java.nio.file.Path;

/**
 * How to mount and serve; made by {@link #at}, checked by {@link Builder#build}.
 *
 * @param mountPoint an existing empty directory
 * @param fsName what {@code df} and {@code mount} show as the source
 * @param subtype the type is shown as {@code fuse.SUBTYPE}
 * @param method how the mount is asked for
 * @param readOnly the kernel refuses changes
 * @param allowOther other users than the mounting one may use it
 * @param defaultPermissions the kernel checks modes
 * @param writebackCache the kernel collects writes (it then owns size and mtime while a file is
 *     open)
 * @param readdirplus listings carry attributes
 * @param locks flock and fcntl locks are the file system's, else the kernel's own
 * @param replaceDead a mount of the same subtype whose server died is detached first
 * @param posixAcl the kernel checks access control lists, which it reads as xattrs; inheriting
 *     them, keeping the mode in step and applying the umask is the file system's
 * @param workers threads that read requests, each with its own descriptor
 * @param notifierThreads threads that send notices
 * @param noticesMax notices waiting; at that many, further ones are refused
 * @param blockingMax bodies of {@link FuseRequest#blocking} at once; workers wait there, and the
 *     last free worker at twice as many
 * @param payloadBuffers WRITE payloads taken over at once; workers wait there likewise
 * @param maxWriteBytes largest READ and WRITE; 1 MiB is the kernel's default limit
 * @param maxBackground asynchronous requests the kernel may have in flight (H27)
 * @param readAheadBytes read-ahead of the mount, set in /sys where root mounts; 0 leaves the
 *     kernel's 128 KiB
 */
public record FuseConfig(
    Path mountPoint,
    String fsName,
    String subtype,
    Method method,
    boolean readOnly,
    boolean allowOther,
    boolean defaultPermissions,
    boolean writebackCache,
    boolean readdirplus,
    boolean posixAcl,
    boolean locks,
    boolean replaceDead,
    int workers,
    int notifierThreads,
    int noticesMax,
    int blockingMax,
    int payloadBuffers,
    int maxWriteBytes,
    int maxBackground,
    int readAheadBytes) {

  /** Who carries out the mount. */
  public enum Method {
    /** mount(2) as root, fusermount3 otherwise. */
    AUTO,
    MOUNT2,
    FUSERMOUNT
  }

  /** The defaults for a mount point. */
  public static Builder at(Path mountPoint) {
    return new Builder(mountPoint);
  }

  /** Sets what differs from the defaults. */
  public static final class Builder {
    private final Path mountPoint;
    private String fsName = "millrace";
    private String subtype = "millrace";
    private Method method = Method.AUTO;
    private boolean readOnly;
    private boolean allowOther;
    private boolean defaultPermissions = true;
    private boolean writebackCache;
    private boolean readdirplus = true;
    private boolean posixAcl;
    private boolean locks;
    private boolean replaceDead = true;
    private int workers = Math.clamp(Runtime.getRuntime().availableProcessors(), 2, 16);
    private int notifierThreads = 4;
    private int noticesMax = 65_536;
    private int blockingMax = 1024;
    private int payloadBuffers = 16;
    private int maxWriteBytes = 1 << 20;
    private int maxBackground = 256;
    private int readAheadBytes;

    private Builder(Path mountPoint) {
      this.mountPoint = mountPoint;
    }

    public Builder fsName(String value) {
      fsName = value;
      return this;
    }

    public Builder subtype(String value) {
      subtype = value;
      return this;
    }

    public Builder method(Method value) {
      method = value;
      return this;
    }

    public Builder readOnly(boolean value) {
      readOnly = value;
      return this;
    }

    public Builder allowOther(boolean value) {
      allowOther = value;
      return this;
    }

    public Builder defaultPermissions(boolean value) {
      defaultPermissions = value;
      return this;
    }

    public Builder writebackCache(boolean value) {
      writebackCache = value;
      return this;
    }

    public Builder readdirplus(boolean value) {
      readdirplus = value;
      return this;
    }

    public Builder posixAcl(boolean value) {
      posixAcl = value;
      return this;
    }

    public Builder locks(boolean value) {
      locks = value;
      return this;
    }

    public Builder replaceDead(boolean value) {
      replaceDead = value;
      return this;
    }

    public Builder workers(int value) {
      workers = value;
      return this;
    }

    public Builder notifierThreads(int value) {
      notifierThreads = value;
      return this;
    }

    public Builder noticesMax(int value) {
      noticesMax = value;
      return this;
    }

    public Builder blockingMax(int value) {
      blockingMax = value;
      return this;
    }

    public Builder payloadBuffers(int value) {
      payloadBuffers = value;
      return this;
    }

    public Builder maxWriteBytes(int value) {
      maxWriteBytes = value;
      return this;
    }

    public Builder maxBackground(int value) {
      maxBackground = value;
      return this;
    }

    public Builder readAheadBytes(int value) {
      readAheadBytes = value;
      return this;
    }

    public FuseConfig build() {
      return new FuseConfig(
          mountPoint,
          fsName,
          subtype,
          method,
          readOnly,
          allowOther,
          defaultPermissions,
          writebackCache,
          readdirplus,
          posixAcl,
          locks,
          replaceDead,
          workers,
          notifierThreads,
          noticesMax,
          blockingMax,
          payloadBuffers,
          maxWriteBytes,
          maxBackground,
          readAheadBytes);
    }
  }

  public FuseConfig {
    if (workers < 1 || notifierThreads < 1 || noticesMax < 1 || blockingMax < 1) {
      throw new IllegalArgumentException("threads and limits must be at least 1");
    }
    if (payloadBuffers < 1 || maxBackground < 1 || maxBackground > 0xffff) {
      throw new IllegalArgumentException("payloadBuffers >= 1, maxBackground 1..65535");
    }
    if (maxWriteBytes < 4096 || maxWriteBytes > 1 << 20 || maxWriteBytes % 4096 != 0) {
      throw new IllegalArgumentException("maxWriteBytes: whole pages from 4 KiB to 1 MiB");
    }
    if (fsName.indexOf(',') >= 0 || subtype.indexOf(',') >= 0 || subtype.isEmpty()) {
      throw new IllegalArgumentException("no comma in fsName or subtype");
    }
    mountPoint = mountPoint.toAbsolutePath().normalize();
  }
}
