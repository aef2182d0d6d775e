package io.millrace.bench;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;

/**
 * Runs numbered tasks on some threads: each thread makes its own worker, then takes the next number
 * until none is left. The clock starts when all workers are ready. The first failure ends the run.
 */
final class Workers {
  private Workers() {}

  /** One thread's state; {@link #run} does one task, {@link #close} runs on the same thread. */
  interface Worker extends AutoCloseable {
    void run(int task) throws Exception;

    @Override
    default void close() {}
  }

  /** Makes one worker; called on the thread that will use it. */
  interface Supplier {
    Worker get(int thread);
  }

  /** What a run cost: wall time, and CPU of this process and of others it was told to watch. */
  record Cost(double wallSeconds, double cpuSeconds, double otherCpuSeconds) {
    /** Puts the rates that every program reports. */
    Report into(Report report, long count, long bytes, long[] nanos) {
      var spread = Spread.of(nanos);
      return report
          .put("files", count)
          .put("seconds", wallSeconds)
          .put("files_per_s", count / wallSeconds)
          .put("mb_per_s", bytes / 1e6 / wallSeconds)
          .put("p50_us", spread.p50Micros())
          .put("p99_us", spread.p99Micros())
          .put("cpu_s_per_1000", cpuSeconds * 1000 / count)
          .put("other_cpu_s_per_1000", otherCpuSeconds * 1000 / count);
    }
  }

  /** Runs tasks 0 to {@code tasks - 1}; fills {@code nanos[task]} with each one's time. */
  static Cost run(
      Thread.Builder builder, int threads, int tasks, long[] nanos, String alsoPids, Supplier make)
      throws InterruptedException {
    var next = new AtomicInteger();
    var failure = new AtomicReference<Throwable>();
    var start = new java.util.concurrent.CountDownLatch(1);
    var ready = new java.util.concurrent.CountDownLatch(threads);
    List<Thread> running = new ArrayList<>();
    for (int t = 0; t < threads; t++) {
      int thread = t;
      running.add(
          builder.start(
              () -> {
                try (Worker worker = make.get(thread)) {
                  ready.countDown();
                  start.await();
                  drain(worker, next, tasks, nanos, failure);
                } catch (Throwable e) {
                  ready.countDown();
                  failure.compareAndSet(null, e);
                }
              }));
    }
    ready.await();
    double cpu = CpuTime.ofSelf();
    double other = CpuTime.ofPids(alsoPids);
    long begin = System.nanoTime();
    start.countDown();
    for (Thread t : running) {
      t.join();
    }
    double wall = (System.nanoTime() - begin) / 1e9;
    if (failure.get() != null) {
      throw new IllegalStateException("run failed: " + failure.get().getMessage(), failure.get());
    }
    return new Cost(wall, CpuTime.ofSelf() - cpu, CpuTime.ofPids(alsoPids) - other);
  }

  private static void drain(
      Worker worker,
      AtomicInteger next,
      int tasks,
      long[] nanos,
      AtomicReference<Throwable> failure)
      throws Exception {
    for (int i = next.getAndIncrement(); i < tasks; i = next.getAndIncrement()) {
      if (failure.get() != null) {
        return;
      }
      long begin = System.nanoTime();
      worker.run(i);
      nanos[i] = System.nanoTime() - begin;
    }
  }
}
