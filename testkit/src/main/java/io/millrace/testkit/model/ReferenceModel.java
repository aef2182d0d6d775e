package io.millrace.testkit.model;

import io.millrace.testkit.model.Operation.Kind;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.concurrent.atomic.AtomicLong;

/**
 * The test itself: episodes of random operations, each on fresh directories, until enough were
 * done. The first difference is shrunk and thrown with its seed. Runs on the caller's thread;
 * {@link #doing} tells others what it is at, so that they notice when it hangs.
 */
public final class ReferenceModel {
  private static final int SHOWN = 12;
  private static final int LISTED_MAX = 60;
  private static final int COMPARED_EACH_MAX = 60;
  private static final Duration SHRINK_LIMIT =
      Duration.ofSeconds(Integer.getInteger("millrace.model.shrinkSeconds", 60));

  /**
   * How long to run and what to do.
   *
   * @param eventEvery about every so many operations a mount or the node is restarted; 0: never
   */
  public record Plan(
      long seed, long operations, int perEpisode, int compareEvery, int eventEvery) {}

  private final Machine machine;
  private final Plan plan;
  private final RandomBytes random = new RandomBytes();
  private final AtomicLong done = new AtomicLong();
  private volatile Operation current;
  private int episodes;

  public ReferenceModel(Machine machine, Plan plan) {
    this.machine = machine;
    this.plan = plan;
  }

  /** Operations done so far; grows while the run lives. */
  public long done() {
    return done.get();
  }

  public String doing() {
    return "seed " + plan.seed + ", operation " + done + ": " + current;
  }

  /** Pipes and copies between mounts are not what one machine's mounts share. */
  private Set<Kind> without() {
    return machine.mounts().size() > 1 ? Set.of(Kind.COPY_RANGE, Kind.MKNOD) : Set.of();
  }

  public void run() {
    var seeds = new SplittableRandom(plan.seed);
    while (done() < plan.operations) {
      episode(seeds.nextLong());
    }
  }

  private void episode(long seed) {
    var history = new ArrayList<Operation>();
    var generator = new OperationGenerator(seed, machine.mounts().size(), without());
    var events = new SplittableRandom(seed);
    String failure;
    try (var episode = new Episode(machine, "e" + episodes++, random)) {
      for (int i = 0; i < plan.perEpisode; i++) {
        boolean event = plan.eventEvery > 0 && events.nextInt(plan.eventEvery) == 0;
        Operation op = event ? anyEvent(events) : generator.next();
        history.add(op);
        generator.learn(op, step(episode, op));
        if (i % plan.compareEvery == plan.compareEvery - 1) {
          generator.knows(episode.compareTrees().keySet());
        }
      }
      episode.end();
      return;
    } catch (Difference e) {
      failure = e.getMessage();
    }
    throw new Difference(report(seed, history, failure));
  }

  private static Operation anyEvent(SplittableRandom random) {
    return Operation.event(random.nextInt(3) == 0 ? Kind.RESTART_NODE : Kind.REMOUNT);
  }

  private long step(Episode episode, Operation op) {
    current = op;
    long result = episode.step(op);
    done.incrementAndGet();
    return result;
  }

  // ---- after a failure ----

  private String report(long seed, List<Operation> history, String failure) {
    var out = new StringBuilder("replay with -Dmillrace.model.seed=" + plan.seed);
    out.append(" (episode ").append(seed).append(", operation ").append(done).append(")\n");
    out.append(failure).append("\nlast operations:\n");
    history.stream().skip(Math.max(0, history.size() - SHOWN)).forEach(o -> line(out, o));
    var last = new String[1];
    var shrinker = new Shrinker(history, SHRINK_LIMIT, ops -> replay(ops, last));
    List<Operation> shortest = shrinker.shrink();
    if (last[0] == null) {
      return out.append("it did not happen again when replayed").toString();
    }
    out.append("shrunk to ").append(shortest.size()).append(" operations:\n");
    shortest.stream().limit(LISTED_MAX).forEach(o -> line(out, o));
    replay(shortest, last);
    return out.append("which end in: ").append(last[0]).toString();
  }

  private static void line(StringBuilder out, Operation op) {
    out.append("  ").append(op).append('\n');
  }

  /** How many operations were begun when it failed, or -1. */
  private int replay(List<Operation> ops, String[] failure) {
    int begun = 0;
    try (var episode = new Episode(machine, "e" + episodes++, random)) {
      for (Operation op : ops) {
        begun++;
        step(episode, op);
        if (ops.size() <= COMPARED_EACH_MAX) {
          episode.compareTrees();
        }
      }
      episode.end();
      return -1;
    } catch (Difference e) {
      failure[0] = e.getMessage();
      return begun;
    }
  }
}
