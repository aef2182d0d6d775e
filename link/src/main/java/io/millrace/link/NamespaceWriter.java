package io.millrace.link;

import io.millrace.core.api.Errno;
import io.millrace.core.api.FsException;
import io.millrace.core.api.Namespace;
import io.millrace.proto.Command;
import io.millrace.proto.CommandResult;
import java.time.InstantSource;
import java.util.concurrent.CompletableFuture;
import java.util.random.RandomGenerator;

/** Stamps the node's own commands with time and chance, and submits them. Any thread. */
final class NamespaceWriter {
  private final Namespace namespace;
  private final InstantSource clock;
  private final RandomGenerator random;

  NamespaceWriter(Namespace namespace, InstantSource clock, RandomGenerator random) {
    this.namespace = namespace;
    this.clock = clock;
    this.random = random;
  }

  long nowNanos() {
    var now = clock.instant();
    return now.getEpochSecond() * 1_000_000_000L + now.getNano();
  }

  /**
   * @throws FsException as the command failed
   */
  CommandResult apply(Command.Builder command, boolean sync) {
    return checked(namespace.apply(stamped(command), sync));
  }

  CommandResult apply(Command.Builder command) {
    return apply(command, false);
  }

  CompletableFuture<CommandResult> submit(Command.Builder command) {
    var result = new CompletableFuture<CommandResult>();
    namespace.submit(stamped(command), false, result::complete);
    return result;
  }

  static CommandResult checked(CommandResult result) {
    if (result.getErrno() != 0) {
      throw new FsException(Errno.of(result.getErrno()), result.getMessage());
    }
    return result;
  }

  private Command stamped(Command.Builder command) {
    return command.setFormat(1).setNowNs(nowNanos()).setRandom(random.nextLong()).build();
  }
}
