package io.millrace.cli;

import io.millrace.fuse.DescriptorVault;
import io.millrace.fuse.FuseMountException;
import io.millrace.fuse.SupervisedProcess;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import picocli.CommandLine.Model.CommandSpec;

/**
 * Turns this process into the supervisor of a mount: a shell that holds the vault and the ledger,
 * starts the process that serves, and starts another one when that dies. No JVM stays behind, so
 * nothing that ends a JVM ends it. Stateless.
 */
final class Supervisor {
  /** Names the descriptors the supervisor holds: the vault's two, then the ledger's memory. */
  static final String DESCRIPTORS = "MILLRACE_SUPERVISED";

  /** Names the supervisor's process. */
  static final String PROCESS = "MILLRACE_SUPERVISOR";

  private static final String SCRIPT = "MILLRACE_SUPERVISE";
  private static final String LAUNCHER = "millrace.launcher";

  private Supervisor() {}

  /** Returns only by the exception. */
  static CliException become(CommandSpec spec, Path mountPoint)
      throws FuseMountException, IOException {
    List<Integer> held = new ArrayList<>(DescriptorVault.create().descriptors());
    held.add(SupervisedProcess.sharedMemory("millrace-ledger"));
    var environment = new ArrayList<String>();
    System.getenv().forEach((name, value) -> environment.add(name + "=" + value));
    environment.add(
        DESCRIPTORS + "=" + held.stream().map(String::valueOf).collect(Collectors.joining(",")));
    environment.add(SCRIPT + "=" + script());
    var command = new ArrayList<String>();
    command.addAll(List.of("/bin/sh", "-c", "eval \"$" + SCRIPT + "\"", "millrace-supervisor"));
    command.add(mountPoint.toString());
    command.addAll(server(spec));
    SupervisedProcess.become(command, environment, held);
    return new CliException(Main.SOME_FAILED, "no supervisor");
  }

  /** What serves the mount: this very command, by the launcher where it is known (upgrades). */
  private static List<String> server(CommandSpec spec) throws IOException {
    String launcher = System.getProperty(LAUNCHER);
    if (launcher == null) {
      String line = Files.readString(Path.of("/proc/self/cmdline"), StandardCharsets.UTF_8);
      var command = new ArrayList<>(List.of(line.split("\0", -1)));
      command.removeLast();
      return command;
    }
    var command = new ArrayList<>(List.of("/bin/sh", launcher));
    command.addAll(spec.root().commandLine().getParseResult().originalArgs());
    return command;
  }

  private static String script() throws IOException {
    try (var in = Supervisor.class.getResourceAsStream("supervise.sh")) {
      if (in == null) {
        throw new IOException("supervise.sh is not in the program");
      }
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    }
  }
}
