package io.millrace.cli;

import io.millrace.core.api.Errno;
import io.millrace.core.api.FsException;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.HelpCommand;

/** The one program: {@code millrace COMMAND}. Exit codes are a contract (design §9). */
@Command(
    name = "millrace",
    description = "A high-performance file store for AI training.",
    mixinStandardHelpOptions = true,
    version = "millrace 0.1.0",
    subcommands = {
      DemoCommand.class,
      UpCommand.class,
      NodeCommand.class,
      MountCommand.class,
      UmountCommand.class,
      LinkCommand.class,
      TaskStartCommands.Import.class,
      TaskStartCommands.Preload.class,
      TaskStartCommands.Export.class,
      TaskStartCommands.Evict.class,
      TaskCommand.class,
      StateCommand.class,
      WaitCommand.class,
      QuotaCommand.class,
      TrashCommand.class,
      StatusCommand.class,
      FsckCommand.class,
      TrainCommand.class,
      HelpCommand.class
    })
public final class Main {
  static final int SOME_FAILED = 1;
  static final int USAGE = 2;
  static final int NO_CONNECTION = 3;

  private Main() {}

  public static void main(String[] args) {
    Logging.configure();
    System.exit(commandLine().execute(args));
  }

  static CommandLine commandLine() {
    return new CommandLine(new Main())
        .setCaseInsensitiveEnumValuesAllowed(true)
        .setExecutionExceptionHandler(
            (failure, command, parsed) -> {
              command.getErr().println(command.getColorScheme().errorText(message(failure)));
              return exitCode(failure);
            });
  }

  private static String message(Exception failure) {
    return failure instanceof FsException || failure instanceof CliException
        ? "millrace: " + failure.getMessage()
        : "millrace: " + failure;
  }

  private static int exitCode(Exception failure) {
    return switch (failure) {
      case CliException cli -> cli.exitCode();
      case FsException fs when fs.errno() == Errno.ENOTCONN -> NO_CONNECTION;
      default -> SOME_FAILED;
    };
  }
}
