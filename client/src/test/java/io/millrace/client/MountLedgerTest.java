package io.millrace.client;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.millrace.core.api.FsException;
import io.millrace.core.api.Ino;
import io.millrace.core.wire.Op;
import io.millrace.proto.Command;
import io.millrace.proto.CommandResult;
import io.millrace.proto.Inode;
import io.millrace.proto.SetAttr;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** H17: what one process notes, the next one finds. */
class MountLedgerTest {
  @TempDir Path dir;
  private Path file;

  @BeforeEach
  void makeFile() throws IOException {
    file = Files.createFile(dir.resolve("ledger"));
  }

  private MountLedger open() throws IOException {
    return MountLedger.open(file);
  }

  @Test
  void H17_eachProcessHasItsOwnNumbers() throws IOException {
    MountLedger first = open();
    assertFalse(first.isTakenOver());
    first.session(77);
    int version = first.nextVersion();
    MountLedger second = open();
    assertTrue(second.isTakenOver());
    assertEquals(first.generation(), second.generation());
    assertEquals(2, second.generation());
    assertEquals(77, second.session());
    assertEquals(version + 1, second.nextVersion());
  }

  @Test
  void H17_handlesAreFoundAgain() throws IOException {
    HandleRows first = open().handles();
    int closed = first.add(10, 100, 1, false);
    int lost = first.add(11, 101, 2, true);
    first.remove(closed);
    first.setLost(lost, true);
    first.add(12, 102, 3, false);
    HandleRows second = open().handles();
    var found = new ArrayList<HandleRows.Left>();
    second.forEach(found::add);
    assertEquals(
        Set.of(
            new HandleRows.Left(lost, 11, 101, 2, true, true),
            new HandleRows.Left(closed, 12, 102, 3, false, false)),
        new HashSet<>(found));
    assertEquals(2, second.add(13, 103, 4, false), "no row in use is given twice");
  }

  @Test
  void heldNodesAreKeptShort() throws IOException {
    HeldNodes first = open().nodes();
    for (long ino = 1; ino <= 200_000; ino++) {
      first.add(ino);
    }
    assertTrue(first.isLoose(100));
    first.rewrite(
        all -> {
          first.add(7_000_000); // comes meanwhile
          for (long ino = 1; ino <= 100; ino++) {
            all.accept(ino);
          }
        });
    assertFalse(first.isLoose(101));
    var found = new TreeSet<Long>();
    open().nodes().forEach(found::add);
    assertEquals(101, found.size());
    assertTrue(found.contains(7_000_000L));
  }

  private static final class Answer implements NodeSession.Outcome {
    private final AtomicReference<CommandResult> result = new AtomicReference<>();

    @Override
    public void done(CommandResult value) {
      result.set(value);
    }

    @Override
    public void failed(FsException failure) {
      throw failure;
    }
  }

  private static Command.Builder touch(long ino) {
    return Command.newBuilder().setSetAttr(SetAttr.newBuilder().setIno(ino).setMode(0600));
  }

  @Test
  void H06_aRequestThatComesAgainKeepsItsNumber() throws IOException {
    var node = new MemoryNode();
    long ino = node.tree().put(Ino.ROOT, "f", new byte[0]);
    var first = new NodeSession(node, open());
    first.mutate(touch(ino), false, 40, new Answer());
    first.mutate(touch(ino), false, 42, new Answer());
    var second = new NodeSession(node, open());
    var numbers = new ArrayList<Long>();
    second.mutate(touch(ino), false, 44, numbered(numbers));
    second.mutate(touch(ino), false, 42, numbered(numbers));
    second.mutate(touch(ino), false, 46, numbered(numbers));
    assertEquals(List.of(3L, 4L), numbers, "42 went under its first number");
    assertEquals(5, node.count(Op.MUTATE));
  }

  private static NodeSession.Outcome numbered(List<Long> numbers) {
    return new NodeSession.Outcome() {
      @Override
      public void numbered(long sequence) {
        numbers.add(sequence);
      }

      @Override
      public void done(CommandResult result) {}

      @Override
      public void failed(FsException failure) {
        throw failure;
      }
    };
  }

  private static WriteBack writeBack(NodeSession session) {
    return new WriteBack(
        session,
        new WriteBuffers(16 << 20),
        InstantSource.system(),
        new WriteBack.Listener() {
          @Override
          public void committed(Inode inode) {}

          @Override
          public void lost(long ino, FsException failure) {}

          @Override
          public void moved(long ino) {}
        },
        Runnable::run);
  }

  @Test
  void H17_onlyUnsentDataIsLost() throws IOException {
    var node = new MemoryNode();
    WriteBack first = writeBack(new NodeSession(node, open()));
    MemorySegment bytes = Arena.ofAuto().allocate(100);
    DirtyFile sent = first.acquire(node.tree().put(Ino.ROOT, "sent", new byte[0]));
    sent.write(0, bytes, 0, false);
    sent.commit(false, (inode, failure) -> {});
    DirtyFile unsent = first.acquire(node.tree().put(Ino.ROOT, "unsent", new byte[0]));
    unsent.write(0, bytes, 0, false);
    DirtyFile again = first.acquire(node.tree().put(Ino.ROOT, "again", new byte[0]));
    again.write(0, bytes, 0, false);
    again.commit(false, (inode, failure) -> {});
    again.write(0, bytes, 0, false);
    MountLedger second = open();
    assertEquals(Map.of(unsent.ino(), 0L, again.ino(), 0L), second.unsent().left());
    second.unsent().forgetLeft();
    assertEquals(Map.of(), open().unsent().left());
  }

  @Test
  void H17_aCommitOnItsWayNamesItsCommand() throws IOException {
    var node = new MemoryNode();
    var held = new ArrayList<Runnable>();
    node.delivery(held::add);
    WriteBack first = writeBack(new NodeSession(node, open()));
    DirtyFile file = first.acquire(node.tree().put(Ino.ROOT, "f", new byte[0]));
    file.write(0, Arena.ofAuto().allocate(100), 0, false);
    file.commit(false, (inode, failure) -> {});
    assertEquals(Map.of(file.ino(), 1L), open().unsent().left());
    file.write(200, Arena.ofAuto().allocate(100), 0, false);
    assertEquals(Map.of(file.ino(), 0L), open().unsent().left(), "nothing carries the second");
  }
}
