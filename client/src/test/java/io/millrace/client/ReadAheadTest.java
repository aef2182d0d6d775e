package io.millrace.client;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.millrace.core.api.FsException;
import io.millrace.core.api.Ino;
import io.millrace.core.wire.Op;
import java.io.ByteArrayOutputStream;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

/** The reader's window against a node in memory, with answers at once and late. */
final class ReadAheadTest {
  private static final int KERNEL_READ = 128 << 10;

  private final MemoryNode node = new MemoryNode();
  private final AtomicLong clock = new AtomicLong(1);
  private final Freshness notices = new Freshness(clock);
  private final Freshness own = new Freshness(clock);
  private final ReadAheadBudget budget = new ReadAheadBudget(32 << 20);
  private final ContentReader reader =
      new ContentReader(
          node,
          ContentCache.NONE,
          new StagedContent(1 << 20),
          notices,
          own,
          budget,
          (ino, seq, since) -> {});

  /** Collects what one read gives. */
  private static final class Sink implements ReadSink {
    private final ByteArrayOutputStream got = new ByteArrayOutputStream();
    private boolean done;

    @Override
    public void bytes(MemorySegment[] parts, int count) {
      for (int i = 0; i < count; i++) {
        got.writeBytes(parts[i].toArray(ValueLayout.JAVA_BYTE));
      }
      done = true;
    }

    @Override
    public void failed(FsException failure) {
      throw failure;
    }
  }

  private static byte[] random(int length) {
    byte[] bytes = new byte[length];
    new SplittableRandom(5).nextBytes(bytes);
    return bytes;
  }

  private byte[] read(long ino, ReadAhead window, long offset, int length) {
    var sink = new Sink();
    reader.read(ino, 0, window, offset, length, sink);
    assertTrue(sink.done);
    return sink.got.toByteArray();
  }

  @Test
  void sequentialReaderAsksInLargePieces() {
    byte[] bytes = random(20 << 20);
    long ino = node.tree().put(Ino.ROOT, "f", bytes);
    ReadAhead window = reader.readAhead(ino);
    for (int at = 0; at < bytes.length; at += KERNEL_READ) {
      assertArrayEquals(
          Arrays.copyOfRange(bytes, at, at + KERNEL_READ), read(ino, window, at, KERNEL_READ));
    }
    assertTrue(node.count(Op.READ) < 30, "160 reads in requests of 1 MiB: " + node.count(Op.READ));
    window.close();
    assertEquals(0, budget.usedBytes());
    assertEquals(0, node.pinnedReplies());
  }

  @Test
  void randomReaderGetsNothingAhead() {
    byte[] bytes = random(32 << 20);
    long ino = node.tree().put(Ino.ROOT, "f", bytes);
    ReadAhead window = reader.readAhead(ino);
    for (int at : new int[] {30 << 20, 1 << 20, 20 << 20, 9 << 20, 26 << 20, 4 << 20}) {
      read(ino, window, at, 4096);
    }
    assertEquals(6, node.count(Op.READ));
    window.close();
  }

  @Test
  void readersWaitForWhatIsOnItsWay() {
    byte[] bytes = random(8 << 20);
    long ino = node.tree().put(Ino.ROOT, "f", bytes);
    ReadAhead window = reader.readAhead(ino);
    read(ino, window, 0, KERNEL_READ);
    read(ino, window, KERNEL_READ, KERNEL_READ);
    var answers = new ArrayList<Runnable>();
    node.delivery(answers::add);
    var sinks = new ArrayList<Sink>();
    for (int i = 2; i < 10; i++) {
      sinks.add(new Sink());
      reader.read(ino, 0, window, (long) i * KERNEL_READ, KERNEL_READ, sinks.getLast());
    }
    while (!answers.isEmpty()) {
      answers.removeLast().run();
    }
    for (int i = 2; i < 10; i++) {
      assertArrayEquals(
          Arrays.copyOfRange(bytes, i * KERNEL_READ, (i + 1) * KERNEL_READ),
          sinks.get(i - 2).got.toByteArray());
    }
    window.close();
    assertEquals(0, node.pinnedReplies());
  }

  @Test
  void changedContentIsNotServedFromTheWindow() {
    byte[] bytes = random(4 << 20);
    long ino = node.tree().put(Ino.ROOT, "f", bytes);
    ReadAhead window = reader.readAhead(ino);
    for (int i = 0; i < 4; i++) {
      read(ino, window, (long) i * KERNEL_READ, KERNEL_READ);
    }
    byte[] other = new byte[4 << 20];
    node.tree().replaceContent(ino, other);
    notices.changed(ino);
    assertArrayEquals(new byte[KERNEL_READ], read(ino, window, 4L * KERNEL_READ, KERNEL_READ));
    window.close();
  }

  @Test
  void H30_contentIsAskedForOnlyWhereOpensFollow() {
    var predictor = new LookupPredictor();
    int asked = 0;
    for (int file = 0; file < 10_000; file++) {
      long dir = 100L + file / 10;
      asked += predictor.wantsContent(dir) ? 1 : 0;
      predictor.lookedUp(dir, 50_000 + file);
    }
    assertTrue(asked < 50, "ls -lR dragged " + asked);
    for (int file = 0; file < 200; file++) {
      predictor.lookedUp(7, 90_000 + file);
      predictor.used(90_000 + file);
    }
    assertTrue(predictor.wantsContent(7), "opens bring it back");
  }

  @Test
  void extentsReplaceWhatTheyOverlap() {
    var map = new ExtentMap();
    map.put(extent(0, 100, 1, 0));
    map.put(extent(100, 100, 1, 100));
    assertEquals(1, map.size(), "continued");
    map.put(extent(50, 20, 2, 0));
    assertEquals(
        List.of(extent(0, 50, 1, 0), extent(50, 20, 2, 0), extent(70, 130, 1, 70)), map.list());
    map.cut(60, 150);
    assertEquals(
        List.of(extent(0, 50, 1, 0), extent(50, 10, 2, 0), extent(150, 50, 1, 150)), map.list());
    assertEquals(200, map.end());
  }

  private static io.millrace.proto.Extent extent(long at, long length, long version, long stream) {
    return io.millrace.proto.Extent.newBuilder()
        .setFileOffset(at)
        .setLength(length)
        .setVersion(version)
        .setStreamOffset(stream)
        .build();
  }

  @Test
  void H06_sequenceNumbersStayInTheWindow() {
    var window = new SequenceWindow(4);
    assertEquals(1, window.take());
    assertEquals(2, window.take());
    assertEquals(3, window.take());
    assertEquals(4, window.take());
    assertEquals(0, window.take(), "the first is unanswered");
    window.answered(2);
    assertEquals(0, window.take());
    window.answered(1);
    assertEquals(5, window.take());
    assertEquals(6, window.take());
    assertEquals(0, window.take());
  }
}
