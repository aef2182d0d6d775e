package io.millrace.client;

import io.millrace.core.api.Pinned;
import java.lang.foreign.MemorySegment;

/**
 * L2: content of files by inode, content sequence and chunk of 128 KiB. What it holds is never
 * stale, since the key names the content, and only a lease says which sequence is current; so
 * nothing need be dropped when a lease ends. Any thread; never blocks.
 */
public interface ContentCache extends AutoCloseable {
  int CHUNK_BYTES = 128 << 10;

  /** Null where it is not here; else the caller closes it. */
  Pinned get(long ino, long contentSeq, long chunk);

  /** May refuse. Copies. */
  void put(long ino, long contentSeq, long chunk, MemorySegment bytes);

  /** False where every {@link #put} is in vain. */
  default boolean keepsAnything() {
    return true;
  }

  @Override
  void close();

  /** No L2: the kernel's page cache is all. */
  ContentCache NONE =
      new ContentCache() {
        @Override
        public Pinned get(long ino, long contentSeq, long chunk) {
          return null;
        }

        @Override
        public boolean keepsAnything() {
          return false;
        }

        @Override
        public void put(long ino, long contentSeq, long chunk, MemorySegment bytes) {}

        @Override
        public void close() {}
      };
}
