package io.millrace.meta.tree;

import static io.millrace.meta.tree.ExtentReader.end;
import static io.millrace.meta.tree.ExtentReader.streamEnd;

import io.millrace.core.api.BlockId;
import io.millrace.core.api.Errno;
import io.millrace.core.api.FsException;
import io.millrace.meta.row.ExtentRow;
import io.millrace.meta.row.InodeState;
import io.millrace.meta.row.Keys;
import io.millrace.meta.store.RowBatch;
import io.millrace.meta.store.Rows;
import io.millrace.proto.Extent;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;

/**
 * Changes the extents of one file. Beside the rows by file offset, a file that is not uniform has
 * rows by stream offset, which tell without a scan of the whole file whether a block is still
 * needed. Journal's thread only.
 *
 * <p>Invariant: extents of a file overlap neither in the file nor in a stream.
 */
public final class ExtentWriter {
  private static final long BLOCK = BlockId.MAX_BYTES;

  private final RowBatch batch;
  private final GarbageBin bin;

  public ExtentWriter(TreeWriter tree, GarbageBin bin) {
    this.batch = tree.batch();
    this.bin = bin;
  }

  /** Puts written extents in place of what they overlap, and grows the file to hold them. */
  public void replace(InodeState file, List<Extent> written, long newSize) {
    check(written);
    if (appended(file, written, newSize)) {
      return;
    }
    List<Extent> removed = new ArrayList<>();
    if (!written.isEmpty()) {
      spread(file);
      for (Extent extent : written) {
        cut(file, extent.getFileOffset(), end(extent), removed);
      }
      for (Extent extent : written) {
        refuseSharedStream(file, extent);
        join(file, extent);
      }
    } else if (newSize > file.size) {
      spread(file);
    }
    file.size = Math.max(file.size, newSize);
    collapse(file);
    collect(file, removed);
  }

  /** The usual write: a uniform file, or an empty one, goes on in the same stream. */
  private static boolean appended(InodeState file, List<Extent> written, long newSize) {
    if (written.size() != 1) {
      return false;
    }
    Extent next = written.getFirst();
    boolean goesOn =
        next.getFileOffset() == file.size
            && next.getStreamOffset() == file.size
            && newSize <= end(next)
            && (file.size == 0 || file.version == next.getVersion());
    if (goesOn) {
      file.version = next.getVersion();
      file.size = end(next);
    }
    return goesOn;
  }

  /** Cuts off what lies beyond the new size, or leaves a hole at the end. */
  public void truncate(InodeState file, long newSize) {
    List<Extent> removed = new ArrayList<>();
    if (newSize < file.size) {
      if (file.version != 0) {
        removed.add(tail(ExtentReader.uniform(file), newSize));
      } else {
        cut(file, newSize, Long.MAX_VALUE, removed);
      }
    } else if (newSize > file.size) {
      spread(file);
    }
    file.size = newSize;
    if (newSize == 0) {
      file.version = 0;
    }
    collapse(file);
    collect(file, removed);
  }

  /** A hole in place of what lies between the two; within the file. */
  public void punch(InodeState file, long from, long to) {
    List<Extent> removed = new ArrayList<>();
    spread(file);
    cut(file, from, to, removed);
    collapse(file);
    collect(file, removed);
  }

  /** The whole content becomes one stream. */
  public void become(InodeState file, long version) {
    if (file.version == version || file.size == 0) {
      return;
    }
    List<Extent> removed = new ArrayList<>(ExtentReader.touching(batch, file, 0, Long.MAX_VALUE));
    for (Extent extent : removed) {
      remove(file, extent);
    }
    file.version = version;
    removed.removeIf(extent -> extent.getVersion() == version);
    collect(file, removed);
  }

  /**
   * What still shows the old stream's bytes shows the new one's, which has them at file offsets.
   */
  public void moveStream(InodeState file, long oldVersion, long newVersion) {
    if (oldVersion == 0 || newVersion == 0 || oldVersion == newVersion) {
      return;
    }
    List<Extent> moved = new ArrayList<>(ExtentReader.touching(batch, file, 0, Long.MAX_VALUE));
    moved.removeIf(extent -> extent.getVersion() != oldVersion);
    if (moved.isEmpty()) {
      return;
    }
    spread(file);
    for (Extent extent : moved) {
      remove(file, extent);
    }
    for (Extent extent : moved) {
      join(
          file,
          extent.toBuilder()
              .setVersion(newVersion)
              .setStreamOffset(extent.getFileOffset())
              .build());
    }
    collapse(file);
    collect(file, moved);
  }

  /** The inode is freed: all its versions are garbage. */
  public void free(InodeState file) {
    if (file.version != 0) {
      bin.wholeVersion(file.ino, file.version);
    } else if (file.size > 0) {
      freeStreams(file);
      deleteAll(Keys.extents(file.ino));
    }
    if (file.stream != 0 && file.stream != file.version) {
      bin.wholeVersion(file.ino, file.stream);
    }
  }

  private void freeStreams(InodeState file) {
    byte[] prefix = Keys.streams(file.ino);
    long last = 0;
    try (Rows.Cursor row = batch.scan(prefix, Keys.after(prefix))) {
      while (row.next()) {
        long version = new io.millrace.meta.row.RowReader(row.key(), 9).u64();
        if (version != last && version != file.stream) {
          bin.wholeVersion(file.ino, version);
        }
        last = version;
        batch.delete(row.key());
      }
    }
  }

  private void deleteAll(byte[] prefix) {
    try (Rows.Cursor row = batch.scan(prefix, Keys.after(prefix))) {
      while (row.next()) {
        batch.delete(row.key());
      }
    }
  }

  private static void check(List<Extent> written) {
    long at = 0;
    for (Extent extent : written) {
      boolean valid =
          extent.getFileOffset() >= at
              && extent.getLength() > 0
              && extent.getVersion() != 0
              && extent.getStreamOffset() >= 0
              && end(extent) > 0
              && streamEnd(extent) > 0;
      if (!valid) {
        throw new FsException(Errno.EINVAL, "extents overlap, or one is empty", "at", at);
      }
      at = end(extent);
    }
  }

  /** Makes rows of the one extent of a uniform file. */
  private void spread(InodeState file) {
    if (file.version != 0) {
      Extent all = ExtentReader.uniform(file);
      file.version = 0;
      put(file, all);
    }
  }

  /** Back to no rows where one extent covers the file from the start of its stream. */
  private void collapse(InodeState file) {
    if (file.version != 0 || file.size == 0) {
      return;
    }
    byte[] value = batch.get(Keys.extent(file.ino, 0));
    if (value == null) {
      return;
    }
    Extent first = ExtentRow.decode(Keys.extent(file.ino, 0), value);
    if (first.getLength() == file.size && first.getStreamOffset() == 0) {
      remove(file, first);
      file.version = first.getVersion();
    }
  }

  private void cut(InodeState file, long from, long to, List<Extent> removed) {
    for (Extent old : ExtentReader.touching(batch, file, from, to)) {
      remove(file, old);
      if (old.getFileOffset() < from) {
        put(file, head(old, from));
      }
      Extent middle = old.getFileOffset() < from ? tail(old, from) : old;
      if (end(middle) > to) {
        put(file, tail(middle, to));
        middle = head(middle, to);
      }
      removed.add(middle);
    }
  }

  private static Extent head(Extent extent, long end) {
    return extent.toBuilder().setLength(end - extent.getFileOffset()).build();
  }

  private static Extent tail(Extent extent, long start) {
    long skipped = start - extent.getFileOffset();
    return extent.toBuilder()
        .setFileOffset(start)
        .setLength(extent.getLength() - skipped)
        .setStreamOffset(extent.getStreamOffset() + skipped)
        .build();
  }

  /** Adds an extent, as one with its neighbours where they go on in file and stream. */
  private void join(InodeState file, Extent extent) {
    Extent joined = extent;
    Map.Entry<byte[], byte[]> before =
        batch.floor(Keys.extents(file.ino), Keys.extent(file.ino, extent.getFileOffset()));
    if (before != null) {
      Extent left = ExtentRow.decode(before.getKey(), before.getValue());
      if (goesOn(left, joined)) {
        remove(file, left);
        joined = left.toBuilder().setLength(left.getLength() + joined.getLength()).build();
      }
    }
    byte[] after = batch.get(Keys.extent(file.ino, end(joined)));
    if (after != null) {
      Extent right = ExtentRow.decode(Keys.extent(file.ino, end(joined)), after);
      if (goesOn(joined, right)) {
        remove(file, right);
        joined = joined.toBuilder().setLength(joined.getLength() + right.getLength()).build();
      }
    }
    put(file, joined);
  }

  private static boolean goesOn(Extent left, Extent right) {
    return end(left) == right.getFileOffset()
        && left.getVersion() == right.getVersion()
        && streamEnd(left) == right.getStreamOffset();
  }

  private void put(InodeState file, Extent extent) {
    batch.put(Keys.extent(file.ino, extent.getFileOffset()), ExtentRow.byFile(extent));
    batch.put(
        Keys.stream(file.ino, extent.getVersion(), extent.getStreamOffset()),
        ExtentRow.byStream(extent));
  }

  private void remove(InodeState file, Extent extent) {
    if (file.version == 0) {
      batch.delete(Keys.extent(file.ino, extent.getFileOffset()));
      batch.delete(Keys.stream(file.ino, extent.getVersion(), extent.getStreamOffset()));
    }
  }

  private void refuseSharedStream(InodeState file, Extent extent) {
    long from = extent.getStreamOffset();
    if (!needed(file, extent.getVersion(), from, streamEnd(extent)).isEmpty()) {
      throw new FsException(
          Errno.EINVAL, "bytes of a stream used twice", "version", extent.getVersion(), "at", from);
    }
  }

  private record Used(long from, long to) {}

  /** Parts of the stream between the two that extents show, in order. */
  private List<Used> needed(InodeState file, long version, long from, long to) {
    var used = new ArrayList<Used>();
    if (file.version != 0) {
      if (file.version == version && from < file.size) {
        used.add(new Used(0, file.size));
      }
      return used;
    }
    byte[] start = Keys.stream(file.ino, version, from);
    Map.Entry<byte[], byte[]> before = batch.floor(Keys.streams(file.ino, version), start);
    if (before != null
        && ExtentRow.streamOffset(before.getKey()) + ExtentRow.streamLength(before.getValue())
            > from) {
      start = before.getKey();
    }
    try (Rows.Cursor row = batch.scan(start, Keys.stream(file.ino, version, to))) {
      while (row.next()) {
        long offset = ExtentRow.streamOffset(row.key());
        used.add(new Used(offset, offset + ExtentRow.streamLength(row.value())));
      }
    }
    return used;
  }

  /** Blocks of the removed parts that nothing shows any more become garbage. */
  private void collect(InodeState file, List<Extent> removed) {
    removed.sort(
        Comparator.comparingLong(Extent::getVersion).thenComparingLong(Extent::getStreamOffset));
    long version = 0;
    long looked = 0; // of this version's stream, so that a block is not collected twice
    for (Extent gone : removed) {
      looked = gone.getVersion() == version ? looked : 0;
      version = gone.getVersion();
      long at = Math.max(looked, gone.getStreamOffset() / BLOCK * BLOCK);
      long end = (streamEnd(gone) + BLOCK - 1) / BLOCK * BLOCK;
      looked = Math.max(looked, end);
      for (Used used : needed(file, gone.getVersion(), at, end)) {
        collectRange(file, gone.getVersion(), at, used.from / BLOCK * BLOCK);
        at = Math.max(at, (used.to + BLOCK - 1) / BLOCK * BLOCK);
      }
      collectRange(file, gone.getVersion(), at, end);
    }
  }

  private void collectRange(InodeState file, long version, long from, long to) {
    if (from < to) {
      bin.range(file.ino, version, from, to - from);
    }
  }
}
