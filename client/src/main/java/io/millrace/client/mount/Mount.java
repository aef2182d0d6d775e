package io.millrace.client.mount;

import io.millrace.client.ContentCache;
import io.millrace.client.MountLedger;
import io.millrace.client.OffHeapL2;
import io.millrace.core.wire.NodeChannel;
import io.millrace.fuse.DescriptorVault;
import io.millrace.fuse.FuseConfig;
import io.millrace.fuse.FuseMountException;
import io.millrace.fuse.FuseSession;
import io.millrace.fuse.FuseSession.Unmount;
import java.time.Duration;
import java.util.List;

/**
 * A mounted file system of one node. Owns the FUSE session and the client's memory; the channel
 * stays its giver's, who closes it after this.
 */
public final class Mount implements AutoCloseable {
  private static final Duration HAND_OVER_WAIT = Duration.ofSeconds(10);

  private final MountFileSystem fileSystem;
  private final FuseSession session;
  private final MountLedger ledger;

  private Mount(MountFileSystem fileSystem, FuseSession session, MountLedger ledger) {
    this.fileSystem = fileSystem;
    this.session = session;
    this.ledger = ledger;
    var _ = session.ended().whenComplete((how, failure) -> ended(how));
  }

  private void ended(FuseSession.End how) {
    if (how != FuseSession.End.HANDED_OVER) {
      ledger.enter(MountLedger.Phase.ENDED);
    }
  }

  /**
   * Mounts; on return the mount is served.
   *
   * @param channel not yet used: its notices come here
   * @throws FuseMountException with the way out
   */
  public static Mount start(MountConfig config, NodeChannel channel) throws FuseMountException {
    return start(config, channel, null, MountLedger.none());
  }

  /**
   * Mounts, or goes on with the mount that another process has served (H17).
   *
   * @param channel not yet used; of the session that the ledger names, if it names one
   * @param vault keeps the mount's descriptors; null: the mount ends with this process
   * @param ledger keeps what else the next process needs
   * @throws FuseMountException with the way out
   */
  public static Mount start(
      MountConfig config, NodeChannel channel, DescriptorVault vault, MountLedger ledger)
      throws FuseMountException {
    ContentCache l2 = config.l2Bytes() == 0 ? ContentCache.NONE : new OffHeapL2(config.l2Bytes());
    var fileSystem = new MountFileSystem(config, channel, l2, ledger);
    FuseConfig.Builder fuse =
        FuseConfig.at(config.mountPoint())
            .fsName(config.source())
            .readOnly(config.readOnly())
            .allowOther(config.allowOther())
            .posixAcl(true)
            .locks(config.clusterLocks())
            .readAheadBytes(config.kernelReadAheadBytes());
    if (config.workers() > 0) {
      fuse.workers(config.workers());
    }
    FuseSession session =
        vault == null
            ? FuseSession.mount(fuse.build(), fileSystem)
            : FuseSession.mount(fuse.build(), fileSystem, vault);
    if (vault != null && session.features().canResend()) {
      ledger.enter(MountLedger.Phase.SERVING);
    }
    return new Mount(fileSystem, session, ledger);
  }

  /**
   * Stops serving, so that another process can go on: everything is answered and stored first. The
   * caller ends this process at once, without closing anything.
   *
   * @return lines about what could not be stored
   */
  public List<String> handOver() throws InterruptedException {
    session.handOver(HAND_OVER_WAIT);
    List<String> unstored = fileSystem.flush();
    ledger.enter(MountLedger.Phase.HANDED_OVER);
    return unstored;
  }

  /** Whether the supervisor has asked for {@link #handOver}; true once. */
  public boolean takeHandOverWish() {
    return fileSystem.takeHandOverWish();
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
