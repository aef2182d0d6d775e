package io.millrace.cli.demo;

import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** Runs {@code millrace …} and plain programs as a user would, showing each command line. */
final class Commands {
  private static final int LIMIT_MINUTES = 10;

  private final Path launcher;
  private final String server;
  private final PrintStream out;

  Commands(Path launcher, String server, PrintStream out) {
    this.launcher = launcher;
    this.server = server;
    this.out = out;
  }

  /** Runs and shows a command of Millrace; fails where its exit code is not 0. */
  String millrace(String... arguments) throws IOException, InterruptedException {
    out.println("$ millrace " + String.join(" ", arguments));
    String text = quietly(arguments);
    text.lines().forEach(line -> out.println("  " + line));
    return text;
  }

  String quietly(String... arguments) throws IOException, InterruptedException {
    var command = new ArrayList<String>();
    command.add(launcher.toString());
    command.addAll(List.of(arguments));
    return run(command);
  }

  /** Runs and shows a shell line; returns what it printed. */
  String shell(String line) throws IOException, InterruptedException {
    out.println("$ " + line);
    String text = run(line);
    text.lines().forEach(each -> out.println("  " + each));
    return text;
  }

  /** Runs a shell line without showing it. */
  String run(String line) throws IOException, InterruptedException {
    return run(List.of("sh", "-c", line));
  }

  private String run(List<String> command) throws IOException, InterruptedException {
    var builder = new ProcessBuilder(command).redirectErrorStream(true);
    builder.environment().put("MILLRACE_SERVER", server);
    Process process = builder.start();
    process.getOutputStream().close();
    String text = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    if (!process.waitFor(LIMIT_MINUTES, TimeUnit.MINUTES)) {
      process.destroyForcibly();
      throw new IOException("no end after " + LIMIT_MINUTES + " minutes: " + command);
    }
    if (process.exitValue() != 0) {
      throw new IOException("exit " + process.exitValue() + " of " + command + ": " + text.strip());
    }
    return text;
  }
}
