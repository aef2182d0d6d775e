package io.millrace.fuse;

import io.millrace.fuse.FuseMountException.Kind;
import java.lang.System.Logger.Level;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * One mount being served: owns its descriptors, worker threads and notifier. Begins with {@link
 * #mount}; ends when the kernel has let go of the mount, whoever unmounted it, and then, in this
 * order: workers are joined, notices refused, the file system destroyed, descriptors closed, {@link
 * #ended} completed.
 */
public final class FuseSession implements AutoCloseable {
  /** How a session ended. */
  public enum End {
    UNMOUNTED_HERE,
    UNMOUNTED_ELSEWHERE,
    /** The mount goes on; another session serves it. */
    HANDED_OVER,
    FAILED
  }

  /** What to do about a mount in use. */
  public enum Unmount {
    /** Fails with {@link Kind#BUSY}. */
    CLEAN,
    /** The name goes now; the session ends when the last user has closed. */
    LAZY,
    /** Users get ENOTCONN; the session ends now. */
    FORCE
  }

  private static final Duration BODIES_WAIT = Duration.ofSeconds(10);
  private static final Duration CLOSE_WAIT = Duration.ofSeconds(60);
  private static final int DIRECTORY_BUFFERS = 16;

  private final FuseConfig config;
  private final KernelConnection connection;
  private final boolean takenOver;
  private final ReplyContext context;
  private final FuseNotifier notifier;
  private final List<DeviceDescriptor> descriptors = new ArrayList<>();
  private final List<FuseWorker> workers = new ArrayList<>();
  private final List<Thread> threads = new ArrayList<>();
  private final CompletableFuture<End> ended = new CompletableFuture<>();
  private volatile boolean unmounting;

  private FuseSession(
      FuseConfig config,
      FuseFileSystem fileSystem,
      KernelConnection connection,
      boolean takenOver) {
    this.config = config;
    this.connection = connection;
    this.takenOver = takenOver;
    FuseFeatures features = connection.features();
    var waitingWorkers = new AtomicInteger();
    var payloadLimit = new BackPressure(config.payloadBuffers(), config.workers(), waitingWorkers);
    this.context =
        new ReplyContext(
            fileSystem,
            features.has(InitFlags.SETXATTR_EXT),
            new DirectoryBuffers(DIRECTORY_BUFFERS, features.maxWriteBytes()),
            new PayloadBuffers(payloadLimit, features.maxWriteBytes()),
            new BackPressure(config.blockingMax(), config.workers(), waitingWorkers));
    connection.descriptors().forEach(fd -> descriptors.add(new DeviceDescriptor(fd)));
    for (int i = 0; i < config.workers(); i++) {
      DeviceDescriptor descriptor = descriptors.get(i % descriptors.size());
      workers.add(new FuseWorker(context, descriptor, features.maxWriteBytes()));
    }
    this.notifier =
        new FuseNotifier(
            descriptors.getFirst(), features, config.notifierThreads(), config.noticesMax());
  }

  /**
   * Mounts and begins to serve. The kernel's INIT is answered on this thread; requests that come
   * before the file system's {@code init} has returned wait in the kernel.
   *
   * @throws FuseMountException with the way out, and nothing left behind
   */
  public static FuseSession mount(FuseConfig config, FuseFileSystem fileSystem)
      throws FuseMountException {
    return serve(config, fileSystem, KernelMount.mount(config));
  }

  /**
   * Goes on with the mount that the vault keeps, or mounts and puts it there. Requests that another
   * process had read and not answered come again, marked so ({@link FuseReply#isResent}), after the
   * file system's {@code init}, which learns of it by {@link #isTakenOver}. A kernel that can't
   * send requests again ({@link FuseFeatures#canResend}) leaves the vault empty.
   *
   * @throws FuseMountException as {@link #mount}
   */
  public static FuseSession mount(
      FuseConfig config, FuseFileSystem fileSystem, DescriptorVault vault)
      throws FuseMountException {
    KernelConnection kept = vault.look();
    if (kept != null) {
      return begin(config, fileSystem, kept, true);
    }
    KernelConnection made = KernelMount.mount(config);
    if (made.features().canResend()) {
      vault.put(made);
    }
    return serve(config, fileSystem, made);
  }

  /** Serves descriptors that this session owns from now on. */
  static FuseSession serve(
      FuseConfig config, FuseFileSystem fileSystem, KernelConnection connection)
      throws FuseMountException {
    return begin(config, fileSystem, connection, false);
  }

  private static FuseSession begin(
      FuseConfig config, FuseFileSystem fileSystem, KernelConnection connection, boolean takenOver)
      throws FuseMountException {
    var session = new FuseSession(config, fileSystem, connection, takenOver);
    session.start(fileSystem);
    return session;
  }

  private void start(FuseFileSystem fileSystem) throws FuseMountException {
    notifier.start();
    boolean ready = false;
    try {
      fileSystem.init(this);
      if (takenOver) {
        askAgain();
      }
      ready = true;
    } finally {
      if (ready || !takenOver) {
        startThreads();
      }
      if (!ready && !takenOver) {
        unmount(Unmount.FORCE);
      }
    }
  }

  /** Before anything is read here: what this session has read must not come twice. */
  private void askAgain() throws FuseMountException {
    var writer = new ReplyWriter();
    try {
      int result = writer.sendNotice(descriptors.getFirst().fd(), Wire.Notice.RESEND, 0);
      if (result < 0 && result != -FuseErrno.ENODEV) {
        throw new FuseMountException(
            Kind.PROTOCOL, "the kernel does not send requests again: errno " + -result);
      }
    } finally {
      writer.free();
    }
  }

  private void startThreads() {
    for (int i = 0; i < workers.size(); i++) {
      FuseWorker worker = workers.get(i);
      threads.add(
          Thread.ofPlatform().daemon().name("fuse-worker-" + i).start(() -> runWorker(worker)));
    }
    Thread.ofPlatform().daemon().name("fuse-end").start(this::awaitWorkers);
  }

  private void runWorker(FuseWorker worker) {
    worker.run();
    if (worker.sawUnmount()) {
      context.pending.interruptAll();
    }
  }

  private void awaitWorkers() {
    threads.forEach(FuseSession::join);
    if (context.handingOver) {
      notifier.close();
      descriptors.forEach(DeviceDescriptor::close);
      ended.complete(End.HANDED_OVER);
      return;
    }
    context.pending.interruptAll();
    notifier.close();
    if (!context.blocking.awaitIdle(BODIES_WAIT)) {
      ReplyContext.LOG.log(Level.WARNING, "blocking bodies go on after the end of the mount");
    }
    try {
      context.fileSystem.destroy();
    } catch (RuntimeException e) {
      ReplyContext.LOG.log(Level.ERROR, "destroy failed", e);
    }
    descriptors.forEach(DeviceDescriptor::close);
    workers.forEach(FuseWorker::free);
    context.close();
    ended.complete(end());
  }

  private End end() {
    for (FuseWorker worker : workers) {
      if (!worker.sawUnmount()) {
        ReplyContext.LOG.log(
            Level.ERROR, "a worker could not read requests: errno {0}", worker.endErrno());
        return End.FAILED;
      }
    }
    return unmounting ? End.UNMOUNTED_HERE : End.UNMOUNTED_ELSEWHERE;
  }

  /**
   * Stops serving so that another process can go on: answers what was begun and reads no more. What
   * is read nevertheless stays unanswered, for the next one to be sent again. The process should
   * end soon: programs wait.
   *
   * @return whether everything begun was answered in time
   */
  public boolean handOver(Duration wait) throws InterruptedException {
    context.handingOver = true;
    long end = System.nanoTime() + wait.toNanos();
    while (System.nanoTime() < end) {
      if (workers.stream().noneMatch(FuseWorker::isServing) && context.pending.size() == 0) {
        return true;
      }
      Thread.sleep(1);
    }
    return false;
  }

  /** Whether another process has served this mount before. */
  public boolean isTakenOver() {
    return takenOver;
  }

  public FuseConfig config() {
    return config;
  }

  /** What was agreed with the kernel. */
  public FuseFeatures features() {
    return connection.features();
  }

  /**
   * The descriptors and what was agreed, for one who hands them on (H17); still owned by this
   * session.
   */
  public KernelConnection connection() {
    return connection;
  }

  public FuseNotifier notifier() {
    return notifier;
  }

  /** The nodes the kernel holds. */
  public LookupCounts lookups() {
    return context.lookups;
  }

  /** How many requests of an opcode have come ({@link FuseOpcode}); INIT isn't counted. */
  public long requests(int opcode) {
    long sum = 0;
    for (FuseWorker worker : workers) {
      sum += worker.requests(opcode);
    }
    return sum;
  }

  /** Detached replies not yet given. */
  public int pendingReplies() {
    return context.pending.size();
  }

  /** Completed when the mount has ended and everything is closed. */
  public CompletableFuture<End> ended() {
    return ended;
  }

  /**
   * Unmounts; after CLEAN and FORCE the session has ended when this returns. Not from a worker: it
   * waits for them.
   *
   * @throws FuseMountException BUSY from CLEAN, NO_PERMISSION, OTHER
   */
  public void unmount(Unmount how) throws FuseMountException {
    if (ended.isDone()) {
      return;
    }
    refuseOnWorker();
    unmounting = true;
    int result = kernelUnmount(0);
    if (result == -FuseErrno.EBUSY) {
      result = unmountBusy(how);
    }
    if (result < 0 && result != -FuseErrno.EINVAL) {
      unmounting = false;
      throw unmountProblem(-result);
    }
    if (how != Unmount.LAZY) {
      awaitEnd();
    }
  }

  private int unmountBusy(Unmount how) throws FuseMountException {
    return switch (how) {
      case CLEAN -> -FuseErrno.EBUSY;
      case LAZY -> kernelUnmount(Native.MNT_DETACH);
      case FORCE -> {
        MountPoint.Entry entry = MountPoint.find(target());
        if (entry == null || !KernelMount.abort(entry.device())) {
          kernelUnmount(Native.MNT_FORCE);
        }
        yield kernelUnmount(Native.MNT_DETACH);
      }
    };
  }

  private int kernelUnmount(int flags) {
    return KernelMount.unmount(target(), connection.byFusermount(), flags);
  }

  private Path target() {
    return connection.mountPoint();
  }

  private FuseMountException unmountProblem(int errno) {
    if (errno == FuseErrno.EBUSY) {
      return new FuseMountException(
          Kind.BUSY,
          target()
              + " is in use; end the programs that use it (fuser -vm "
              + target()
              + "), or detach it: umount -l "
              + target());
    }
    if (errno == FuseErrno.EPERM) {
      return new FuseMountException(
          Kind.NO_PERMISSION,
          "unmounting " + target() + " is not permitted; run as the one who mounted it");
    }
    return new FuseMountException(Kind.OTHER, "unmounting " + target() + " failed: errno " + errno);
  }

  private void refuseOnWorker() {
    if (threads.contains(Thread.currentThread())) {
      throw new IllegalStateException("a worker can't wait for itself");
    }
  }

  private void awaitEnd() throws FuseMountException {
    try {
      ended.get(CLOSE_WAIT.toSeconds(), TimeUnit.SECONDS);
    } catch (TimeoutException e) {
      throw new FuseMountException(
          Kind.OTHER, target() + " is unmounted, but requests are still being served");
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } catch (java.util.concurrent.ExecutionException e) {
      throw new IllegalStateException(e);
    }
  }

  /** Unmounts, by force if need be, and waits for the end. */
  @Override
  public void close() throws FuseMountException {
    unmount(Unmount.FORCE);
  }

  /** Joins whatever interrupts come; they are kept. */
  static void join(Thread thread) {
    boolean interrupted = false;
    while (true) {
      try {
        thread.join();
        break;
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }
}
