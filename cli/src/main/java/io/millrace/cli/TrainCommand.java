package io.millrace.cli;

import io.millrace.cli.train.Training;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code millrace train}: for scripts/train.sh only. */
@Command(
    name = "train",
    hidden = true,
    description = "Run a server under a short load and keep what its JVM learned.")
final class TrainCommand implements Callable<Integer> {
  @Parameters(index = "0", paramLabel = "LAUNCHER")
  private Path launcher;

  @Parameters(index = "1", paramLabel = "CACHE")
  private Path cache;

  @Option(names = "--files", paramLabel = "N", description = "Small files to make.")
  private int files = 4000;

  @Override
  public Integer call() throws Exception {
    System.out.println("trained on " + new Training(launcher, cache, files).run());
    return 0;
  }
}
