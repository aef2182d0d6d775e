package io.millrace.node;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.ByteString;
import io.millrace.core.api.Errno;
import io.millrace.core.api.FsException;
import io.millrace.core.wire.ChannelConfig;
import io.millrace.core.wire.LocalNodeChannel;
import io.millrace.core.wire.NettyNodeChannel;
import io.millrace.core.wire.Op;
import io.millrace.proto.AdminReply;
import io.millrace.proto.AdminRequest;
import io.millrace.proto.Command;
import io.millrace.proto.Create;
import io.millrace.proto.EntryReply;
import io.millrace.proto.InodeRequest;
import io.millrace.proto.MutateRequest;
import io.millrace.proto.PathAt;
import io.millrace.proto.PutLink;
import io.millrace.proto.ReadReply;
import io.millrace.proto.ReadRequest;
import io.millrace.proto.SetXattr;
import io.millrace.proto.WriteReply;
import io.millrace.proto.XattrReply;
import io.millrace.proto.XattrRequest;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
final class NodeTest {
  @TempDir Path directory;
  private NodeFixture fixture;
  private TestClient client;

  @BeforeEach
  void start() {
    fixture = new NodeFixture(directory, 5000);
    client = fixture.client("one");
  }

  @AfterEach
  void stop() {
    fixture.close();
  }

  @Test
  void aColdSmallFileCostsOneRequest() {
    long ino = client.create(TestClient.ROOT, "small").getIno();
    byte[] content = "what is in it".getBytes(StandardCharsets.UTF_8);
    assertEquals(0, client.write(ino, 0, content).getErrno());
    TestClient cold = fixture.client("cold");
    try (var reply = cold.lookup(TestClient.ROOT, "small", 128 << 10)) {
      assertTrue(reply.as(EntryReply.class).getHasContent());
      assertArrayEquals(content, reply.payload().bytes().toArray(ValueLayout.JAVA_BYTE));
    }
    assertEquals(1, fixture.count("node.requests.lookup"));
    assertEquals(0, fixture.count("node.requests.open"));
    assertEquals(0, fixture.count("node.requests.read"));
    assertEquals(1, fixture.count("node.lookup_with_content"));
    NodeFixture.assertEventually(() -> fixture.blocks.pins.get() == 0, "blocks given back");
    NodeFixture.assertEventually(
        () -> cold.channel.buffersInUseBytes() == 0, "client buffers given back");
    NodeFixture.assertEventually(
        () -> fixture.server.buffersInUseBytes() == 0, "server buffers given back");
  }

  @Test
  void H30_contentComesOnlyWhereItIsAskedFor() {
    long ino = client.create(TestClient.ROOT, "small").getIno();
    client.write(ino, 0, new byte[100]);
    assertFalse(client.lookup(TestClient.ROOT, "small").getHasContent());
    try (var reply = client.lookup(TestClient.ROOT, "small", 99)) {
      assertFalse(reply.as(EntryReply.class).getHasContent());
    }
    assertEquals(0, fixture.count("node.lookup_with_content"));
  }

  @Test
  void readsPutExtentsAndHolesTogether() {
    long ino = client.create(TestClient.ROOT, "holes").getIno();
    client.write(ino, 0, filled(1000, 1));
    client.write(ino, 5000, filled(1000, 2));
    client.write(ino, 500, filled(100, 3));
    byte[] expected = new byte[6000];
    Arrays.fill(expected, 0, 1000, (byte) 1);
    Arrays.fill(expected, 5000, 6000, (byte) 2);
    Arrays.fill(expected, 500, 600, (byte) 3);
    assertArrayEquals(expected, client.read(ino, 0, 1 << 20));
    assertArrayEquals(Arrays.copyOfRange(expected, 550, 5500), client.read(ino, 550, 4950));
    assertEquals(0, client.read(ino, 6000, 10).length);
    NodeFixture.assertEventually(() -> fixture.blocks.pins.get() == 0, "blocks given back");
    NodeFixture.assertEventually(
        () -> fixture.buffers.stats().usedBytes() == 0, "gather buffers given back");
  }

  @Test
  void aHitInMemoryNeedsNoOtherThread() {
    long ino = client.create(TestClient.ROOT, "hot").getIno();
    client.write(ino, 0, filled(1000, 1));
    assertArrayEquals(filled(1000, 1), client.read(ino, 0, 1000));
    assertArrayEquals(filled(500, 1), client.read(ino, 500, 1000));
    assertEquals(1, fixture.count("node.read_from_memory_inline"));
    client.write(ino, 0, filled(1000, 2));
    assertArrayEquals(filled(1000, 2), client.read(ino, 0, 1000));
  }

  @Test
  void aWrongChecksumIsRefused() {
    long ino = client.create(TestClient.ROOT, "f").getIno();
    var block =
        io.millrace.proto.WrittenBlock.newBuilder().setIndex(0).setLength(3).setCrc32C(12345);
    var request =
        io.millrace.proto.WriteRequest.newBuilder()
            .setIno(ino)
            .setVersion((long) client.channel.welcome().getSessionNumber() << 32 | 77)
            .addBlocks(block)
            .build();
    var failure =
        assertThrows(
            FsException.class,
            () ->
                client.channel.await(
                    Op.WRITE, request, java.lang.foreign.MemorySegment.ofArray(new byte[3])));
    assertEquals(Errno.EIO, failure.errno());
  }

  @Test
  void H06_aRetriedCommandGetsItsFirstAnswer() {
    var create =
        MutateRequest.newBuilder()
            .setCommand(
                Command.newBuilder()
                    .setFormat(1)
                    .setSession(client.channel.welcome().getSession())
                    .setSequence(1)
                    .setCreate(
                        Create.newBuilder()
                            .setDir(TestClient.ROOT)
                            .setName(ByteString.copyFromUtf8("once"))
                            .setMode(0100644)
                            .setExclusive(true)))
            .build();
    long first = result(create);
    assertEquals(first, result(create));
    assertTrue(first > 0);
  }

  private long result(MutateRequest request) {
    try (var reply = client.channel.await(Op.MUTATE, request, null)) {
      return reply.as(WriteReply.class).getResult().getInode().getIno();
    }
  }

  @Test
  void aClientMayNeitherBeAnotherNorTheNode() {
    TestClient other = fixture.client("other");
    var foreign =
        Command.newBuilder()
            .setSession(other.channel.welcome().getSession())
            .setSequence(1)
            .setCreate(Create.getDefaultInstance());
    assertEquals(Errno.EPERM, refused(foreign));
    var nodes =
        Command.newBuilder()
            .setSession(client.channel.welcome().getSession())
            .setSequence(1)
            .setPutLink(PutLink.getDefaultInstance());
    assertEquals(Errno.EPERM, refused(nodes));
  }

  private Errno refused(Command.Builder command) {
    var request = MutateRequest.newBuilder().setCommand(command).build();
    return assertThrows(FsException.class, () -> client.channel.await(Op.MUTATE, request, null))
        .errno();
  }

  @Test
  void errorsOfCommandsComeInTheirResult() {
    client.create(TestClient.ROOT, "f");
    var again = TestClient.join(client.unlink(TestClient.ROOT, "absent", false));
    assertEquals(Errno.ENOENT.code(), again.getErrno());
  }

  @Test
  void stateIsAnAttribute() {
    long ino = client.create(TestClient.ROOT, "f").getIno();
    assertEquals("cached", xattr(ino, "user.millrace.state"));
    assertEquals("", xattr(ino, ""), "a copy of all attributes must not carry it");
    assertEquals(
        Errno.ENODATA,
        assertThrows(FsException.class, () -> xattr(ino, "user.millrace.reason")).errno());
  }

  @Test
  void madeUpAttributesCannotBeSet() {
    long ino = client.create(TestClient.ROOT, "f").getIno();
    var set =
        Command.newBuilder()
            .setSession(client.channel.welcome().getSession())
            .setSequence(2)
            .setSetXattr(
                SetXattr.newBuilder()
                    .setIno(ino)
                    .setName(ByteString.copyFromUtf8("user.millrace.state")));
    assertEquals(Errno.EOPNOTSUPP, refused(set));
    assertEquals("cached", xattr(ino, "user.millrace.state"));
  }

  private String xattr(long ino, String name) {
    var request =
        XattrRequest.newBuilder().setIno(ino).setName(ByteString.copyFromUtf8(name)).build();
    try (var reply = client.channel.await(Op.XATTR, request, null)) {
      return reply.as(XattrReply.class).getValue().toStringUtf8();
    }
  }

  @Test
  void theCommandLineNeedsNoSession() {
    var config = ChannelConfig.admin("127.0.0.1", fixture.server.port(), "cli");
    try (var admin = NettyNodeChannel.open(config)) {
      var request = AdminRequest.newBuilder().setPathAt(PathAt.newBuilder().setIno(9)).build();
      try (var reply = admin.await(Op.ADMIN, request, null)) {
        assertEquals("/at/9", reply.as(AdminReply.class).getPath().toStringUtf8());
      }
    }
    assertEquals(1, fixture.node.sessionCount());
  }

  @Test
  void syncReachesTheDisk() {
    client.create(TestClient.ROOT, "f");
    int before = fixture.blocks.syncs.get();
    client.channel.await(Op.SYNC, InodeRequest.getDefaultInstance(), null).close();
    assertTrue(fixture.blocks.syncs.get() > before);
  }

  @Test
  void replacedContentIsCollected() {
    long ino = client.create(TestClient.ROOT, "f").getIno();
    client.write(ino, 0, filled(1000, 1));
    client.write(ino, 0, filled(1000, 2));
    NodeFixture.assertEventually(
        () -> fixture.count("node.garbage_block_dropped") == 1, "old block dropped");
    assertArrayEquals(filled(1000, 2), client.read(ino, 0, 1000));
    TestClient.join(client.unlink(TestClient.ROOT, "f", false));
    NodeFixture.assertEventually(() -> fixture.blocks.usage().blocks() == 0, "all blocks dropped");
  }

  @Test
  void inTheSameProcessTheNodeServesOnTheCallersThread() {
    try (var local = new LocalNodeChannel(fixture.node, "here", false);
        var reply = local.await(Op.STATFS, InodeRequest.getDefaultInstance(), null)) {
      assertEquals(2, fixture.node.sessionCount());
      assertTrue(reply.header() instanceof io.millrace.proto.StatfsReply);
    }
    assertEquals(1, fixture.node.sessionCount());
  }

  @Test
  void readAheadInTheSameProcessKeepsNoMemoryOfTheNode() {
    long ino = client.create(TestClient.ROOT, "f").getIno();
    client.write(ino, 0, filled(1000, 1));
    var ahead = ReadRequest.newBuilder().setIno(ino).setLength(1000);
    try (var local = new LocalNodeChannel(fixture.node, "here", false);
        var hint = local.await(Op.READ, ahead.setPrefetch(true).build(), null);
        var bytes = local.await(Op.READ, ahead.setPrefetch(false).build(), null)) {
      assertEquals(0, hint.payload().bytes().byteSize());
      assertEquals(1000, hint.as(ReadReply.class).getSize());
      assertEquals(1000, bytes.payload().bytes().byteSize());
      assertEquals(1, fixture.blocks.pins.get());
    }
  }

  @Test
  void aMutationSurvivesTheNodesRestart() {
    client.create(TestClient.ROOT, "before");
    fixture.stop();
    var during =
        client.mutate(
            Command.newBuilder()
                .setCreate(
                    Create.newBuilder()
                        .setDir(TestClient.ROOT)
                        .setName(ByteString.copyFromUtf8("during"))
                        .setMode(0100644)));
    fixture.start();
    assertEquals(0, TestClient.join(during).getErrno());
    assertEquals(List.of("before", "during"), client.list(TestClient.ROOT));
    assertEquals(1, client.lost.get());
  }

  private static byte[] filled(int length, int value) {
    byte[] bytes = new byte[length];
    Arrays.fill(bytes, (byte) value);
    return bytes;
  }
}
