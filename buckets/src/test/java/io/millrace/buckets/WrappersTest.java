package io.millrace.buckets;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.millrace.core.api.Bucket;
import io.millrace.core.api.Bucket.Abilities;
import io.millrace.core.api.Bucket.Condition;
import io.millrace.core.api.Errno;
import io.millrace.core.api.FsException;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.function.Executable;

@Timeout(30)
class WrappersTest {
  private final MemoryBucket store = new MemoryBucket("t", InstantSource.system());
  private final AtomicLong nanos = new AtomicLong();
  private final List<Long> pauses = new ArrayList<>();
  private final Sleeper sleeper =
      pause -> {
        pauses.add(pause);
        nanos.addAndGet(pause);
      };

  /** Fails as written down, before or after the request was done. */
  private static final class Failing extends WrappedBucket {
    private final List<Errno> before = new ArrayList<>();
    private final List<Errno> after = new ArrayList<>();
    final AtomicInteger requests = new AtomicInteger();

    Failing(Bucket inner) {
      super(inner);
    }

    @Override
    protected <T> T around(Operation operation, String key, Supplier<T> request) {
      requests.incrementAndGet();
      if (!before.isEmpty()) {
        throw new FsException(before.removeFirst(), "before");
      }
      T answer = request.get();
      if (!after.isEmpty()) {
        throw new FsException(after.removeFirst(), "after");
      }
      return answer;
    }
  }

  private final Failing failing = new Failing(store);

  private Bucket retrying(RetryPolicy policy) {
    return new RetryingBucket(failing, policy, new Random(1), nanos::get, sleeper);
  }

  @Test
  void S25_waitsLongerEachTimeAndGoesOn() {
    for (int i = 0; i < 12; i++) {
      failing.before.add(i % 2 == 0 ? Errno.EAGAIN : Errno.ECONNREFUSED);
    }
    var policy = new RetryPolicy(Duration.ofMillis(1), Duration.ofMillis(64), Optional.empty());
    assertTrue(retrying(policy).head("none").isEmpty());
    assertEquals(12, pauses.size());
    for (int i = 0; i < pauses.size(); i++) {
      long bound = Math.min(64_000_000L, 1_000_000L << i);
      assertTrue(pauses.get(i) <= bound, i + ": " + pauses.get(i));
    }
    assertTrue(pauses.stream().anyMatch(pause -> pause > 16_000_000L), pauses.toString());
  }

  @Test
  void H22_givesUpAtTheDeadlineWithTheReason() {
    for (int i = 0; i < 1000; i++) {
      failing.before.add(Errno.ECONNREFUSED);
    }
    var bucket = retrying(RetryPolicy.until(Duration.ofSeconds(60)));
    var e = assertThrows(FsException.class, () -> bucket.head("a"));
    assertEquals(Errno.ETIMEDOUT, e.errno());
    assertTrue(e.getMessage().contains("ECONNREFUSED"), e.getMessage());
    assertTrue(nanos.get() <= Duration.ofSeconds(60).toNanos(), "slept " + nanos);
    assertTrue(nanos.get() > Duration.ofSeconds(30).toNanos(), "slept " + nanos);
  }

  @Test
  void otherErrorsAreNotRetried() {
    for (Errno errno : List.of(Errno.EACCES, Errno.EIO, Errno.ENOENT, Errno.EINTR)) {
      failing.before.add(errno);
      var bucket = retrying(RetryPolicy.patient());
      assertEquals(errno, assertThrows(FsException.class, () -> bucket.head("a")).errno());
    }
    assertEquals(List.of(), pauses);
  }

  @Test
  void H20_aPutWhoseAnswerWasLostIsOurOwn() {
    failing.after.add(Errno.ETIMEDOUT);
    var info =
        retrying(RetryPolicy.patient())
            .put("a", bytes("x"), Map.of("k", "v"), "", Condition.ABSENT);
    assertEquals(info, store.head("a").orElseThrow().info());
  }

  @Test
  void H20_anotherWritersObjectIsNotOurOwn() {
    failing.before.add(Errno.ETIMEDOUT);
    store.put("a", bytes("y"), Map.of(), "", Condition.ALWAYS);
    var bucket = retrying(RetryPolicy.patient());
    var e =
        assertThrows(
            FsException.class, () -> bucket.put("a", bytes("x"), Map.of(), "", Condition.ABSENT));
    assertEquals(Errno.EEXIST, e.errno());
  }

  @Test
  void H20_aCompletedUploadWhoseAnswerWasLostIsOurOwn() {
    String upload = store.beginUpload("a", Map.of(), "");
    String part = store.uploadPart("a", upload, 1, bytes("x"));
    failing.after.add(Errno.ETIMEDOUT);
    var info =
        retrying(RetryPolicy.patient())
            .completeUpload("a", upload, List.of(part), Condition.ABSENT);
    assertEquals(1, info.size());
  }

  @Test
  void H22_anInterruptEndsTheBackOff() {
    failing.before.add(Errno.EAGAIN);
    var bucket =
        new RetryingBucket(
            failing,
            RetryPolicy.patient(),
            new Random(1),
            nanos::get,
            _ -> {
              throw new InterruptedException();
            });
    assertEquals(Errno.EINTR, assertThrows(FsException.class, () -> bucket.head("a")).errno());
    assertTrue(Thread.interrupted());
  }

  @Test
  void S25_neverMoreInFlightThanConfigured() throws Exception {
    var entered = new CountDownLatch(2);
    var leave = new CountDownLatch(1);
    var inFlight = new AtomicInteger();
    var most = new AtomicInteger();
    var slow =
        new WrappedBucket(store) {
          @Override
          protected <T> T around(Operation operation, String key, Supplier<T> request) {
            most.accumulateAndGet(inFlight.incrementAndGet(), Math::max);
            entered.countDown();
            awaitLatch(leave);
            inFlight.decrementAndGet();
            return request.get();
          }
        };
    var bucket = new ThrottledBucket(slow, 2, 0, nanos::get, sleeper);
    var threads = new ArrayList<Thread>();
    for (int i = 0; i < 5; i++) {
      threads.add(Thread.ofVirtual().start(() -> assertTrue(bucket.head("a").isEmpty())));
    }
    assertTrue(entered.await(10, TimeUnit.SECONDS));
    var refused = new CompletableFuture<Errno>();
    Thread waiting =
        Thread.ofVirtual()
            .start(
                () ->
                    refused.complete(
                        assertThrows(FsException.class, () -> bucket.head("b")).errno()));
    waiting.interrupt();
    assertEquals(Errno.EINTR, refused.get(10, TimeUnit.SECONDS));
    leave.countDown();
    for (Thread thread : threads) {
      thread.join();
    }
    assertEquals(2, most.get());
    assertEquals(2, bucket.freePermits());
  }

  private static void awaitLatch(CountDownLatch latch) {
    try {
      assertTrue(latch.await(10, TimeUnit.SECONDS));
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }

  @Test
  void bytesPerSecondHoldOnAverage() {
    var bucket = new ThrottledBucket(store, 4, 1000, nanos::get, sleeper);
    for (int i = 0; i < 11; i++) {
      var _ = bucket.put("a", MemorySegment.ofArray(new byte[500]), Map.of(), "", Condition.ALWAYS);
    }
    assertEquals(5_000_000_000L, nanos.get());
  }

  @Test
  void metersRequestsBytesAndErrors() {
    failing.before.add(Errno.EAGAIN);
    var bucket = new MeteredBucket(failing, () -> nanos.addAndGet(5));
    assertThrows(FsException.class, () -> bucket.head("a"));
    var _ = bucket.put("a", bytes("123"), Map.of(), "", Condition.ALWAYS);
    assertEquals(2, bucket.get("a", "", 1, MemorySegment.ofArray(new byte[10])));
    var reading = bucket.read();
    assertEquals(new MeteredBucket.Count(1, 1, 5), reading.operations().get(Operation.HEAD));
    assertEquals(new MeteredBucket.Count(1, 0, 5), reading.operations().get(Operation.GET));
    assertEquals(Map.of(Errno.EAGAIN, 1L), reading.errors());
    assertEquals(2, reading.bytesRead());
    assertEquals(3, reading.bytesWritten());
  }

  @Test
  void H19_conditionsAreCheckedFirstWhereTheStoreIgnoresThem() {
    var nothing = new Abilities(false, false, false);
    var calls = new Failing(store);
    var bucket = new CheckFirstBucket(calls, Optional.of(nothing));
    String etag = bucket.put("a", bytes("1"), Map.of(), "", Condition.ABSENT).etag();
    assertEquals(2, calls.requests.get());
    assertEexist(() -> bucket.put("a", bytes("2"), Map.of(), "", Condition.ABSENT));
    assertEexist(() -> bucket.put("a", bytes("2"), Map.of(), "", new Condition.Matches("other")));
    assertEexist(() -> bucket.delete("a", new Condition.Matches("other")));
    var _ = bucket.put("a", bytes("3"), Map.of(), "", new Condition.Matches(etag));
    assertEexist(() -> bucket.delete("a", new Condition.Matches(etag)));
    bucket.delete("none", new Condition.Matches(etag));
  }

  @Test
  void conditionsThatTheStoreHonoursCostNothing() {
    var calls = new Failing(store);
    var bucket = new CheckFirstBucket(calls, Optional.of(new Abilities(true, true, true)));
    var _ = bucket.put("a", bytes("1"), Map.of(), "", Condition.ABSENT);
    assertEquals(1, calls.requests.get());
  }

  private static void assertEexist(Executable write) {
    assertEquals(Errno.EEXIST, assertThrows(FsException.class, write).errno());
  }

  /** A store that takes, refuses or mistakes conditions as real ones do. */
  @Test
  void abilitiesAreWhatTheProbeSaw() {
    assertEquals(new Abilities(true, true, true), new AbilityProbe(store, "p").probe());
    var ignoring = new StrangeStore(store, StrangeStore.Habit.IGNORES);
    assertEquals(new Abilities(false, false, false), new AbilityProbe(ignoring, "p").probe());
    var ceph = new StrangeStore(store, StrangeStore.Habit.REFUSES_RIGHT_ETAG);
    assertEquals(new Abilities(true, false, false), new AbilityProbe(ceph, "p").probe());
    var bad = new StrangeStore(store, StrangeStore.Habit.ANSWERS_400);
    assertEquals(new Abilities(false, false, false), new AbilityProbe(bad, "p").probe());
    var readOnly = new StrangeStore(store, StrangeStore.Habit.ANSWERS_403);
    assertEquals(new Abilities(false, false, false), new AbilityProbe(readOnly, "p").probe());
    assertEquals(List.of(), store.list("", "", "", "", 10).objects());
  }

  @Test
  void aStoreThatOnlyServesReadsHasNoAbilities() {
    failing.before.add(Errno.EOPNOTSUPP);
    assertEquals(new Abilities(false, false, false), new AbilityProbe(failing, "p").probe());
  }

  @Test
  void aProbeThatGotNoAnswerKnowsNothing() {
    failing.before.add(Errno.EAGAIN);
    var probe = new AbilityProbe(failing, "p");
    assertEquals(Errno.EAGAIN, assertThrows(FsException.class, probe::probe).errno());
  }

  @Test
  void retriesHealEveryFaultThatCanBeHealed() {
    long seed = Long.getLong("seed", System.nanoTime());
    var faulty = new FaultyBucket(store, Faults.healing(0.2), new Random(seed), sleeper);
    var bucket =
        new RetryingBucket(faulty, RetryPolicy.patient(), new Random(seed), nanos::get, sleeper);
    for (int i = 0; i < 300; i++) {
      String key = "k" + i % 20;
      String body = "body " + i;
      var old = bucket.head(key).map(head -> head.info().etag());
      Condition condition = old.<Condition>map(Condition.Matches::new).orElse(Condition.ABSENT);
      String etag = bucket.put(key, bytes(body), Map.of("i", "" + i), "", condition).etag();
      byte[] read = new byte[100];
      int length = bucket.get(key, etag, 0, MemorySegment.ofArray(read));
      assertEquals(body, new String(read, 0, length, UTF_8), "replay with -Dseed=" + seed);
    }
    assertTrue(faulty.injected() > 100, "faults: " + faulty.injected());
    assertFalse(pauses.isEmpty());
  }

  private static MemorySegment bytes(String text) {
    return MemorySegment.ofArray(text.getBytes(UTF_8));
  }
}
