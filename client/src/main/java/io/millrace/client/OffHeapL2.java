package io.millrace.client;

import io.millrace.core.api.Pinned;
import io.millrace.core.cache.Admission;
import io.millrace.core.cache.OffHeapCache;
import java.lang.foreign.MemorySegment;

/** L2 in off-heap memory under a hard limit; what it admits suits shuffled epochs. */
public final class OffHeapL2 implements ContentCache {
  private final OffHeapCache cache;

  public OffHeapL2(long limitBytes) {
    cache = new OffHeapCache(limitBytes);
  }

  @Override
  public Pinned get(long ino, long contentSeq, long chunk) {
    return chunk > Integer.MAX_VALUE ? null : cache.pin(ino, contentSeq, (int) chunk);
  }

  @Override
  public void put(long ino, long contentSeq, long chunk, MemorySegment bytes) {
    boolean cacheable = chunk <= Integer.MAX_VALUE && bytes.byteSize() > 0;
    if (!cacheable || cache.contains(ino, contentSeq, (int) chunk)) {
      return;
    }
    cache
        .reserve(ino, contentSeq, (int) chunk, (int) bytes.byteSize(), Admission.ASKED_FOR)
        .ifPresent(
            room -> {
              room.bytes().copyFrom(bytes);
              room.publish().close();
            });
  }

  @Override
  public void close() {
    cache.close();
  }
}
