package io.millrace.client;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.millrace.core.api.Errno;
import io.millrace.core.api.FsException;
import io.millrace.core.api.Ino;
import io.millrace.core.wire.Op;
import io.millrace.proto.Command;
import io.millrace.proto.CommandResult;
import io.millrace.proto.Inode;
import io.millrace.proto.SetAttr;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;

/** Write-back against a node in memory, with answers at once and in any order. */
final class DirtyFileTest {
  private static final int MIB = 1 << 20;

  private final MemoryNode node = new MemoryNode();
  private final List<Long> lost = new ArrayList<>();
  private final List<Long> moved = new ArrayList<>();
  private final WriteBuffers buffers = new WriteBuffers(16 * MIB);
  private final WriteBack writeBack =
      new WriteBack(
          new NodeSession(node),
          buffers,
          InstantSource.system(),
          new WriteBack.Listener() {
            @Override
            public void committed(Inode inode) {}

            @Override
            public void moved(long ino) {
              moved.add(ino);
            }

            @Override
            public void lost(long ino, FsException failure) {
              lost.add(ino);
            }
          },
          Runnable::run);

  private DirtyFile file(byte[] content) {
    return writeBack.acquire(node.tree().put(Ino.ROOT, "f" + node.count(Op.READ), content));
  }

  private static MemorySegment segment(byte[] bytes) {
    return Arena.ofAuto().allocateFrom(ValueLayout.JAVA_BYTE, bytes);
  }

  private static byte[] random(SplittableRandom random, int length) {
    byte[] bytes = new byte[length];
    random.nextBytes(bytes);
    return bytes;
  }

  private static FsException commit(DirtyFile file) {
    var outcome = new AtomicReference<FsException>();
    file.commit(false, (inode, failure) -> outcome.set(failure));
    return outcome.get();
  }

  @Test
  void smallFileIsOneRequest() {
    DirtyFile file = file(new byte[0]);
    byte[] bytes = random(new SplittableRandom(1), 5000);
    assertEquals(5000, file.write(0, segment(bytes), 0, false));
    assertNull(commit(file));
    assertEquals(1, node.count(Op.WRITE));
    assertEquals(0, node.count(Op.MUTATE));
    assertArrayEquals(bytes, node.tree().content(file.ino()));
    assertTrue(file.isClean());
    assertEquals(0, buffers.lentBytes());
  }

  @Test
  void sequentialWriteStreamsFullChunksAsOneExtent() {
    DirtyFile file = file(new byte[0]);
    byte[] bytes = random(new SplittableRandom(2), 10 * MIB + 17);
    for (int at = 0; at < bytes.length; at += MIB) {
      byte[] part = Arrays.copyOfRange(bytes, at, Math.min(bytes.length, at + MIB));
      assertEquals(part.length, file.write(at, segment(part), 0, false));
    }
    assertEquals(2, node.count(Op.WRITE), "two full chunks went ahead");
    assertNull(commit(file));
    assertEquals(3, node.count(Op.WRITE));
    assertArrayEquals(bytes, node.tree().content(file.ino()));
  }

  @Test
  void backgroundErrorIsToldAtNextWriteAndAtClose() {
    DirtyFile file = file(new byte[0]);
    node.failWrites(Errno.ENOSPC);
    file.write(0, segment(new byte[4 * MIB]), 0, false);
    node.failWrites(null);
    FsException atWrite =
        assertThrows(FsException.class, () -> file.write(4 * MIB, segment(new byte[1]), 0, false));
    assertEquals(Errno.ENOSPC, atWrite.errno());
    assertEquals(Errno.ENOSPC, commit(file).errno());
    assertEquals(List.of(file.ino()), lost);
    assertTrue(file.isClean());
    assertNull(commit(file), "told once");
    assertEquals(0, buffers.lentBytes());
  }

  @Test
  void fullMemoryTakesNothingUntilAnswersCome() {
    var answers = new ArrayList<Runnable>();
    node.delivery(answers::add);
    DirtyFile file = file(new byte[0]);
    MemorySegment large = segment(new byte[20 * MIB]);
    assertEquals(16 * MIB, file.write(0, large, 0, false));
    assertEquals(0, file.write(16 * MIB, large, 16 * MIB, false));
    answers.removeFirst().run();
    assertEquals(4 * MIB, file.write(16 * MIB, large, 16 * MIB, false));
  }

  @Test
  void readsWhatIsWrittenWithoutARequest() {
    DirtyFile file = file(new byte[0]);
    file.baseIs(0);
    byte[] bytes = random(new SplittableRandom(3), 9000);
    file.write(0, segment(bytes), 0, false);
    MemorySegment target = Arena.ofAuto().allocate(128 << 10);
    assertEquals(9000, file.read(0, target));
    assertArrayEquals(bytes, target.asSlice(0, 9000).toArray(ValueLayout.JAVA_BYTE));
    assertEquals(0, node.count(Op.WRITE));
  }

  /** Random writes, reads, truncations and commits, answered in any order, against plain bytes. */
  @Test
  void behavesLikeAnArray() {
    for (int round = 0; round < 12; round++) {
      long seed = Long.getLong("seed", System.nanoTime() + round);
      try {
        new Model(seed, round % 3).run();
      } catch (Throwable t) {
        throw new AssertionError("replay with -Dseed=" + seed + " round " + round, t);
      }
    }
  }

  private final class Model {
    private final SplittableRandom random;
    private final List<Runnable> answers = new ArrayList<>();
    private final DirtyFile file;
    private final int scale;
    private byte[] model = new byte[0];
    private int waiting;

    Model(long seed, int kind) {
      random = new SplittableRandom(seed);
      scale = kind == 0 ? 20_000 : kind == 1 ? 300_000 : 9 * MIB;
      node.delivery(Runnable::run);
      file = file(new byte[0]);
      node.delivery(kind == 1 ? Runnable::run : answers::add);
    }

    void run() {
      for (int step = 0; step < 150; step++) {
        switch (random.nextInt(10)) {
          case 0, 1, 2, 3, 4 -> write();
          case 5 -> read();
          case 6 -> commitSoon();
          case 7 -> file.sendAhead();
          case 8 -> truncate();
          default -> answerSome();
        }
      }
      settle();
      assertArrayEquals(model, node.tree().content(file.ino()));
      assertEquals(0, buffers.lentBytes());
    }

    private void write() {
      int length = 1 + random.nextInt(Math.max(1, scale / 10));
      int offset = random.nextInt(scale);
      byte[] bytes = random(random, length);
      MemorySegment data = segment(bytes);
      int done = 0;
      while (done < length) {
        int n = file.write(offset, data, done, false);
        done += n;
        if (n == 0) {
          file.sendAhead();
          answerSome();
        }
      }
      model = Arrays.copyOf(model, Math.max(model.length, offset + length));
      System.arraycopy(bytes, 0, model, offset, length);
    }

    private void read() {
      int length = 1 + random.nextInt(scale / 4 + 1);
      int offset = random.nextInt(scale);
      MemorySegment target = Arena.ofAuto().allocate(length);
      int got = file.read(offset, target);
      if (got == DirtyFile.PARTLY_HERE) {
        settle();
        got = DirtyFile.NOT_HERE;
      }
      int expected = Math.clamp(model.length - offset, 0, length);
      byte[] want =
          expected == 0 ? new byte[0] : Arrays.copyOfRange(model, offset, offset + expected);
      if (got == DirtyFile.NOT_HERE) {
        byte[] stored = node.tree().content(file.ino());
        int end = Math.min(stored.length, offset + length);
        byte[] have = offset >= end ? new byte[0] : Arrays.copyOfRange(stored, offset, end);
        assertArrayEquals(want, have, "the node has it");
      } else {
        assertEquals(expected, got);
        assertArrayEquals(want, target.asSlice(0, got).toArray(ValueLayout.JAVA_BYTE));
      }
      Inode there = node.tree().inode(file.ino());
      Inode overlaid = file.overlay(there);
      Inode seen = overlaid == null ? there : overlaid;
      assertEquals(model.length, seen.getSize(), "length as seen");
    }

    private void commitSoon() {
      waiting++;
      file.commit(
          random.nextBoolean(),
          (inode, failure) -> {
            assertNull(failure);
            waiting--;
          });
    }

    /** As the mount does it: the kernel lets no write in between. */
    private void truncate() {
      int size = random.nextInt(scale);
      file.cutAt(size);
      settle();
      Command.Builder cut =
          Command.newBuilder().setSetAttr(SetAttr.newBuilder().setIno(file.ino()).setSize(size));
      writeBack.session().mutate(cut, false, ignored());
      settle();
      file.baseIs(size);
      model = Arrays.copyOf(model, size);
    }

    private void answerSome() {
      for (int n = random.nextInt(4) + 1; n > 0 && !answers.isEmpty(); n--) {
        answers.remove(random.nextInt(answers.size())).run();
      }
    }

    private void settle() {
      commitSoon();
      while (!answers.isEmpty()) {
        answerSome();
      }
      assertEquals(0, waiting, "all commits ended");
      assertTrue(file.isClean());
    }
  }

  private static NodeSession.Outcome ignored() {
    return new NodeSession.Outcome() {
      @Override
      public void done(CommandResult result) {}

      @Override
      public void failed(FsException failure) {
        throw failure;
      }
    };
  }
}
