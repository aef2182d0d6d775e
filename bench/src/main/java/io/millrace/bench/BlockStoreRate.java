package io.millrace.bench;

import io.millrace.blocks.BlockStoreConfig;
import io.millrace.blocks.DiskBlockStore;
import io.millrace.core.api.BlockId;
import io.millrace.core.api.BlockStore;
import io.millrace.core.api.BlockStore.Kind;
import io.millrace.core.api.Pinned;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;

/**
 * The block store alone: looks blocks up that are not there, stores them, waits until they are
 * durable, and reads them back in random order. L1 holds next to nothing, so each read goes to the
 * directory. The measured blocks come after {@code --warm-up} others (the JVM compiles meanwhile).
 */
public final class BlockStoreRate {
  private static final long CAPACITY = 1L << 40;
  private static final long VERSION = 1;

  private final DiskBlockStore store;
  private final MemorySegment content;
  private final int threads;
  private final Kind kind;

  private BlockStoreRate(DiskBlockStore store, MemorySegment content, int threads, Kind kind) {
    this.store = store;
    this.content = content;
    this.threads = threads;
    this.kind = kind;
  }

  public static void main(String[] args) throws Exception {
    var options =
        new Arguments(
            args, Set.of("count", "size", "threads", "warm-up", "l1"), Set.of("dirty", "json"));
    int count = options.number("count", 20_000);
    int warmUp = options.number("warm-up", 10_000);
    int size = Math.toIntExact(options.bytes("size", 36 << 10));
    Kind kind = options.flag("dirty") ? Kind.DIRTY : Kind.CLEAN;
    var config =
        BlockStoreConfig.of(
            Path.of(options.word(0, "DIRECTORY")), CAPACITY, options.bytes("l1", 64 << 10));
    try (Arena arena = Arena.ofShared();
        var store = new DiskBlockStore(config, InstantSource.system())) {
      MemorySegment content = arena.allocate(size);
      var random = new SplittableRandom(1);
      for (int i = 0; i < size; i++) {
        content.set(java.lang.foreign.ValueLayout.JAVA_BYTE, i, (byte) random.nextInt());
      }
      var rate = new BlockStoreRate(store, content, options.number("threads", 4), kind);
      rate.rounds(1, warmUp);
      List<Report> parts = rate.rounds(2, count);
      var report = new Report().put("program", "BlockStoreRate").put("kind", kind.name());
      report.put("count", count).put("size", size).put("parts", parts);
      if (options.flag("json")) {
        System.out.println(report.json());
      } else {
        System.out.println(report.line());
        parts.forEach(part -> System.out.println(part.line()));
      }
    }
  }

  private List<Report> rounds(long ino, int count) throws InterruptedException {
    return List.of(
        measure("miss", count, index -> lookUp(new BlockId(ino, VERSION, index))),
        measure("store", count, index -> save(new BlockId(ino, VERSION, index))),
        measure("read", count, index -> read(new BlockId(ino, VERSION, shuffled(index, count)))));
  }

  /** A fixed shuffle: the multiplier is prime and larger than any count used here. */
  private static int shuffled(int index, int count) {
    return (int) (index * 2_147_483_629L % count);
  }

  private interface Step {
    void run(int index);
  }

  private Report measure(String name, int count, Step step) throws InterruptedException {
    long written = ProcessFigures.writtenBytes();
    double cpu = CpuTime.ofSelf();
    long begin = System.nanoTime();
    Workers.run(Thread.ofPlatform(), threads, count, new long[count], "", _ -> step::run);
    store.sync();
    double seconds = (System.nanoTime() - begin) / 1e9;
    return new Report()
        .put("part", name)
        .put("blocks_per_s", count / seconds)
        .put("cpu_s_per_1000", (CpuTime.ofSelf() - cpu) * 1000 / count)
        .put("written_bytes", ProcessFigures.writtenBytes() - written);
  }

  private void lookUp(BlockId id) {
    if (store.contains(id)) {
      throw new MeasuredCallFailed("there already: " + id);
    }
  }

  private void save(BlockId id) {
    try (BlockStore.Draft draft = store.begin(id, (int) content.byteSize(), kind)) {
      draft.bytes().copyFrom(content);
      draft.commit().close();
    }
  }

  private void read(BlockId id) {
    try (Pinned bytes = store.read(id, 0, (int) content.byteSize()).orElseThrow()) {
      if (bytes.bytes().byteSize() != content.byteSize()) {
        throw new MeasuredCallFailed("short read of " + id);
      }
    }
  }
}
