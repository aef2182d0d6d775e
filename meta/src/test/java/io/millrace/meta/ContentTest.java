package io.millrace.meta;

import static io.millrace.meta.NamespaceFixture.ROOT;
import static io.millrace.meta.NamespaceFixture.extent;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.millrace.core.api.BlockId;
import io.millrace.core.api.Errno;
import io.millrace.proto.CommitContent;
import io.millrace.proto.Extent;
import io.millrace.proto.ForgetGarbage;
import io.millrace.proto.Garbage;
import io.millrace.proto.Inode;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Extents of files: overwrites, holes, truncation, and which blocks become garbage. */
class ContentTest {
  private static final long BLOCK = BlockId.MAX_BYTES;
  private static final long V = 1L << 32;
  @TempDir Path directory;
  private NamespaceFixture fs;
  private long file;

  @BeforeEach
  void open() {
    fs = new NamespaceFixture(directory.resolve("meta"));
    file = fs.file(ROOT, "f");
  }

  @AfterEach
  void close() {
    fs.close();
  }

  private List<Extent> extents() {
    return fs.namespace.extents(file, 0, Long.MAX_VALUE);
  }

  private CommitContent.Builder appending(long from, Extent... extents) {
    return CommitContent.newBuilder()
        .setIno(file)
        .setAppendFrom(from)
        .addAllExtents(List.of(extents));
  }

  @Test
  void appendsOfTwoWritersFollowEachOther() {
    fs.ok(fs.command().setCommitContent(appending(0, extent(0, 100, V, 0))));
    fs.ok(fs.command().setCommitContent(appending(0, extent(0, 50, V + 1, 0))));
    fs.ok(fs.command().setCommitContent(appending(100, extent(100, 30, V, BLOCK))));
    assertEquals(180, fs.inode(file).getSize());
    assertEquals(
        List.of(extent(0, 100, V, 0), extent(100, 50, V + 1, 0), extent(150, 30, V, BLOCK)),
        extents());
  }

  /** A write below the end goes where it was, though it lies in one extent with the append. */
  @Test
  void whatLiesBeforeTheAppendStaysInPlace() {
    fs.ok(fs.command().setCommitContent(appending(0, extent(0, 100, V, 0))));
    fs.ok(fs.command().setCommitContent(appending(100, extent(100, 20, V + 1, 0))));
    fs.ok(fs.command().setCommitContent(appending(100, extent(90, 20, V, BLOCK))));
    assertEquals(130, fs.inode(file).getSize());
    assertEquals(
        List.of(
            extent(0, 90, V, 0),
            extent(90, 10, V, BLOCK),
            extent(100, 20, V + 1, 0),
            extent(120, 10, V, BLOCK + 10)),
        extents());
  }

  @Test
  void appendAfterATruncationElsewhereLeavesNoHole() {
    fs.ok(fs.command().setCommitContent(appending(0, extent(0, 100, V, 0))));
    fs.ok(fs.resizing(file, 10));
    fs.ok(fs.command().setCommitContent(appending(100, extent(100, 30, V + 1, 0))));
    assertEquals(40, fs.inode(file).getSize());
  }

  @Test
  void sequentialWritesStayOneExtent() {
    fs.ok(fs.committing(file, extent(0, BLOCK, V, 0)));
    fs.ok(fs.committing(file, extent(BLOCK, 10, V, BLOCK)));
    Inode inode = fs.inode(file);
    assertEquals(V, inode.getVersion());
    assertEquals(BLOCK + 10, inode.getSize());
    assertEquals(3, inode.getContentSeq());
    assertEquals(List.of(extent(0, BLOCK + 10, V, 0)), extents());
    assertEquals(List.of(), fs.namespace.garbage(10));
  }

  @Test
  void overwrittenBlocksAreGarbageButPartlyShownOnesAreNot() {
    fs.ok(fs.committing(file, extent(0, 3 * BLOCK, V, 0)));
    fs.ok(fs.committing(file, extent(BLOCK - 1, BLOCK + 1, V + 1, 0)));
    assertEquals(
        List.of(
            extent(0, BLOCK - 1, V, 0),
            extent(BLOCK - 1, BLOCK + 1, V + 1, 0),
            extent(2 * BLOCK, BLOCK, V, 2 * BLOCK)),
        extents());
    Garbage garbage = fs.namespace.garbage(10).getFirst();
    assertEquals(BLOCK, garbage.getStreamOffset());
    assertEquals(BLOCK, garbage.getLength());
    fs.ok(fs.command().setForgetGarbage(ForgetGarbage.newBuilder().addSeq(garbage.getSeq())));
    assertEquals(List.of(), fs.namespace.garbage(10));
    fs.ok(fs.committing(file, extent(0, 3 * BLOCK, V + 2, 0)));
    assertEquals(V + 2, fs.inode(file).getVersion());
  }

  @Test
  void truncationLeavesHolesOnTheWayUp() {
    fs.ok(fs.committing(file, extent(0, 100, V, 0)));
    fs.ok(fs.resizing(file, 40));
    assertEquals(V, fs.inode(file).getVersion());
    fs.ok(fs.resizing(file, 80));
    assertEquals(0, fs.inode(file).getVersion());
    assertEquals(List.of(extent(0, 40, V, 0)), extents());
    assertEquals(80, fs.inode(file).getSize());
    fs.ok(fs.resizing(file, 0));
    assertEquals(List.of(), extents());
    assertEquals(1, fs.namespace.garbage(10).size());
  }

  @Test
  void badExtentsAreRefused() {
    fs.ok(fs.committing(file, extent(0, 100, V, 0)));
    assertEquals(Errno.EINVAL, fs.errno(fs.committing(file, extent(200, 10, V, 50))));
    assertEquals(
        Errno.EINVAL, fs.errno(fs.committing(file, extent(0, 10, V, 200), extent(5, 10, V, 300))));
    assertEquals(Errno.EINVAL, fs.errno(fs.committing(file, extent(0, 0, V, 0))));
    assertEquals(List.of(extent(0, 100, V, 0)), extents());
  }

  @Test
  void sizeMayGrowWithoutExtents() {
    fs.ok(fs.command().setCommitContent(CommitContent.newBuilder().setIno(file).setSize(1000)));
    assertEquals(1000, fs.inode(file).getSize());
    assertEquals(List.of(), extents());
  }

  /** Each byte of the model names the version and stream byte that shows there. */
  @Test
  void randomWritesShowWhatAModelShows() {
    long seed = Long.getLong("seed", System.nanoTime());
    try {
      runRandom(new SplittableRandom(seed));
    } catch (AssertionError e) {
      throw new AssertionError("replay with -Dseed=" + seed, e);
    }
  }

  private static final int UNIT = 1 << 20; // a quarter of a block
  private static final int UNITS = 64;

  private void runRandom(SplittableRandom random) {
    long[] shown = new long[UNITS];
    long size = 0;
    int nextBlock = 0;
    var garbage = new BitSet();
    for (int i = 0; i < 300; i++) {
      if (random.nextInt(5) == 0) {
        int units = random.nextInt(UNITS);
        fs.ok(fs.resizing(file, (long) units * UNIT));
        Arrays.fill(shown, units, UNITS, 0);
        size = (long) units * UNIT;
      } else {
        int from = random.nextInt(UNITS - 1);
        int length = random.nextInt(1, Math.min(9, UNITS - from + 1));
        long stream = nextBlock * BLOCK;
        nextBlock += (length + 3) / 4;
        fs.ok(fs.committing(file, extent((long) from * UNIT, (long) length * UNIT, V, stream)));
        for (int u = 0; u < length; u++) {
          shown[from + u] = stream / UNIT + u + 1;
        }
        size = Math.max(size, (long) (from + length) * UNIT);
      }
      assertEquals(size, fs.inode(file).getSize());
      assertShown(shown);
      collect(garbage);
      assertGarbage(shown, garbage, nextBlock);
    }
  }

  private void assertShown(long[] shown) {
    long[] found = new long[UNITS];
    for (Extent extent : extents()) {
      for (long u = 0; u < extent.getLength() / UNIT; u++) {
        found[(int) (extent.getFileOffset() / UNIT + u)] = extent.getStreamOffset() / UNIT + u + 1;
      }
    }
    assertArrayEquals(shown, found);
  }

  private void collect(BitSet garbage) {
    for (Garbage one : fs.namespace.garbage(Integer.MAX_VALUE)) {
      int first = (int) (one.getStreamOffset() / BLOCK);
      garbage.set(first, first + (int) (one.getLength() / BLOCK));
    }
  }

  private static void assertGarbage(long[] shown, BitSet garbage, int blocks) {
    var needed = new BitSet();
    for (long unit : shown) {
      if (unit != 0) {
        needed.set((int) ((unit - 1) / 4));
      }
    }
    var unneeded = new BitSet();
    unneeded.set(0, blocks);
    unneeded.andNot(needed);
    assertEquals(unneeded, garbage);
  }
}
