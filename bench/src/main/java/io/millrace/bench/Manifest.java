package io.millrace.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;

/**
 * What a data set consists of: path, size and CRC32C of each file, in a text file of lines {@code
 * crc size path}. A measurement that reads its file list from here leaves the mount's directories
 * untouched, so a cold mount stays cold.
 */
record Manifest(List<Entry> entries) {
  record Entry(String path, int sizeBytes, int crc32c) {
    String line() {
      return HexFormat.of().toHexDigits(crc32c) + " " + sizeBytes + " " + path;
    }

    static Entry parse(String line) {
      String[] parts = line.split(" ", 3);
      int crc = HexFormat.fromHexDigits(parts[0]);
      return new Entry(parts[2], Integer.parseInt(parts[1]), crc);
    }
  }

  static Manifest read(Path file) throws IOException {
    try (var lines = Files.lines(file)) {
      return new Manifest(lines.map(Entry::parse).toList());
    }
  }

  void write(Path file) throws IOException {
    Files.write(file, entries.stream().map(Entry::line).toList());
  }

  /** The regular files below a directory, with sizes but without checksums, in order of path. */
  static Manifest walk(Path root) throws IOException {
    var found = new ArrayList<Entry>();
    try (var paths = Files.walk(root)) {
      for (Path p : (Iterable<Path>) paths.filter(Files::isRegularFile).sorted()::iterator) {
        found.add(new Entry(root.relativize(p).toString(), Math.toIntExact(Files.size(p)), 0));
      }
    }
    return new Manifest(found);
  }

  long totalBytes() {
    return entries.stream().mapToLong(Entry::sizeBytes).sum();
  }

  int largestBytes() {
    return entries.stream().mapToInt(Entry::sizeBytes).max().orElse(0);
  }
}
