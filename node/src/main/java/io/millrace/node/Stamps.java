package io.millrace.node;

import io.millrace.proto.Command;
import java.time.InstantSource;
import java.util.concurrent.TimeUnit;
import java.util.random.RandomGenerator;

/** Time and chance, given to a command before the journal: what applies it has neither. */
final class Stamps {
  private static final int FORMAT = 1;

  private final InstantSource time;
  private final RandomGenerator random;

  Stamps(InstantSource time, RandomGenerator random) {
    this.time = time;
    this.random = random;
  }

  Command of(Command.Builder command) {
    var now = time.instant();
    if (command.hasOpenSession()) {
      command.setRandom(random()); // the only one that uses it; strong chance costs microseconds
    }
    return command
        .setFormat(FORMAT)
        .setNowNs(TimeUnit.SECONDS.toNanos(now.getEpochSecond()) + now.getNano())
        .build();
  }

  /** A command of the node itself. */
  Command own(Command.Builder command) {
    return of(command.setSession(0).setSequence(0));
  }

  long random() {
    synchronized (random) {
      return random.nextLong();
    }
  }
}
