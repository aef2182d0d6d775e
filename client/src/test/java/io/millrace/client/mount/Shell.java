package io.millrace.client.mount;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;

/** Child processes that use a mount: this process must not touch it itself (H28). */
final class Shell {
  private static final long SECONDS_MAX = 60;

  record Result(int exit, String output) {}

  private Shell() {}

  /** Runs a script in the directory; gives its output (both streams) or fails the test. */
  static String run(Path directory, String script) throws IOException, InterruptedException {
    Result result = tryRun(directory, script);
    assertEquals(0, result.exit(), () -> script + "\n" + result.output());
    return result.output();
  }

  /** Runs Python in the directory. */
  static String python(Path directory, String script) throws IOException, InterruptedException {
    return run(directory, "python3 - <<'PYTHON'\nimport os, sys, mmap\n" + script + "\nPYTHON\n");
  }

  static Result tryRun(Path directory, String script) throws IOException, InterruptedException {
    Process process = start(directory, script);
    byte[] output = process.getInputStream().readAllBytes();
    if (!process.waitFor(SECONDS_MAX, TimeUnit.SECONDS)) {
      process.destroyForcibly();
      throw new AssertionError("still running: " + script);
    }
    return new Result(process.exitValue(), new String(output, StandardCharsets.UTF_8).strip());
  }

  static Process start(Path directory, String script) throws IOException {
    return new ProcessBuilder(
            "timeout",
            "-k",
            "1",
            Long.toString(SECONDS_MAX),
            "sh",
            "-c",
            "cd \"$0\" && " + script,
            directory.toString())
        .redirectErrorStream(true)
        .start();
  }
}
