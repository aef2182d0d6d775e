package io.millrace.bench;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.zip.CRC32C;

/**
 * Shuffled epochs of open+read+close over a directory, as a training job's loader does: every file
 * once per epoch, in an order of its own, read to its end. With {@code --verify} the bytes are
 * compared with the manifest's checksums, inside the measured time. {@code --warm-up DIRECTORY} has
 * the JIT compile this program on other files first, so that a single cold epoch shows the mount.
 */
public final class Epoch {
  private static final long WARM_UP_READS = 30_000;

  private final Manifest files;
  private final MemorySegment[] paths;
  private final boolean verify;

  private Epoch(Manifest files, MemorySegment[] paths, boolean verify) {
    this.files = files;
    this.paths = paths;
    this.verify = verify;
  }

  public static void main(String[] args) throws Exception {
    var options =
        new Arguments(
            args,
            Set.of("manifest", "threads", "epochs", "seed", "also-pid", "limit", "warm-up"),
            Set.of("verify", "json"));
    Path root = Path.of(options.word(0, "DIRECTORY")).toAbsolutePath();
    Manifest files = list(options, root);
    long seed = options.longNumber("seed", System.nanoTime());
    try (var arena = Arena.ofShared()) {
      warmUp(options, arena);
      var epoch = new Epoch(files, paths(arena, root, files), options.flag("verify"));
      var report = epoch.measure(options, seed);
      System.out.println(options.flag("json") ? report.json() : report.line());
    }
  }

  private static MemorySegment[] paths(Arena arena, Path root, Manifest files) {
    return files.entries().stream()
        .map(e -> arena.allocateFrom(root.resolve(e.path()).toString()))
        .toArray(MemorySegment[]::new);
  }

  private static void warmUp(Arguments options, Arena arena) throws Exception {
    if (options.text("warm-up", "").isEmpty()) {
      return;
    }
    Path root = Path.of(options.text("warm-up", "")).toAbsolutePath();
    Manifest files = Manifest.walk(root);
    var epoch = new Epoch(files, paths(arena, root, files), false);
    int[] order = epoch.shuffle(new SplittableRandom(0));
    int count = order.length;
    for (long done = 0; done < WARM_UP_READS && count > 0; done += count) {
      Workers.run(
          Thread.ofPlatform(), 2, count, new long[count], "", thread -> epoch.new Reader(order));
    }
  }

  private static Manifest list(Arguments options, Path root) throws IOException {
    String given = options.text("manifest", "");
    if (given.isEmpty() && options.flag("verify")) {
      throw new IllegalArgumentException("--verify needs --manifest");
    }
    var all = given.isEmpty() ? Manifest.walk(root) : Manifest.read(Path.of(given));
    int limit = options.number("limit", Integer.MAX_VALUE);
    return new Manifest(all.entries().stream().limit(limit).toList());
  }

  private Report measure(Arguments options, long seed) throws InterruptedException {
    int threads = options.number("threads", 4);
    int epochs = options.number("epochs", 2);
    var order = new SplittableRandom(seed);
    List<Report> parts = new ArrayList<>();
    double wall = 0;
    double cpu = 0;
    double other = 0;
    int count = files.entries().size();
    long[] all = new long[count * epochs];
    for (int e = 0; e < epochs; e++) {
      int[] shuffled = shuffle(order);
      long[] nanos = new long[count];
      var cost =
          Workers.run(
              Thread.ofPlatform(),
              threads,
              count,
              nanos,
              options.text("also-pid", ""),
              thread -> new Reader(shuffled));
      System.arraycopy(nanos, 0, all, e * count, count);
      var part = cost.into(new Report().put("epoch", e + 1), count, files.totalBytes(), nanos);
      if (!options.flag("json")) {
        System.out.println(part.line());
      }
      parts.add(part);
      wall += cost.wallSeconds();
      cpu += cost.cpuSeconds();
      other += cost.otherCpuSeconds();
    }
    var report = new Report().put("program", "Epoch").put("seed", seed).put("threads", threads);
    new Workers.Cost(wall, cpu, other)
        .into(report, (long) count * epochs, files.totalBytes() * epochs, all);
    return report.put("epochs", parts);
  }

  private int[] shuffle(SplittableRandom random) {
    int[] order = new int[paths.length];
    for (int i = 0; i < order.length; i++) {
      int j = random.nextInt(i + 1);
      order[i] = order[j];
      order[j] = i;
    }
    return order;
  }

  /** One thread's reader: one buffer that holds the largest file and a byte more. */
  private final class Reader implements Workers.Worker {
    private final int[] order;
    private final Arena arena = Arena.ofConfined();
    private final Posix posix = new Posix(arena);
    private final long capacity = Math.max(1 << 20, files.largestBytes() + 1L);
    private final MemorySegment buffer = arena.allocate(capacity, 4096);
    private final ByteBuffer bytes = buffer.asByteBuffer();
    private final CRC32C crc = new CRC32C();

    Reader(int[] order) {
      this.order = order;
    }

    @Override
    public void run(int task) {
      int file = order[task];
      var entry = files.entries().get(file);
      int descriptor =
          (int) Posix.checked("open", entry.path(), posix.open(paths[file], Posix.READ_ONLY));
      long length = 0;
      long got;
      do {
        var rest = length == 0 ? buffer : buffer.asSlice(length);
        got = Posix.checked("read", entry.path(), posix.read(descriptor, rest, capacity - length));
        length += got;
      } while (got > 0 && length < capacity);
      Posix.checked("close", entry.path(), posix.close(descriptor));
      check(entry, length);
    }

    private void check(Manifest.Entry entry, long length) {
      if (length != entry.sizeBytes()) {
        throw new MeasuredCallFailed(
            entry.path() + ": " + length + " bytes read, not " + entry.sizeBytes());
      }
      if (verify) {
        crc.reset();
        crc.update(bytes.clear().limit(Math.toIntExact(length)));
        if ((int) crc.getValue() != entry.crc32c()) {
          throw new MeasuredCallFailed(entry.path() + ": wrong bytes");
        }
      }
    }

    @Override
    public void close() {
      arena.close();
    }
  }
}
