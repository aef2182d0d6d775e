package io.millrace.client.mount;

import java.nio.file.Path;
import java.time.Duration;

/**
 * How a mount behaves; made by {@link #at}.
 *
 * @param source what the kernel's mount table names as its source: the node's HOST:PORT
 * @param readOnly the kernel refuses changes; DATASET implies it
 * @param l2Bytes client cache beside the kernel's page cache; 0: none
 * @param stagedBytes small files that came with lookups and wait for their first read
 * @param writeBackBytes hard limit of data not yet sent; writers wait there; at least 8 MiB
 * @param readAheadBytes what all sequential readers together may have in flight
 * @param workers threads that read requests; 0: one per processor
 * @param kernelReadAheadBytes read-ahead of the kernel, set where root mounts; 0: its default
 * @param syncOnClose close waits until the data survives power loss (H13)
 * @param openFilesMax open files, and open directories; ENFILE beyond
 * @param clusterLocks flock and fcntl locks are held by the node, for all mounts, else by the
 *     kernel for this one
 * @param commitAfter dirty data of open files is committed after this long
 */
public record MountConfig(
    Path mountPoint,
    String source,
    Mode mode,
    boolean readOnly,
    boolean allowOther,
    long l2Bytes,
    long stagedBytes,
    long writeBackBytes,
    long readAheadBytes,
    int workers,
    int kernelReadAheadBytes,
    boolean syncOnClose,
    int openFilesMax,
    boolean clusterLocks,
    Duration commitAfter) {

  /** What the mount is for. */
  public enum Mode {
    DEFAULT,
    /** Read only, without opens: a cached epoch costs no round trip into this process. */
    DATASET
  }

  public MountConfig {
    readOnly = readOnly || mode == Mode.DATASET;
    if (l2Bytes < 0 || stagedBytes < 1 << 20 || readAheadBytes < 4 << 20) {
      throw new IllegalArgumentException("l2 >= 0, staged >= 1 MiB, read-ahead >= 4 MiB");
    }
    if (writeBackBytes < 8 << 20) {
      throw new IllegalArgumentException("write-back needs at least 8 MiB: " + writeBackBytes);
    }
    if (clusterLocks && mode == Mode.DATASET) {
      throw new IllegalArgumentException("a dataset mount has no opens, and so no locks");
    }
    if (commitAfter.isNegative() || commitAfter.isZero()) {
      throw new IllegalArgumentException("commitAfter must be positive");
    }
  }

  /**
   * Memory of a node in the same process that the mount may hold on to at a time (staged content
   * and read-ahead come without a copy): the node's buffers must have so much to spare, else both
   * wait for each other.
   */
  public long borrowedBytesMax() {
    return stagedBytes + readAheadBytes;
  }

  public static Builder at(Path mountPoint) {
    return new Builder(mountPoint);
  }

  /** Sets what differs from the defaults. */
  public static final class Builder {
    private final Path mountPoint;
    private String source = "millrace";
    private Mode mode = Mode.DEFAULT;
    private boolean readOnly;
    private boolean allowOther;
    private long l2Bytes = 64 << 20;
    private long stagedBytes = 8 << 20;
    private long writeBackBytes = 64 << 20;
    private long readAheadBytes = 32 << 20;
    private int workers;
    private int kernelReadAheadBytes = 1 << 20;
    private boolean syncOnClose;
    private int openFilesMax = 65_536;
    private boolean clusterLocks;
    private Duration commitAfter = Duration.ofSeconds(5);

    private Builder(Path mountPoint) {
      this.mountPoint = mountPoint;
    }

    public Builder source(String value) {
      source = value;
      return this;
    }

    public Builder mode(Mode value) {
      mode = value;
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

    public Builder l2Bytes(long value) {
      l2Bytes = value;
      return this;
    }

    public Builder stagedBytes(long value) {
      stagedBytes = value;
      return this;
    }

    public Builder writeBackBytes(long value) {
      writeBackBytes = value;
      return this;
    }

    public Builder readAheadBytes(long value) {
      readAheadBytes = value;
      return this;
    }

    public Builder workers(int value) {
      workers = value;
      return this;
    }

    public Builder kernelReadAheadBytes(int value) {
      kernelReadAheadBytes = value;
      return this;
    }

    public Builder syncOnClose(boolean value) {
      syncOnClose = value;
      return this;
    }

    public Builder openFilesMax(int value) {
      openFilesMax = value;
      return this;
    }

    public Builder clusterLocks(boolean value) {
      clusterLocks = value;
      return this;
    }

    public Builder commitAfter(Duration value) {
      commitAfter = value;
      return this;
    }

    public MountConfig build() {
      return new MountConfig(
          mountPoint,
          source,
          mode,
          readOnly,
          allowOther,
          l2Bytes,
          stagedBytes,
          writeBackBytes,
          readAheadBytes,
          workers,
          kernelReadAheadBytes,
          syncOnClose,
          openFilesMax,
          clusterLocks,
          commitAfter);
    }
  }
}
