package io.millrace.bench;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;

/**
 * Creates, looks at, lists, renames and unlinks empty files, one kind of operation after the other,
 * each by all threads at once. Each thread has a directory of its own, or all share one. Every
 * listing must show exactly the files that are there.
 */
public final class Metadata {
  private static final int LISTING_BYTES = 64 << 10;
  private static final int RECORD_LENGTH = 16; // offset in struct linux_dirent64
  private static final int DOTS = 2; // "." and ".."

  private enum Kind {
    CREATE,
    STAT,
    READDIR,
    RENAME,
    UNLINK
  }

  private Metadata() {}

  public static void main(String[] args) throws Exception {
    var options =
        new Arguments(args, Set.of("count", "threads", "also-pid"), Set.of("shared", "json"));
    Path root = Path.of(options.word(0, "DIRECTORY")).toAbsolutePath();
    int threads = options.number("threads", 8);
    int each = options.number("count", 10_000) / threads;
    boolean shared = options.flag("shared");
    for (int d = 0; d < (shared ? 1 : threads); d++) {
      Files.createDirectories(root.resolve("m" + d));
    }
    List<Report> kinds = new ArrayList<>();
    try (var arena = Arena.ofShared()) {
      var shares = new ArrayList<Share>();
      for (int t = 0; t < threads; t++) {
        shares.add(new Share(arena, root.resolve("m" + (shared ? 0 : t)), t, each));
      }
      for (Kind kind : Kind.values()) {
        var cost =
            Workers.run(
                Thread.ofPlatform(),
                threads,
                threads,
                new long[threads],
                options.text("also-pid", ""),
                thread -> new Worker(kind, shares));
        int there = kind == Kind.UNLINK ? 0 : shared ? threads * each : each;
        kinds.add(report(kind, cost, kind == Kind.READDIR ? threads * there : threads * each));
        check(kind, shares, there);
      }
    }
    var report =
        new Report()
            .put("program", "Metadata")
            .put("threads", threads)
            .put("directories", shared ? "shared" : "private")
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
        .put("per_s", operations / cost.wallSeconds())
        .put("cpu_s_per_1000", cost.cpuSeconds() * 1000 / operations)
        .put("other_cpu_s_per_1000", cost.otherCpuSeconds() * 1000 / operations);
  }

  /** After the measured time: every directory holds as many entries as it must. */
  private static void check(Kind kind, List<Share> shares, int wanted) {
    try (var worker = new Worker(Kind.READDIR, shares)) {
      for (Share share : shares) {
        int listed = worker.list(share.directory);
        if (listed != wanted) {
          throw new MeasuredCallFailed("after " + kind + ": " + listed + " entries, not " + wanted);
        }
      }
    }
  }

  /** The files of one task: their directory, and their names before and after the rename. */
  private static final class Share {
    final MemorySegment directory;
    final MemorySegment[] before;
    final MemorySegment[] after;

    Share(Arena arena, Path path, int number, int files) {
      directory = arena.allocateFrom(path.toString());
      before = names(arena, path, "f" + number, files);
      after = names(arena, path, "g" + number, files);
    }

    private static MemorySegment[] names(Arena arena, Path path, String prefix, int files) {
      var names = new MemorySegment[files];
      for (int f = 0; f < files; f++) {
        names[f] = arena.allocateFrom(path.resolve("%s-%07d".formatted(prefix, f)).toString());
      }
      return names;
    }
  }

  /** Does one kind of operation to all files of a share; a task is a share. */
  private static final class Worker implements Workers.Worker {
    private final Arena arena = Arena.ofConfined();
    private final Posix posix = new Posix(arena);
    private final MemorySegment found = arena.allocate(Posix.STAT_BYTES, 8);
    private final MemorySegment listing = arena.allocate(LISTING_BYTES, 8);
    private final Kind kind;
    private final List<Share> shares;

    Worker(Kind kind, List<Share> shares) {
      this.kind = kind;
      this.shares = shares;
    }

    @Override
    public void run(int task) {
      Share share = shares.get(task);
      if (kind == Kind.READDIR) {
        list(share.directory);
        return;
      }
      for (int f = 0; f < share.before.length; f++) {
        long result =
            switch (kind) {
              case CREATE -> posix.close(created(share.before[f]));
              case STAT -> posix.stat(share.before[f], found);
              case RENAME -> posix.rename(share.before[f], share.after[f]);
              case UNLINK -> posix.unlink(share.after[f]);
              case READDIR -> throw new IllegalStateException();
            };
        Posix.checked(kind.name(), f, result);
      }
    }

    private int created(MemorySegment path) {
      return (int) Posix.checked("create", path, posix.open(path, Posix.CREATE_NEW));
    }

    /** Entries of a directory, without the two dots. */
    int list(MemorySegment directory) {
      int descriptor =
          (int) Posix.checked("open", directory, posix.open(directory, Posix.DIRECTORY));
      int count = 0;
      long bytes;
      while ((bytes = Posix.checked("list", directory, posix.entries(descriptor, listing))) > 0) {
        for (long at = 0; at < bytes; count++) {
          at += listing.get(ValueLayout.JAVA_SHORT_UNALIGNED, at + RECORD_LENGTH);
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
