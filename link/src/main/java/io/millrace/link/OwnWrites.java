package io.millrace.link;

import java.util.List;
import java.util.OptionalLong;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.StampedLock;
import java.util.function.Supplier;

/**
 * Which keys exports wrote or deleted while imports read listings. A page that was asked for before
 * shows what they replaced: taken at its word, it would put the old version in place of the new
 * one, or bring a deleted file back, and no object would have that content (S2, S8). Any thread.
 *
 * <p>Exports tell the namespace side by side, an import's batch is applied alone: so each key is
 * noted before a batch is looked through, or its change is told after the batch was applied.
 */
final class OwnWrites {
  private record Key(int link, String key) {}

  private final StampedLock gate = new StampedLock();
  private final ConcurrentHashMap<Key, Long> written = new ConcurrentHashMap<>();
  private final AtomicInteger imports = new AtomicInteger();

  /** An import begins: before it asks for its first page. */
  void importBegins() {
    imports.incrementAndGet();
  }

  void importEnds() {
    if (imports.decrementAndGet() == 0) {
      written.clear();
    }
  }

  /** Runs the command by which the namespace learns what became of these keys. */
  <T> T told(int link, List<String> keys, Supplier<T> command) {
    long stamp = gate.readLock();
    try {
      if (imports.get() > 0) {
        long now = System.nanoTime();
        keys.forEach(key -> written.put(new Key(link, key), now));
      }
      return command.get();
    } finally {
      gate.unlockRead(stamp);
    }
  }

  /** Runs what looks through a batch and submits it; exports wait until it was applied. */
  <T> CompletableFuture<T> alone(Supplier<CompletableFuture<T>> batch) {
    long stamp = gate.writeLock();
    CompletableFuture<T> result;
    try {
      result = batch.get();
    } catch (RuntimeException | Error e) {
      gate.unlockWrite(stamp);
      throw e;
    }
    return result.whenComplete((applied, failure) -> gate.unlockWrite(stamp));
  }

  /** When the key was last written, by {@link System#nanoTime}; empty: not while imports run. */
  OptionalLong writtenAt(int link, String key) {
    Long at = written.get(new Key(link, key));
    return at == null ? OptionalLong.empty() : OptionalLong.of(at);
  }

  boolean isEmpty() {
    return written.isEmpty();
  }

  /** No page asked for before this is still to be applied, where one import runs. */
  void forgetBefore(long nanos) {
    if (imports.get() == 1) {
      written.values().removeIf(at -> at - nanos < 0);
    }
  }
}
