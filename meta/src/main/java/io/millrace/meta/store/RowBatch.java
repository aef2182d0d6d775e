package io.millrace.meta.store;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/**
 * The rows of the commands that are about to be written together, on top of what is written: later
 * commands of a batch see the earlier ones. A command that fails is rolled back to its mark and
 * leaves no trace. Owned by the journal's thread.
 *
 * <p>Kept in Java and handed to RocksDB as one serialized batch, because a call through JNI for
 * each row costs more than the row.
 */
@SuppressWarnings({"ReferenceEquality", "ArrayRecordComponent"}) // DELETED is a mark, not a value
public final class RowBatch implements Rows {
  private static final byte[] DELETED = new byte[0];
  private static final int HEADER_BYTES = 12;
  private static final int PADDING_BYTES = 300;
  private static final int TAG_DELETE = 0;
  private static final int TAG_PUT = 1;
  private static final int TAG_DELETE_RANGE = 0xf;

  private record Undo(byte[] key, byte[] before) {}

  private record Range(byte[] start, byte[] end) {}

  private final Rows written;
  private final SortedRows rows = new SortedRows();
  private final List<Undo> undo = new ArrayList<>();
  private final List<Range> ranges = new ArrayList<>();
  private int rangesAtMark;

  public RowBatch(Rows written) {
    this.written = written;
  }

  @Override
  public byte[] get(byte[] key) {
    byte[] value = rows.get(key);
    if (value != null) {
      return value == DELETED ? null : value;
    }
    return written.get(key);
  }

  public void put(byte[] key, byte[] value) {
    undo.add(new Undo(key, rows.put(key, value)));
  }

  public void delete(byte[] key) {
    undo.add(new Undo(key, rows.put(key, DELETED)));
  }

  /**
   * Deletes all rows from {@code start} to {@code end}, exclusive, before all else of this batch.
   * Only for keys that are never read or written again (numbers that are never given out twice):
   * reads still see written rows of the range.
   */
  public void deleteForEver(byte[] start, byte[] end) {
    Map.Entry<byte[], byte[]> row = rows.ceiling(start, true);
    while (row != null && KeyOrder.INSTANCE.compare(row.getKey(), end) < 0) {
      delete(row.getKey());
      row = rows.ceiling(row.getKey(), false);
    }
    ranges.add(new Range(start, end));
  }

  /** Forgets how to undo what came before: the commands so far stay. */
  public void mark() {
    undo.clear();
    rangesAtMark = ranges.size();
  }

  /** Undoes all since the last {@link #mark}. */
  public void rollback() {
    for (Undo one : undo.reversed()) {
      if (one.before == null) {
        rows.remove(one.key);
      } else {
        rows.put(one.key, one.before);
      }
    }
    undo.clear();
    ranges.subList(rangesAtMark, ranges.size()).clear();
  }

  public boolean isEmpty() {
    return rows.size() == 0 && ranges.isEmpty();
  }

  /** After the rows were written, or given up. */
  public void clear() {
    rows.clear();
    undo.clear();
    ranges.clear();
    rangesAtMark = 0;
  }

  /**
   * In RocksDB's own form of a write batch (its WAL's, which is for ever): sequence 8, count 4,
   * then records of tag, key and value.
   */
  public byte[] serialized() {
    int size = HEADER_BYTES;
    for (Range range : ranges) {
      size += 1 + sized(range.start) + sized(range.end);
    }
    ByteBuffer out = ByteBuffer.allocate(size + rowBytes()).order(ByteOrder.LITTLE_ENDIAN);
    out.putLong(0).putInt(rows.size() + ranges.size());
    for (Range range : ranges) {
      out.put((byte) TAG_DELETE_RANGE);
      putSized(out, range.start);
      putSized(out, range.end);
    }
    rows.forEach(
        (key, value) -> {
          out.put((byte) (value == DELETED ? TAG_DELETE : TAG_PUT));
          putSized(out, key);
          if (value != DELETED) {
            putSized(out, value);
          }
        });
    return out.array();
  }

  private int rowBytes() {
    int[] size = {0};
    rows.forEach((key, value) -> size[0] += 1 + sized(key) + (value == DELETED ? 0 : sized(value)));
    return size[0];
  }

  private static int sized(byte[] bytes) {
    int size = bytes.length;
    int width = 1;
    for (int rest = size >>> 7; rest != 0; rest >>>= 7) {
      width++;
    }
    return width + size;
  }

  private static void putSized(ByteBuffer out, byte[] bytes) {
    int rest = bytes.length;
    while (rest >= 0x80) {
      out.put((byte) (rest | 0x80));
      rest >>>= 7;
    }
    out.put((byte) rest);
    out.put(bytes);
  }

  @Override
  public Cursor scan(byte[] start, byte[] end) {
    return new BatchCursor(start, end);
  }

  @Override
  public Map.Entry<byte[], byte[]> floor(byte[] lowest, byte[] highest) {
    byte[] from = highest;
    boolean inclusive = true;
    while (true) {
      Map.Entry<byte[], byte[]> mine = rows.floor(from, inclusive);
      if (mine != null && KeyOrder.INSTANCE.compare(mine.getKey(), lowest) < 0) {
        mine = null;
      }
      Map.Entry<byte[], byte[]> theirs = writtenFloor(lowest, from, inclusive);
      if (mine == null || (theirs != null && isAfter(theirs.getKey(), mine.getKey()))) {
        return theirs;
      }
      if (mine.getValue() != DELETED) {
        return mine;
      }
      from = mine.getKey();
      inclusive = false;
    }
  }

  private Map.Entry<byte[], byte[]> writtenFloor(byte[] lowest, byte[] from, boolean inclusive) {
    if (inclusive) {
      return written.floor(lowest, from);
    }
    byte[] before = before(from);
    return KeyOrder.INSTANCE.compare(before, lowest) < 0 ? null : written.floor(lowest, before);
  }

  /** A key below {@code key} with no stored key between them: keys are shorter than the padding. */
  private static byte[] before(byte[] key) {
    int last = key.length - 1;
    if (key[last] == 0) {
      return Arrays.copyOf(key, last);
    }
    byte[] lower = Arrays.copyOf(key, key.length + PADDING_BYTES);
    lower[last]--;
    Arrays.fill(lower, key.length, lower.length, (byte) 0xff);
    return lower;
  }

  private static boolean isAfter(byte[] a, byte[] b) {
    return KeyOrder.INSTANCE.compare(a, b) > 0;
  }

  /** Merges both; rows put while it is open are seen where they come later in the order. */
  private final class BatchCursor implements Cursor {
    private final byte[] end;
    private final Cursor below;
    private boolean belowValid;
    private Map.Entry<byte[], byte[]> mine;
    private byte[] key;
    private byte[] value;

    BatchCursor(byte[] start, byte[] end) {
      this.end = end;
      below = written.scan(start, end);
      belowValid = below.next();
      mine = within(rows.ceiling(start, true));
    }

    @Override
    public boolean next() {
      if (key != null) {
        mine = within(rows.ceiling(key, false));
      }
      while (mine != null || belowValid) {
        byte[] theirs = belowValid ? below.key() : null;
        int order =
            mine == null
                ? 1
                : theirs == null ? -1 : KeyOrder.INSTANCE.compare(mine.getKey(), theirs);
        key = order > 0 ? theirs : mine.getKey();
        value = order > 0 ? below.value() : mine.getValue();
        if (order >= 0) {
          belowValid = below.next();
        }
        if (value != DELETED) {
          return true;
        }
        mine = within(rows.ceiling(key, false));
      }
      return false;
    }

    private Map.Entry<byte[], byte[]> within(Map.Entry<byte[], byte[]> row) {
      return row != null && KeyOrder.INSTANCE.compare(row.getKey(), end) < 0 ? row : null;
    }

    @Override
    public byte[] key() {
      return key;
    }

    @Override
    public byte[] value() {
      return value;
    }

    @Override
    public void close() {
      below.close();
    }
  }
}
