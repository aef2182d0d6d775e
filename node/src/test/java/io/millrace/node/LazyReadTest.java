package io.millrace.node;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.ByteString;
import io.millrace.core.api.BlockId;
import io.millrace.core.api.BlockStore;
import io.millrace.core.api.Errno;
import io.millrace.core.api.FsException;
import io.millrace.core.wire.LocalNodeChannel;
import io.millrace.core.wire.Op;
import io.millrace.proto.Command;
import io.millrace.proto.EntryReply;
import io.millrace.proto.ImportBatch;
import io.millrace.proto.ImportDirectory;
import io.millrace.proto.ImportEntry;
import io.millrace.proto.Inode;
import io.millrace.proto.LinkRecord;
import io.millrace.proto.LookupRequest;
import io.millrace.proto.ObjectVersion;
import io.millrace.proto.OpenReply;
import io.millrace.proto.OpenRequest;
import io.millrace.proto.PutLink;
import io.millrace.proto.ReadRequest;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What a file costs whose content is in the bucket only. */
@Timeout(60)
final class LazyReadTest {
  private static final byte[] CONTENT = "what is in it".getBytes(StandardCharsets.UTF_8);
  private static final ByteString NAME = ByteString.copyFromUtf8("f");

  @TempDir Path directory;
  private final AtomicInteger loads = new AtomicInteger();
  private NodeFixture fixture;
  private LocalNodeChannel channel;
  private long ino;

  @BeforeEach
  void start() {
    fixture = new NodeFixture(directory, 5000);
    channel = new LocalNodeChannel(fixture.node, "here", false);
    int link =
        apply(
                Command.newBuilder()
                    .setPutLink(
                        PutLink.newBuilder()
                            .setLink(
                                LinkRecord.newBuilder().setRoot(TestClient.ROOT).setBucket("b"))))
            .getLinkId();
    var entry =
        ImportEntry.newBuilder()
            .setName(NAME)
            .setSize(CONTENT.length)
            .setObject(
                ObjectVersion.newBuilder()
                    .setEtag(ByteString.copyFromUtf8("e"))
                    .setSize(CONTENT.length));
    var _ =
        apply(
            Command.newBuilder()
                .setImportBatch(
                    ImportBatch.newBuilder()
                        .setLink(link)
                        .addDirectories(
                            ImportDirectory.newBuilder()
                                .setIno(TestClient.ROOT)
                                .addEntries(entry))));
    fixture.source =
        (inode, index, offset, length, urgency) -> {
          loads.incrementAndGet();
          var id = new BlockId(inode.getIno(), inode.getObject().getStream(), index);
          try (var draft = fixture.blocks.begin(id, CONTENT.length, BlockStore.Kind.CLEAN)) {
            draft.bytes().asByteBuffer().put(CONTENT);
            return draft.commit();
          }
        };
  }

  private io.millrace.proto.CommandResult apply(Command.Builder command) {
    var result =
        fixture.namespace.apply(command.setFormat(1).setNowNs(1).setRandom(1).build(), false);
    assertEquals(0, result.getErrno(), result.getMessage());
    return result;
  }

  @AfterEach
  void stop() {
    channel.close();
    fixture.close();
  }

  private boolean lookup() {
    var request =
        LookupRequest.newBuilder().setDir(TestClient.ROOT).setName(NAME).setWantContentUpTo(4096);
    try (var reply = channel.await(Op.LOOKUP, request.build(), null)) {
      ino = reply.as(EntryReply.class).getInode().getIno();
      return reply.as(EntryReply.class).getHasContent();
    }
  }

  private OpenReply open() {
    var request = OpenRequest.newBuilder().setIno(ino).setWantContentUpTo(4096);
    try (var reply = channel.await(Op.OPEN, request.build(), null)) {
      return reply.as(OpenReply.class);
    }
  }

  private byte[] read() {
    var request = ReadRequest.newBuilder().setIno(ino).setLength(4096);
    try (var reply = channel.await(Op.READ, request.build(), null)) {
      return reply.payload().bytes().toArray(ValueLayout.JAVA_BYTE);
    }
  }

  @Test
  void lookupOpenAndReadLookForTheBlockOnceAndLoadIt() {
    assertFalse(lookup());
    assertFalse(open().getHasContent());
    assertArrayEquals(CONTENT, read());
    assertEquals(1, fixture.blocks.looks.get());
    assertEquals(1, loads.get());
    assertTrue(open().getHasContent());
    assertEquals(1, loads.get());
  }

  @Test
  void contentThatCameAfterTheLookupIsServedByTheReadAndThenByOpens() {
    assertFalse(lookup());
    fixture.source.load(fixture.namespace.inode(ino), 0, 0, CONTENT.length, null).close();
    assertArrayEquals(CONTENT, read());
    assertTrue(open().getHasContent());
    assertTrue(lookup());
  }

  @Test
  void openAfterAChangeShowsIt() {
    assertFalse(lookup());
    TestClient other = fixture.client("other");
    assertEquals(
        0, other.write(ino, 0, "WHAT IS IN IT".getBytes(StandardCharsets.UTF_8)).getErrno());
    Inode now = fixture.namespace.inode(ino);
    OpenReply reply = open();
    assertEquals(now.getContentSeq(), reply.getInode().getContentSeq());
    assertEquals("WHAT IS IN IT", new String(read(), StandardCharsets.UTF_8));
  }

  @Test
  void aFailureOfWhatTheCacheSaidIsSeenAgainAndThenTold() {
    assertFalse(lookup());
    fixture.source =
        (inode, index, offset, length, urgency) -> {
          throw new FsException(Errno.ESTALE, "replaced");
        };
    assertEquals(Errno.ESTALE, assertThrows(FsException.class, this::read).errno());
  }
}
