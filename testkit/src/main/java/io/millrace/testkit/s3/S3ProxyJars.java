package io.millrace.testkit.s3;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/**
 * The jars of S3Proxy, brought by {@code testkit/s3proxy/fetch.sh} the first time (needs Maven).
 */
final class S3ProxyJars {
  private S3ProxyJars() {}

  /** The directory of the jars. */
  static Path fetch(Path script) throws IOException {
    var builder = new ProcessBuilder(script.toString());
    var process = builder.redirectError(ProcessBuilder.Redirect.INHERIT).start();
    String jars = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    int rc = waitFor(process);
    if (rc != 0) {
      throw new IOException(script + " failed with " + rc + "; is mvn there?");
    }
    return Path.of(jars.strip());
  }

  private static int waitFor(Process process) throws IOException {
    try {
      return process.waitFor();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      process.destroyForcibly();
      throw new IOException("interrupted while fetching S3Proxy", e);
    }
  }
}
