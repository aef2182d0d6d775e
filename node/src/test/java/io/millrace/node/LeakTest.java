package io.millrace.node;

import static io.millrace.node.NodeFixture.assertEventually;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.millrace.core.api.BlockId;
import io.millrace.core.api.BlockStore.Kind;
import io.millrace.core.api.FsException;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Blocks that were stored and never committed, and files without a name whose client is gone. */
class LeakTest {
  private static final byte[] BYTES = {1, 2, 3, 4, 5};

  @TempDir private Path directory;
  private NodeFixture fixture;

  @BeforeEach
  void start() {
    fixture = new NodeFixture(directory, 5000);
  }

  @AfterEach
  void stop() {
    fixture.close();
  }

  private boolean has(BlockId id) {
    return fixture.blocks.contains(id);
  }

  @Test
  void H16_blocksNeverCommittedGoWhenTheirSessionHasEnded() {
    TestClient dies = fixture.client("dies");
    TestClient lives = fixture.client("lives");
    long ino = dies.create(TestClient.ROOT, "f").getIno();
    BlockId leaked = dies.store(ino, BYTES);
    dies.write(ino, 0, BYTES);
    long other = lives.create(TestClient.ROOT, "g").getIno();
    BlockId onItsWay = lives.store(other, BYTES);
    dies.close();
    assertEventually(() -> !has(leaked), "the block of the ended session is dropped");
    assertTrue(has(onItsWay), "a live session may still commit its block");
    assertEquals(0, TestClient.join(lives.commit(onItsWay, BYTES.length)).getErrno());
    assertArrayEquals(BYTES, lives.read(other, 0, BYTES.length));
    assertArrayEquals(BYTES, lives.read(ino, 0, BYTES.length));
    assertEquals(1, fixture.count("node.leaked_block_dropped"));
  }

  @Test
  void H16_blocksOfALifeBeforeGoAfterTheRestart() {
    TestClient client = fixture.client("dies");
    long ino = client.create(TestClient.ROOT, "f").getIno();
    BlockId leaked = client.store(ino, BYTES);
    BlockId needed = client.store(ino, BYTES);
    TestClient.join(client.commit(needed, BYTES.length));
    client.close();
    assertEventually(() -> fixture.namespace.sessions().isEmpty(), "session closed");
    fixture.stop();
    BlockId again = leaked; // as if the collector had not run
    try (var draft = fixture.blocks.begin(again, BYTES.length, Kind.DIRTY)) {
      draft.commit().close();
    }
    fixture.start();
    assertEventually(() -> !has(again), "dropped by the first pass");
    assertTrue(has(needed));
  }

  @Test
  void H16_aSessionCannotPublishBlocksOfAnother() {
    TestClient one = fixture.client("one");
    TestClient two = fixture.client("two");
    long ino = one.create(TestClient.ROOT, "f").getIno();
    BlockId block = one.store(ino, BYTES);
    var refused =
        assertThrows(AssertionError.class, () -> TestClient.join(two.commit(block, BYTES.length)));
    assertTrue(refused.toString().contains("ended"), refused.toString());
    assertEquals(0, TestClient.join(one.commit(block, BYTES.length)).getErrno());
  }

  @Test
  void H13_contentGoesOnlyAfterItsUnlinkSurvivesPowerLoss() {
    TestClient client = fixture.client("one");
    for (int i = 0; i < 10; i++) {
      long ino = client.create(TestClient.ROOT, "f").getIno();
      client.write(ino, 0, BYTES);
      TestClient.join(client.unlink(TestClient.ROOT, "f", false));
      int syncs = fixture.blocks.syncs.get();
      assertEventually(() -> fixture.blocks.usage().blocks() == 0, "content dropped");
      assertTrue(fixture.blocks.syncsAtDrop > syncs, "the unlink could be taken back");
    }
  }

  @Test
  void blocksOfInodesNotGivenOutYetGoBeforeAnythingIsServed() {
    TestClient client = fixture.client("one");
    long ino = client.create(TestClient.ROOT, "f").getIno();
    client.write(ino, 0, BYTES);
    client.close();
    fixture.stop();
    var unborn = new BlockId(ino + 1, 1, 0); // a power cut took its inode and left the block
    try (var draft = fixture.blocks.begin(unborn, BYTES.length, Kind.CLEAN)) {
      draft.commit().close();
    }
    fixture.start();
    assertFalse(has(unborn));
    assertArrayEquals(BYTES, fixture.client("two").read(ino, 0, BYTES.length));
  }

  @Test
  void anOrphanOutlivesItsMakerWhereAnotherHasItOpenAcrossARestart() {
    TestClient maker = fixture.client("maker");
    TestClient reader = fixture.client("reader");
    long ino = maker.create(TestClient.ROOT, "f").getIno();
    maker.write(ino, 0, BYTES);
    reader.lookup(TestClient.ROOT, "f");
    reader.open(ino);
    reader.openHere.add(ino);
    TestClient.join(maker.unlink(TestClient.ROOT, "f", false));
    fixture.stop();
    fixture.start();
    assertArrayEquals(BYTES, reader.read(ino, 0, BYTES.length));
    maker.create(TestClient.ROOT, "g"); // it is back
    maker.close();
    TestClient.join(reader.mutate(created("h")));
    assertArrayEquals(BYTES, reader.read(ino, 0, BYTES.length));
    reader.reap(ino);
    assertEventually(
        () -> fixture.namespace.orphans().isEmpty() && fixture.namespace.sessions().size() == 1,
        "the file and its maker's session are gone");
    assertThrows(FsException.class, () -> fixture.namespace.inode(ino));
  }

  private static io.millrace.proto.Command.Builder created(String name) {
    return io.millrace.proto.Command.newBuilder()
        .setCreate(
            io.millrace.proto.Create.newBuilder()
                .setDir(TestClient.ROOT)
                .setName(com.google.protobuf.ByteString.copyFromUtf8(name))
                .setMode(0100644));
  }
}
