package io.millrace.testkit.model;

import io.millrace.testkit.model.Operation.Kind;
import io.millrace.testkit.posix.Syscalls;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.LongAdder;

/**
 * Random operations by several threads on each mount of one directory at the same time. What each
 * gives depends on the others and is not compared; but none may fail as only a broken file system
 * does, all must end, and in the end all mounts show the same tree.
 */
public final class ConcurrentLoad {
  private static final int EIO = 5;
  private static final int ENOTCONN = 107;

  /** A mapping of a file that another thread cuts kills the process, on any file system. */
  private static final Set<Kind> WITHOUT =
      Set.of(
          Kind.MAPPED_LOAD,
          Kind.MAPPED_STORE,
          Kind.MAP_HOLD,
          Kind.MAP_TOUCH,
          Kind.MKNOD,
          Kind.COPY_RANGE,
          Kind.READDIR_PART);

  private final Machine machine;
  private final long seed;
  private final int threadsPerMount;
  private final long lengthNanos;
  private final RandomBytes random = new RandomBytes();
  private final TimeClass times = TimeClass.fromNow();
  private final LongAdder done = new LongAdder();
  private final LongAdder compared = new LongAdder();
  private final Queue<String> failures = new ConcurrentLinkedQueue<>();

  public ConcurrentLoad(Machine machine, long seed, int threadsPerMount, Duration length) {
    this.machine = machine;
    this.seed = seed;
    this.threadsPerMount = threadsPerMount;
    this.lengthNanos = length.toNanos();
  }

  public long done() {
    return done.sum();
  }

  /** Grows while anything goes on, the comparison at the end as well. */
  public long progress() {
    return done.sum() + compared.sum();
  }

  public void run() {
    var calls = new Syscalls();
    List<String> roots = machine.mounts().stream().map(m -> m.resolve("load").toString()).toList();
    calls.mkdir(roots.getFirst(), 0777);
    calls.chmod(roots.getFirst(), 0777);
    var seeds = new SplittableRandom(seed);
    long end = System.nanoTime() + lengthNanos;
    var threads = new ArrayList<Thread>();
    for (String root : roots) {
      for (int i = 0; i < threadsPerMount; i++) {
        long own = seeds.nextLong();
        threads.add(Thread.ofPlatform().daemon().start(() -> work(root, own, end)));
      }
    }
    threads.forEach(ConcurrentLoad::join);
    if (!failures.isEmpty()) {
      throw new Difference("seed " + seed + ": " + failures.peek());
    }
    compare(roots, calls);
    FileTree.clear(roots.getFirst(), calls);
  }

  private void work(String root, long own, long end) {
    var generator = new OperationGenerator(own, 1, WITHOUT);
    try (var side = new Side(List.of(root), false, random, times)) {
      while (System.nanoTime() < end && failures.isEmpty()) {
        Operation op = generator.next();
        Outcome outcome = side.perform(op);
        if (outcome.result() == -EIO || outcome.result() == -ENOTCONN) {
          failures.add(op + " at " + root + ": " + outcome);
        }
        generator.learn(op, outcome.result());
        done.increment();
      }
    } catch (RuntimeException | Error e) {
      failures.add(root + ": " + e);
    }
  }

  private static void join(Thread thread) {
    try {
      thread.join();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void compare(List<String> roots, Syscalls calls) {
    Map<String, String> wanted =
        FileTree.below(roots.getFirst(), calls, times, compared::increment);
    for (String root : roots) {
      String difference =
          FileTree.difference(wanted, FileTree.below(root, calls, times, compared::increment));
      if (!difference.isEmpty()) {
        throw new Difference("seed " + seed + ": the trees differ at " + root + difference);
      }
    }
  }
}
