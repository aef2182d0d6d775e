package io.millrace.bench;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;

/**
 * Creates, writes and closes many small files: the cost of namespace changes. Each thread has a
 * directory of its own unless {@code --shared}. With {@code --verify} every file is read back after
 * the measured time and must hold its number and its full size.
 */
public final class SmallCreate {
  private SmallCreate() {}

  public static void main(String[] args) throws Exception {
    var options =
        new Arguments(
            args,
            Set.of("count", "threads", "size", "also-pid"),
            Set.of("fsync", "shared", "verify", "json"));
    Path root = Path.of(options.word(0, "DIRECTORY")).toAbsolutePath();
    int count = options.number("count", 10_000);
    int threads = options.number("threads", 4);
    int size = Math.max(8, Math.toIntExact(options.bytes("size", 4 << 10)));
    int directories = options.flag("shared") ? 1 : threads;
    for (int d = 0; d < directories; d++) {
      Files.createDirectories(root.resolve("t" + d));
    }
    long[] nanos = new long[count];
    Workers.Cost cost;
    try (var arena = Arena.ofShared()) {
      var paths = new MemorySegment[count];
      for (int f = 0; f < count; f++) {
        paths[f] = arena.allocateFrom(path(root, directories, f).toString());
      }
      cost =
          Workers.run(
              Thread.ofPlatform(),
              threads,
              count,
              nanos,
              options.text("also-pid", ""),
              thread -> new Writer(paths, size, options.flag("fsync")));
    }
    if (options.flag("verify")) {
      verify(root, directories, count, size);
    }
    var report = new Report().put("program", "SmallCreate").put("threads", threads);
    cost.into(report, count, (long) count * size, nanos);
    System.out.println(options.flag("json") ? report.json() : report.line());
  }

  private static Path path(Path root, int directories, int file) {
    return root.resolve("t" + file % directories).resolve("f%07d".formatted(file));
  }

  private static void verify(Path root, int directories, int count, int size) throws IOException {
    for (int f = 0; f < count; f++) {
      byte[] bytes = Files.readAllBytes(path(root, directories, f));
      var segment = MemorySegment.ofArray(bytes);
      if (bytes.length != size || segment.get(ValueLayout.JAVA_LONG_UNALIGNED, 0) != f) {
        throw new MeasuredCallFailed(path(root, directories, f) + ": not what was written");
      }
    }
  }

  private static final class Writer implements Workers.Worker {
    private final MemorySegment[] paths;
    private final boolean sync;
    private final Arena arena = Arena.ofConfined();
    private final Posix posix = new Posix(arena);
    private final MemorySegment content;

    Writer(MemorySegment[] paths, int size, boolean sync) {
      this.paths = paths;
      this.sync = sync;
      this.content = arena.allocate(size, 8).fill((byte) 'm');
    }

    @Override
    public void run(int file) {
      content.set(ValueLayout.JAVA_LONG, 0, file);
      int descriptor =
          (int) Posix.checked("create", file, posix.open(paths[file], Posix.CREATE_NEW));
      long wrote =
          Posix.checked("write", file, posix.write(descriptor, content, content.byteSize()));
      if (wrote != content.byteSize()) {
        throw new MeasuredCallFailed("short write of file " + file);
      }
      if (sync) {
        Posix.checked("fsync", file, posix.fsync(descriptor));
      }
      Posix.checked("close", file, posix.close(descriptor));
    }

    @Override
    public void close() {
      arena.close();
    }
  }
}
