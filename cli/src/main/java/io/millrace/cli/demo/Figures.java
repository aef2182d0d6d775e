package io.millrace.cli.demo;

import java.io.PrintStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** The table at the end of the demo. Every row was measured in this run. */
final class Figures {
  private record Row(String what, long files, long bytes, double seconds) {}

  private final List<Row> rows = new ArrayList<>();

  void add(String what, long files, long bytes, long nanos) {
    rows.add(new Row(what, files, bytes, nanos / 1e9));
  }

  void print(PrintStream out) {
    out.printf(
        "%n%-46s %8s %9s %9s %9s %9s%n", "step", "files", "MB", "seconds", "files/s", "MB/s");
    out.println("-".repeat(95));
    for (Row row : rows) {
      out.printf(
          Locale.ROOT,
          "%-46s %8d %9.1f %9.2f %9.0f %9.1f%n",
          row.what,
          row.files,
          row.bytes / 1e6,
          row.seconds,
          row.files / row.seconds,
          row.bytes / 1e6 / row.seconds);
    }
  }
}
