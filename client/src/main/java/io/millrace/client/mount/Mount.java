package io.millrace.client.mount;

import io.millrace.client.ContentCache;
import io.millrace.client.OffHeapL2;
import io.millrace.core.wire.NodeChannel;
import io.millrace.fuse.FuseConfig;
import io.millrace.fuse.FuseMountException;
import io.millrace.fuse.FuseSession;
import io.millrace.fuse.FuseSession.Unmount;
import java.util.List;

/**
 * A mounted file system of one node. Owns the FUSE session and the client's memory; the channel
 * stays its giver's, who closes it after this.
 */
public final class Mount implements AutoCloseable {
  private final MountFileSystem fileSystem;
  private final FuseSession session;

  private Mount(MountFileSystem fileSystem, FuseSession session) {
    this.fileSystem = fileSystem;
    this.session = session;
  }

  /**
   * Mounts; on return the mount is served.
   *
   * @param channel not yet used: its notices come here
   * @throws FuseMountException with the way out
   */
  public static Mount start(MountConfig config, NodeChannel channel) throws FuseMountException {
    ContentCache l2 = config.l2Bytes() == 0 ? ContentCache.NONE : new OffHeapL2(config.l2Bytes());
    var fileSystem = new MountFileSystem(config, channel, l2);
    channel.onNotice(fileSystem.listener());
    FuseConfig.Builder fuse =
        FuseConfig.at(config.mountPoint())
            .fsName(config.source())
            .readOnly(config.readOnly())
            .allowOther(config.allowOther())
            .posixAcl(true)
            .readAheadBytes(config.kernelReadAheadBytes());
    if (config.workers() > 0) {
      fuse.workers(config.workers());
    }
    return new Mount(fileSystem, FuseSession.mount(fuse.build(), fileSystem));
  }

  /** For counters and features of the kernel's side. */
  public FuseSession session() {
    return session;
  }

  /** Waits until somebody unmounts; then everything has been sent and freed. */
  public FuseSession.End awaitUnmount() {
    return session.ended().join();
  }

  /** Sends all that is dirty and waits until it survives power loss; a line for each failure. */
  public List<String> flush() throws InterruptedException {
    return fileSystem.flush();
  }

  /** Files whose last changes could not be sent before the end; complete once it has ended. */
  public List<String> unflushed() {
    return fileSystem.unflushed();
  }

  /** Sends what is dirty, then unmounts; programs that still use the mount get ENOTCONN. */
  @Override
  public void close() throws FuseMountException {
    if (session.ended().isDone()) {
      return;
    }
    try {
      fileSystem.flush();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    session.unmount(Unmount.FORCE);
  }
}
