package io.millrace.testkit.s3;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * Finds files of Millrace's source tree that are not on the class path: below {@code
 * -Dmillrace.root}, or else at or above the working directory.
 */
final class SourceTree {
  private SourceTree() {}

  static Path find(Path file) throws IOException {
    Path from = Path.of(System.getProperty("millrace.root", "")).toAbsolutePath().normalize();
    for (Path p = from; p != null; p = p.getParent()) {
      if (Files.exists(p.resolve(file))) {
        return p.resolve(file);
      }
    }
    throw new IOException("no " + file + " at or above " + from + "; set -Dmillrace.root");
  }
}
