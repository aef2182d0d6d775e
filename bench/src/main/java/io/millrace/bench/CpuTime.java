package io.millrace.bench;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;

/**
 * CPU seconds, user and system, that processes have used so far, from {@code /proc/PID/stat}; ticks
 * of 10 ms. Time the kernel spends for them in its own threads is in nobody's account.
 */
final class CpuTime {
  private static final double TICKS_PER_SECOND = 100; // USER_HZ, the same on every Linux we run on

  private CpuTime() {}

  static double ofSelf() {
    return of("self");
  }

  /** Of the processes of a list such as {@code 12,345}; 0 for an empty one. */
  static double ofPids(String pids) {
    return Arrays.stream(pids.split(",", -1))
        .filter(p -> !p.isEmpty())
        .mapToDouble(CpuTime::of)
        .sum();
  }

  private static double of(String pid) {
    try {
      String stat = Files.readString(Path.of("/proc", pid, "stat"));
      // The name in parentheses may hold blanks; after it, utime and stime are fields 12 and 13.
      String[] fields = stat.substring(stat.lastIndexOf(')') + 2).split(" ", -1);
      return (Long.parseLong(fields[11]) + Long.parseLong(fields[12])) / TICKS_PER_SECOND;
    } catch (IOException e) {
      throw new UncheckedIOException("no process " + pid, e);
    }
  }
}
