package io.millrace.cli.demo;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;

/**
 * Real input for the demo: the JDK's own sources, many thousand small files. Where the JDK has no
 * {@code lib/src.zip}, the documentation and data below /usr/share that this user may read.
 */
final class Tree {
  private static final int FILES_MAX = 16_000;
  private static final long FILE_BYTES_MAX = 4 << 20;

  /** A file of the tree: where it goes in the bucket, and its bytes. */
  interface Sink {
    void file(String name, byte[] content) throws IOException;
  }

  private final String origin;
  private final Walk walk;

  private Tree(String origin, Walk walk) {
    this.origin = origin;
    this.walk = walk;
  }

  private interface Walk {
    void each(Sink sink) throws IOException;
  }

  static Tree find() {
    Path sources = Path.of(System.getProperty("java.home"), "lib", "src.zip");
    return Files.isReadable(sources)
        ? new Tree(sources.toString(), sink -> zip(sources, sink))
        : new Tree("/usr/share", sink -> directory(Path.of("/usr/share"), sink));
  }

  /** Where the files come from, for people. */
  String origin() {
    return origin;
  }

  void each(Sink sink) throws IOException {
    walk.each(sink);
  }

  private static void zip(Path archive, Sink sink) throws IOException {
    try (var zip = new ZipFile(archive.toFile())) {
      for (ZipEntry entry : zip.stream().filter(each -> !each.isDirectory()).toList()) {
        try (var in = zip.getInputStream(entry)) {
          sink.file(entry.getName(), in.readAllBytes());
        }
      }
    }
  }

  private static void directory(Path root, Sink sink) throws IOException {
    List<Path> files = new ArrayList<>();
    try (var found =
        Files.find(root, 12, (file, is) -> is.isRegularFile() && is.size() <= FILE_BYTES_MAX)) {
      found.filter(Files::isReadable).limit(FILES_MAX).forEach(files::add);
    }
    for (Path file : files) {
      sink.file(root.relativize(file).toString(), Files.readAllBytes(file));
    }
  }
}
