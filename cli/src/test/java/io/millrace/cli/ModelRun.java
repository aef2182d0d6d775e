package io.millrace.cli;

import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.millrace.testkit.model.ConcurrentLoad;
import io.millrace.testkit.model.ReferenceModel;
import io.millrace.testkit.model.ReferenceModel.Plan;
import io.millrace.testkit.posix.Syscalls;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.LongSupplier;
import java.util.function.Supplier;

/** Starts the product for a run of the reference model, and notices when nothing moves any more. */
final class ModelRun {
  private static final Duration SILENCE = Duration.ofSeconds(60);

  private ModelRun() {}

  static void assumeThatItCanRun() throws Exception {
    assumeTrue(Syscalls.areKnown(), "needs the system calls of x86-64 Linux");
    assumeTrue(Files.getOwner(Path.of("/proc/self")).getName().equals("root"), "needs root");
  }

  static long seed() {
    return Long.getLong("millrace.model.seed", System.nanoTime() & 0xffffffffL);
  }

  static long operations(long otherwise) {
    return Long.getLong("millrace.model.operations", otherwise);
  }

  static Duration seconds(long otherwise) {
    return Duration.ofSeconds(Long.getLong("millrace.model.seconds", otherwise));
  }

  /** One operation after the other, compared with the disk's own file system. */
  static void sequential(int mounts, Plan plan) throws Exception {
    System.out.println("model: " + plan);
    try (var machine = new ModelMachine(mounts)) {
      var model = new ReferenceModel(machine, plan);
      watched(machine, model::run, model::done, model::doing);
      assertTrue(model.done() >= plan.operations(), model::doing);
      System.out.println("model: " + model.done() + " operations");
    }
  }

  /** Several threads on each of two mounts. */
  static void concurrent(long seed, int threads, Duration length) throws Exception {
    System.out.println("model: two mounts, " + threads + " threads each, seed " + seed);
    try (var machine = new ModelMachine(2)) {
      var load = new ConcurrentLoad(machine, seed, threads, length);
      watched(machine, load::run, load::progress, () -> "operation " + load.done());
      System.out.println("model: " + load.done() + " operations");
    }
  }

  /** Ends the mounts where nothing moves any more, so that the run's thread comes back. */
  private static void watched(
      ModelMachine machine, Runnable run, LongSupplier done, Supplier<String> doing)
      throws Exception {
    var failure = new AtomicReference<Throwable>();
    Runnable guarded =
        () -> {
          try {
            run.run();
          } catch (Throwable e) {
            failure.set(e);
          }
        };
    Thread thread = Thread.ofPlatform().name("model").daemon().start(guarded);
    long seen = -1;
    while (thread.isAlive()) {
      if (done.getAsLong() == seen) {
        String where = doing.get();
        String threads = machine.threads();
        machine.abandon();
        thread.join(SILENCE);
        throw new AssertionError("hangs at " + where + "\n" + threads);
      }
      seen = done.getAsLong();
      thread.join(SILENCE);
    }
    if (failure.get() != null) {
      throw new AssertionError(failure.get().getMessage(), failure.get());
    }
  }
}
