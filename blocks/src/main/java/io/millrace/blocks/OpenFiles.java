package io.millrace.blocks;

import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.function.LongFunction;

/**
 * Descriptors of segment files, at most {@code limit} kept open; the longest unused is closed first
 * (once its last user released it). Safe for many threads.
 */
final class OpenFiles implements AutoCloseable {
  private final int limit;
  private final LongFunction<Path> path;
  private final LinkedHashMap<Long, NativeFile> open = new LinkedHashMap<>(16, 0.75f, true);

  OpenFiles(int limit, LongFunction<Path> path) {
    this.limit = limit;
    this.path = path;
  }

  /** The file, acquired; the caller releases it. */
  synchronized NativeFile acquire(long number) {
    NativeFile file = open.get(number);
    if (file == null) {
      file = NativeFile.open(path.apply(number), NativeFile.WRITE);
      add(number, file);
    }
    boolean acquired = file.acquire();
    assert acquired;
    return file;
  }

  /** Makes an empty file. */
  synchronized void create(long number) {
    add(number, NativeFile.open(path.apply(number), NativeFile.CREATE_EMPTY));
  }

  synchronized void forget(long number) {
    NativeFile file = open.remove(number);
    if (file != null) {
      file.release();
    }
  }

  @Override
  public synchronized void close() {
    open.values().forEach(NativeFile::release);
    open.clear();
  }

  private void add(long number, NativeFile file) {
    if (open.size() >= limit) {
      open.pollFirstEntry().getValue().release();
    }
    open.put(number, file);
  }
}
