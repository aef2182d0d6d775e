package io.millrace.bench;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.stream.Stream;

/**
 * Creates, looks at, lists, renames and unlinks empty files, one kind of operation after the other,
 * each by all threads at once. Each thread has a directory of its own, or all share one; where two
 * roots are named (the same directory through two mounts) threads take turns between them. Every
 * listing must show exactly the files that are there.
 */
public final class Metadata {
  private static final int LISTING_BYTES = 64 << 10;
  private static final int RECORD_LENGTH = 16; // offset in struct linux_dirent64
  private static final int NAME = 19; // the same
  private static final int DOTS = 2; // "." and ".."

  /** LISTING is a READDIR that stats each name between two reads, as {@code ls -l} does. */
  private enum Kind {
    CREATE,
    STAT,
    READDIR,
    LISTING,
    RENAME,
    UNLINK;

    boolean lists() {
      return this == READDIR || this == LISTING;
    }
  }

  /** What was asked for. */
  private record Load(
      List<Path> roots, Path place, int threads, int each, boolean shared, List<Kind> kinds) {

    /** Where a thread works, by the mount it uses. */
    Path directory(int thread) {
      return roots.get(thread % roots.size()).resolve(place).resolve("m" + (shared ? 0 : thread));
    }

    int tasks(Kind kind) {
      return kind.lists() && shared ? roots.size() : threads;
    }

    int entries() {
      return shared ? threads * each : each;
    }

    int operations(Kind kind) {
      return kind.lists() ? tasks(kind) * entries() : threads * each;
    }
  }

  private Metadata() {}

  public static void main(String[] args) throws Exception {
    var options =
        new Arguments(
            args,
            Set.of("count", "threads", "also-pid", "other-root", "in", "only"),
            Set.of("shared", "json"));
    Load load = load(options);
    for (int t = 0; t < load.threads; t++) {
      Files.createDirectories(load.directory(t));
    }
    List<Report> kinds = new ArrayList<>();
    boolean renamed = false;
    for (Kind kind : load.kinds) {
      var names = renamed ? "g" : "f";
      var cost = run(load, kind, names, options.text("also-pid", ""));
      kinds.add(report(kind, cost, load.operations(kind)));
      renamed |= kind == Kind.RENAME;
      check(load, kind);
    }
    print(options, load, kinds);
  }

  private static Load load(Arguments options) {
    var roots = new ArrayList<Path>();
    roots.add(Path.of(options.word(0, "DIRECTORY")).toAbsolutePath());
    if (!options.text("other-root", "").isEmpty()) {
      roots.add(Path.of(options.text("other-root", "")).toAbsolutePath());
    }
    String only = options.text("only", "create,stat,readdir,listing,rename,unlink");
    int threads = options.number("threads", 8);
    return new Load(
        roots,
        Path.of(options.text("in", "")),
        threads,
        options.number("count", 10_000) / threads,
        options.flag("shared"),
        Stream.of(only.split(",")).map(k -> Kind.valueOf(k.toUpperCase(Locale.ROOT))).toList());
  }

  private static Workers.Cost run(Load load, Kind kind, String names, String alsoPids)
      throws InterruptedException {
    int tasks = load.tasks(kind);
    return Workers.run(
        Thread.ofPlatform(),
        tasks,
        tasks,
        new long[tasks],
        alsoPids,
        thread -> new Worker(load, kind, names));
  }

  private static void print(Arguments options, Load load, List<Report> kinds) {
    var report =
        new Report()
            .put("program", "Metadata")
            .put("threads", load.threads)
            .put("directories", load.shared ? "shared" : "private")
            .put("mounts", load.roots.size())
            .put("operations", kinds);
    if (options.flag("json")) {
      System.out.println(report.json());
    } else {
      System.out.println(report.line());
      kinds.forEach(kind -> System.out.println(kind.line()));
    }
  }

  private static Report report(Kind kind, Workers.Cost cost, int operations) {
    return new Report()
        .put("operation", kind.name().toLowerCase(Locale.ROOT))
        .put("seconds", cost.wallSeconds())
        .put("per_s", operations / cost.wallSeconds())
        .put("cpu_s_per_1000", cost.cpuSeconds() * 1000 / operations)
        .put("other_cpu_s_per_1000", cost.otherCpuSeconds() * 1000 / operations);
  }

  /** After a change, outside the measured time: directories hold as many entries as they must. */
  private static void check(Load load, Kind kind) {
    if (kind == Kind.STAT) {
      return;
    }
    int wanted = kind == Kind.UNLINK ? 0 : load.entries();
    try (var worker = new Worker(load, Kind.READDIR, "")) {
      for (int t = 0; t < load.tasks(Kind.READDIR); t++) {
        int listed = worker.list(load.directory(t));
        if (listed != wanted) {
          throw new MeasuredCallFailed("after " + kind + ": " + listed + " entries, not " + wanted);
        }
      }
    }
  }

  /** A path whose end is written anew for each file: a million of them take no memory. */
  private static final class PathBuffer {
    private static final int DIGITS = 7;
    private static final int NAME_MAX = 256;
    private final MemorySegment bytes;
    private final long nameAt;

    /**
     * @param prefix of all names
     */
    PathBuffer(Arena arena, Path directory, String prefix) {
      byte[] start = (directory + "/" + prefix).getBytes(StandardCharsets.UTF_8);
      bytes = arena.allocate(start.length + NAME_MAX);
      MemorySegment.copy(start, 0, bytes, ValueLayout.JAVA_BYTE, 0, start.length);
      nameAt = start.length;
    }

    MemorySegment numbered(int file) {
      int rest = file;
      for (int d = DIGITS - 1; d >= 0; d--, rest /= 10) {
        bytes.set(ValueLayout.JAVA_BYTE, nameAt + d, (byte) ('0' + rest % 10));
      }
      bytes.set(ValueLayout.JAVA_BYTE, nameAt + DIGITS, (byte) 0);
      return bytes;
    }

    /** The name at {@code from} in a listing. */
    MemorySegment entry(MemorySegment listing, long from, long length) {
      MemorySegment.copy(listing, from, bytes, nameAt, length);
      return bytes;
    }
  }

  /** Does one kind of operation to all files of a task. */
  private static final class Worker implements Workers.Worker {
    private final Arena arena = Arena.ofConfined();
    private final Posix posix = new Posix(arena);
    private final MemorySegment found = arena.allocate(Posix.STAT_BYTES, 8);
    private final MemorySegment listing = arena.allocate(LISTING_BYTES, 8);
    private final Load load;
    private final Kind kind;
    private final String names;

    Worker(Load load, Kind kind, String names) {
      this.load = load;
      this.kind = kind;
      this.names = names;
    }

    @Override
    public void run(int task) {
      if (kind.lists()) {
        list(load.directory(task));
        return;
      }
      var path = new PathBuffer(arena, load.directory(task), names + task + "-");
      var to = new PathBuffer(arena, load.directory(task), "g" + task + "-");
      for (int f = 0; f < load.each; f++) {
        MemorySegment file = path.numbered(f);
        long result =
            switch (kind) {
              case CREATE -> posix.close(created(file));
              case STAT -> posix.stat(file, found);
              case RENAME -> posix.rename(file, to.numbered(f));
              case UNLINK -> posix.unlink(file);
              case READDIR, LISTING -> throw new IllegalStateException();
            };
        Posix.checked(kind.name(), f, result);
      }
    }

    private int created(MemorySegment path) {
      return (int) Posix.checked("create", path, posix.open(path, Posix.CREATE_NEW));
    }

    /** Entries of a directory, without the two dots. */
    int list(Path directory) {
      var path = new PathBuffer(arena, directory, "");
      MemorySegment itself = arena.allocateFrom(directory.toString());
      int descriptor = (int) Posix.checked("open", directory, posix.open(itself, Posix.DIRECTORY));
      int count = 0;
      long bytes;
      while ((bytes = Posix.checked("list", directory, posix.entries(descriptor, listing))) > 0) {
        for (long at = 0; at < bytes; count++) {
          long length = listing.get(ValueLayout.JAVA_SHORT_UNALIGNED, at + RECORD_LENGTH);
          if (kind == Kind.LISTING) {
            MemorySegment file = path.entry(listing, at + NAME, length - NAME);
            Posix.checked("stat", count, posix.stat(file, found));
          }
          at += length;
        }
      }
      Posix.checked("close", directory, posix.close(descriptor));
      return count - DOTS;
    }

    @Override
    public void close() {
      arena.close();
    }
  }
}
