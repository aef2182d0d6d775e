package io.millrace.bench;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Memory and writes of this process, from the JVM and {@code /proc/self}. */
final class ProcessFigures {
  private static final long KIB = 1024;

  private ProcessFigures() {}

  /** Live objects and garbage not collected yet. */
  static long heapUsedBytes() {
    Runtime runtime = Runtime.getRuntime();
    return runtime.totalMemory() - runtime.freeMemory();
  }

  static long residentBytes() {
    return field("status", "VmRSS:") * KIB;
  }

  /** Bytes handed to write calls; whether the disk has seen them yet is another matter. */
  static long writtenBytes() {
    return field("io", "wchar:");
  }

  private static long field(String file, String name) {
    try {
      for (String line : Files.readAllLines(Path.of("/proc/self", file))) {
        if (line.startsWith(name)) {
          return Long.parseLong(line.substring(name.length()).replace("kB", "").strip());
        }
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    throw new IllegalStateException("no " + name + " in /proc/self/" + file);
  }
}
