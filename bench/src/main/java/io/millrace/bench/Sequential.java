package io.millrace.bench;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Set;

/**
 * Writes or reads one big file in order, with requests of one size. Every request's bytes are a
 * fixed block with the request's number in front, so that {@code --verify} finds wrong or misplaced
 * ones. The time includes open, {@code --fsync} and close.
 */
public final class Sequential {
  private Sequential() {}

  public static void main(String[] args) {
    var options =
        new Arguments(
            args, Set.of("size", "request", "also-pid"), Set.of("fsync", "verify", "json"));
    String direction = options.word(0, "read or write");
    String file = options.word(1, "FILE");
    long size = options.bytes("size", 2L << 30);
    long request = options.bytes("request", 1 << 20);
    if (size % request != 0) {
      throw new IllegalArgumentException("--size must be a multiple of --request");
    }
    double cpu = CpuTime.ofSelf();
    double other = CpuTime.ofPids(options.text("also-pid", ""));
    double seconds;
    try (var arena = Arena.ofConfined()) {
      var run = new Run(new Posix(arena), arena.allocateFrom(file), block(arena, request), size);
      seconds =
          switch (direction) {
            case "write" -> run.write(options.flag("fsync"));
            case "read" -> run.read(arena.allocate(request, 4096), options.flag("verify"));
            default -> throw new IllegalArgumentException("read or write, not " + direction);
          };
    }
    double gigabytes = size / 1e9;
    var report =
        new Report()
            .put("program", "Sequential")
            .put("direction", direction)
            .put("bytes", size)
            .put("seconds", seconds)
            .put("mb_per_s", size / 1e6 / seconds)
            .put("cpu_s_per_gb", (CpuTime.ofSelf() - cpu) / gigabytes)
            .put(
                "other_cpu_s_per_gb",
                (CpuTime.ofPids(options.text("also-pid", "")) - other) / gigabytes);
    System.out.println(options.flag("json") ? report.json() : report.line());
  }

  private static MemorySegment block(Arena arena, long request) {
    var block = arena.allocate(request, 4096);
    var random = new java.util.SplittableRandom(7);
    for (long i = 0; i + 8 <= request; i += 8) {
      block.set(ValueLayout.JAVA_LONG, i, random.nextLong());
    }
    return block;
  }

  /** One pass over the file; {@code block} is the expected content of each request. */
  private record Run(Posix posix, MemorySegment path, MemorySegment block, long size) {
    double write(boolean sync) {
      long begin = System.nanoTime();
      int descriptor = (int) Posix.checked("create", "file", posix.open(path, Posix.REWRITE));
      for (long at = 0; at < size; at += block.byteSize()) {
        block.set(ValueLayout.JAVA_LONG, 0, at);
        for (long done = 0; done < block.byteSize(); ) {
          long rest = block.byteSize() - done;
          done += Posix.checked("write", at, posix.write(descriptor, block.asSlice(done), rest));
        }
      }
      if (sync) {
        Posix.checked("fsync", "file", posix.fsync(descriptor));
      }
      Posix.checked("close", "file", posix.close(descriptor));
      return (System.nanoTime() - begin) / 1e9;
    }

    double read(MemorySegment target, boolean verify) {
      long begin = System.nanoTime();
      int descriptor = (int) Posix.checked("open", "file", posix.open(path, Posix.READ_ONLY));
      for (long at = 0; at < size; at += block.byteSize()) {
        fill(descriptor, target, at);
        block.set(ValueLayout.JAVA_LONG, 0, at);
        if (verify && block.mismatch(target) >= 0) {
          throw new MeasuredCallFailed("wrong bytes at " + (at + block.mismatch(target)));
        }
      }
      Posix.checked("close", "file", posix.close(descriptor));
      return (System.nanoTime() - begin) / 1e9;
    }

    private void fill(int descriptor, MemorySegment target, long at) {
      for (long done = 0; done < target.byteSize(); ) {
        long rest = target.byteSize() - done;
        long got = Posix.checked("read", at, posix.read(descriptor, target.asSlice(done), rest));
        if (got == 0) {
          throw new MeasuredCallFailed("file ends at " + (at + done) + ", not at " + size);
        }
        done += got;
      }
    }
  }
}
