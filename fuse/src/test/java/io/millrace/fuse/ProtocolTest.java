package io.millrace.fuse;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Requests and replies byte by byte, against a session whose kernel is the test. */
@Timeout(30)
class ProtocolTest {
  private final FakeKernel kernel = new FakeKernel();
  private final BlockingQueue<Object> seen = new LinkedBlockingQueue<>();
  private FuseSession session;

  private void serve(FuseFileSystem fs) throws Exception {
    session = kernel.serve(fs, 1);
  }

  @AfterEach
  void end() throws Exception {
    kernel.hangUp();
    assertEquals(FuseSession.End.FAILED, session.ended().get(10, TimeUnit.SECONDS));
    kernel.close();
  }

  private static String text(byte[] b) {
    return new String(b, StandardCharsets.UTF_8);
  }

  @Test
  void lookupIsDecodedAndEntryLaidOut() throws Exception {
    serve(
        new FuseFileSystem() {
          @Override
          public void lookup(FuseRequest r, long parent) {
            seen.add(text(r.name()) + " " + parent + " " + r.uid() + " " + r.gid() + " " + r.pid());
            EntryOut e = r.entryOut().nodeid(77).generation(5).ttl(1_500_000_000L, 2_000_000_003L);
            e.attributes().size(1000).mode(0100640).nlink(3).owner(8, 9).rdev(4).blksize(512);
            e.attributes().times(10_000_000_001L, 20_000_000_002L, -1L);
            r.entry(e);
          }
        });
    kernel.send(FuseOpcode.LOOKUP, 6, 12, "näme");
    FakeKernel.Reply reply = kernel.receive();
    assertEquals("näme 12 1001 1002 1003", seen.take());
    assertEquals(0, reply.error());
    assertEquals(6, reply.unique());
    MemorySegment b = reply.body();
    assertEquals(128, b.byteSize());
    assertEquals(77, b.get(Wire.U64, 0));
    assertEquals(5, b.get(Wire.U64, 8));
    assertEquals(1, b.get(Wire.U64, 16));
    assertEquals(2, b.get(Wire.U64, 24));
    assertEquals(500_000_000, b.get(Wire.U32, 32));
    assertEquals(3, b.get(Wire.U32, 36));
    assertAttributes(b.asSlice(40));
    assertEquals(1, session.lookups().count(77));
    assertEquals(1, session.requests(FuseOpcode.LOOKUP));
  }

  private static void assertAttributes(MemorySegment a) {
    long[] longs = new long[6];
    int[] ints = new int[10];
    Arrays.setAll(longs, i -> a.get(Wire.U64, 8L * i));
    Arrays.setAll(ints, i -> a.get(Wire.U32, 48 + 4L * i));
    assertArrayEquals(new long[] {77, 1000, 2, 10, 20, -1}, longs);
    assertArrayEquals(new int[] {1, 2, 999_999_999, 0100640, 3, 8, 9, 4, 512, 0}, ints);
  }

  @Test
  void locksAreDecodedAndLaidOut() throws Exception {
    serve(
        new FuseFileSystem() {
          @Override
          public void setlk(FuseRequest r, long nodeid, FileLock lock, boolean wait) {
            seen.add(nodeid + " " + lock + " " + wait);
            r.ok();
          }

          @Override
          public void getlk(FuseRequest r, long nodeid, FileLock lock) {
            r.lock(new FileLock(0, 0, 5, Long.MAX_VALUE, FileLock.READ, 77, false));
          }

          @Override
          public void flush(FuseRequest r, long nodeid, long fh) {
            seen.add(fh + " " + r.lockOwner());
            r.ok();
          }
        });
    kernel.send(FuseOpcode.SETLKW, 2, 9, 3L, 4L, 5L, 6L, 1, 7, 1, 0);
    assertEquals(0, kernel.receive().error());
    assertEquals("9 " + new FileLock(3, 4, 5, 6, FileLock.WRITE, 7, true) + " true", seen.take());
    kernel.send(FuseOpcode.FLUSH, 4, 9, 3L, 0, 0, 4L);
    assertEquals(0, kernel.receive().error());
    assertEquals("3 4", seen.take());
    kernel.send(FuseOpcode.GETLK, 6, 9, 3L, 4L, 0L, 6L, 0, 7, 0, 0);
    MemorySegment found = kernel.receive().body();
    assertEquals(24, found.byteSize());
    assertEquals(5, found.get(Wire.U64, 0));
    assertEquals(Long.MAX_VALUE, found.get(Wire.U64, 8));
    assertEquals(0, found.get(Wire.U32, 16));
    assertEquals(77, found.get(Wire.U32, 20));
  }

  @Test
  void namesOfEachOperation() throws Exception {
    serve(
        new FuseFileSystem() {
          @Override
          public void rename(FuseRequest r, long parent, long newParent, int flags) {
            seen.add(parent + text(r.name()) + newParent + text(r.secondName()) + flags);
            r.ok();
          }

          @Override
          public void symlink(FuseRequest r, long parent) {
            seen.add(text(r.name()) + "->" + text(r.secondName()));
            r.ok();
          }

          @Override
          public void setxattr(FuseRequest r, long nodeid, int flags) {
            seen.add(text(r.name()) + "=" + text(r.xattrValue()) + flags);
            r.ok();
          }

          @Override
          public void link(FuseRequest r, long nodeid, long newParent) {
            seen.add(nodeid + " " + newParent + text(r.name()));
            r.ok();
          }

          @Override
          public void mknod(FuseRequest r, long parent, int mode, int umask, int rdev) {
            seen.add(text(r.name()) + mode + " " + umask + " " + rdev);
            r.ok();
          }

          @Override
          public void create(FuseRequest r, long parent, int flags, int mode, int umask) {
            seen.add(text(r.name()) + flags + " " + mode + " " + umask + r.openKillsSetuid());
            r.ok();
          }
        });
    assertEquals("3old4new1", ask(FuseOpcode.RENAME2, 3, 4L, 1, 0, "old", "new"));
    assertEquals("3old4new0", ask(FuseOpcode.RENAME, 3, 4L, "old", "new"));
    assertEquals("a->b/c", ask(FuseOpcode.SYMLINK, 1, "a", "b/c"));
    assertEquals("user.k=v12", ask(FuseOpcode.SETXATTR, 1, 2, 2, "user.k", new byte[] {'v', '1'}));
    assertEquals("9 1n", ask(FuseOpcode.LINK, 1, 9L, "n"));
    assertEquals("p1 2 3", ask(FuseOpcode.MKNOD, 1, 1, 3, 2, 0, "p"));
    assertEquals("c1 2 3true", ask(FuseOpcode.CREATE, 1, 1, 2, 3, 1, "c"));
  }

  private Object ask(int opcode, long nodeid, Object... parts) throws Exception {
    kernel.send(opcode, 2, nodeid, parts);
    assertEquals(0, kernel.receive().error());
    return seen.take();
  }

  @Test
  void dataComesFromSeveralSegmentsInOrder() throws Exception {
    try (Arena arena = Arena.ofShared()) {
      MemorySegment[] parts = {arena.allocateFrom("ab"), arena.allocateFrom("cde"), null};
      parts[0] = parts[0].asSlice(0, 2);
      serve(
          new FuseFileSystem() {
            @Override
            public void read(FuseRequest r, long nodeid, long fh, long offset, int size) {
              seen.add(nodeid + " " + fh + " " + offset + " " + size);
              r.data(parts, 2);
            }
          });
      kernel.send(FuseOpcode.READ, 8, 5, 6L, 4096L, 100, 0, 0L, 0, 0);
      MemorySegment body = kernel.receive().body();
      assertEquals("5 6 4096 100", seen.take());
      assertArrayEquals(
          "abcde\0".getBytes(StandardCharsets.UTF_8), body.toArray(ValueLayout.JAVA_BYTE));
    }
  }

  @Test
  void heapSegmentsAreRefusedBeforeTheRequestIsClaimed() throws Exception {
    serve(
        new FuseFileSystem() {
          @Override
          public void read(FuseRequest r, long nodeid, long fh, long offset, int size) {
            MemorySegment heap = MemorySegment.ofArray(new byte[1]);
            assertThrows(IllegalArgumentException.class, () -> r.data(heap));
            assertThrows(IllegalArgumentException.class, () -> r.error(0));
            r.error(7);
          }
        });
    kernel.send(FuseOpcode.READ, 8, 5, 6L, 0L, 100, 0, 0L, 0, 0);
    assertEquals(-7, kernel.receive().error());
  }

  @Test
  void aTakenPayloadOutlivesTheNextWrite() throws Exception {
    serve(
        new FuseFileSystem() {
          @Override
          public void write(FuseRequest r, long nodeid, long fh, long offset, int size) {
            assertEquals(0, r.payload().address() % 4096);
            seen.add(r.takePayload());
            r.written(size);
          }
        });
    kernel.send(FuseOpcode.WRITE, 2, 5, 6L, 0L, 2, 0, 0L, 0, 0, new byte[] {'a', 'b'});
    assertEquals(2, kernel.receive().body().get(Wire.U32, 0));
    kernel.send(FuseOpcode.WRITE, 4, 5, 6L, 0L, 1, 0, 0L, 0, 0, new byte[] {'c'});
    kernel.receive();
    try (PayloadBuffer first = (PayloadBuffer) seen.take();
        PayloadBuffer second = (PayloadBuffer) seen.take()) {
      assertEquals("ab", text(first.data().toArray(ValueLayout.JAVA_BYTE)));
      assertEquals("c", text(second.data().toArray(ValueLayout.JAVA_BYTE)));
    }
  }

  @Test
  void aWriteThatClaimsMoreThanItBringsIsRefused() throws Exception {
    serve(new FuseFileSystem() {});
    kernel.send(FuseOpcode.WRITE, 2, 5, 6L, 0L, 200_000, 0, 0L, 0, 0, new byte[] {'a'});
    assertEquals(-22, kernel.receive().error());
  }

  @Test
  void throwingSilenceAndSecondAnswersDoNotEndTheWorker() throws Exception {
    serve(
        new FuseFileSystem() {
          @Override
          public void getattr(FuseRequest r, long nodeid, long fh) {
            switch ((int) nodeid) {
              case 2 -> throw new IllegalStateException("thrown by the test");
              case 3 -> {}
              case 4 -> throw new StackOverflowError();
              case 5 -> {
                r.detach();
                throw new IllegalStateException("thrown after detach by the test");
              }
              case 6 -> {
                r.error(9);
                r.error(10);
              }
              default -> r.attr(r.attributesOut().size(3), 0);
            }
          }

          @Override
          public int errnoOf(Throwable failure) {
            return failure instanceof StackOverflowError ? 40 : 5;
          }
        });
    int[] errnos = {-5, -5, -40, -5, -9, 0};
    for (int i = 0; i < errnos.length; i++) {
      kernel.send(FuseOpcode.GETATTR, 2 + 2 * i, i + 2, 0, 0, 0L);
      FakeKernel.Reply reply = kernel.receive();
      assertEquals(errnos[i], reply.error());
      assertEquals(2 + 2 * i, reply.unique());
    }
  }

  @Test
  void unknownOperationsAreNotImplemented() throws Exception {
    serve(new FuseFileSystem() {});
    kernel.send(4077, 2, 1, 0L);
    assertEquals(-38, kernel.receive().error());
    kernel.send(FuseOpcode.IOCTL, 4, 1, 0L, 0L, 0L, 0L);
    assertEquals(-25, kernel.receive().error());
    kernel.send(FuseOpcode.RELEASE, 6, 1, 0L, 0L, 0L);
    assertEquals(0, kernel.receive().error());
  }

  @Test
  void aDetachedReplyIsGivenOnce() throws Exception {
    serve(
        new FuseFileSystem() {
          @Override
          public void readlink(FuseRequest r, long nodeid) {
            DetachedReply reply = r.detach();
            assertThrows(IllegalStateException.class, r::ok);
            seen.add(reply);
          }
        });
    kernel.send(FuseOpcode.READLINK, 10, 1);
    DetachedReply reply = (DetachedReply) seen.take();
    assertEquals(1, session.pendingReplies());
    assertTrue(reply.data("x".getBytes(StandardCharsets.UTF_8)));
    assertFalse(reply.error(5));
    assertEquals(1, kernel.receive().body().byteSize());
    assertEquals(0, session.pendingReplies());
  }

  @Test
  void H22_interruptIsAnsweredAtOnceBeforeAndAfterDetach() throws Exception {
    serve(
        new FuseFileSystem() {
          @Override
          public void readlink(FuseRequest r, long nodeid) {
            DetachedReply reply = r.detach();
            reply.answerWhenInterrupted();
            seen.add(reply);
          }
        });
    kernel.send(FuseOpcode.READLINK, 10, 1);
    kernel.send(FuseOpcode.INTERRUPT, 11, 0, 10L);
    assertEquals(-4, kernel.receive().error());
    kernel.send(FuseOpcode.INTERRUPT, 13, 0, 12L);
    kernel.send(FuseOpcode.READLINK, 12, 1);
    assertEquals(-4, kernel.receive().error());
    assertTrue(((DetachedReply) seen.take()).isInterrupted());
    kernel.send(FuseOpcode.INTERRUPT, 15, 0, 12L);
    kernel.send(FuseOpcode.READLINK, 14, 1);
    seen.take();
    ((DetachedReply) seen.take()).ok();
    assertEquals(14, kernel.receive().unique());
  }

  @Test
  void aReplyAfterTheEndWritesNowhere() throws Exception {
    serve(
        new FuseFileSystem() {
          @Override
          public void lookup(FuseRequest r, long parent) {
            seen.add(r.detach());
          }

          @Override
          public void forgotten(long nodeid, long value) {
            seen.add("forgotten " + nodeid);
          }
        });
    kernel.send(FuseOpcode.LOOKUP, 10, 1, "x");
    DetachedReply reply = (DetachedReply) seen.take();
    kernel.hangUp();
    session.ended().get(10, TimeUnit.SECONDS);
    assertFalse(reply.entry(new EntryOut().nodeid(9)));
    assertEquals(0, session.lookups().size());
    assertFalse(session.notifier().incEpoch(_ -> {}));
  }

  @Test
  void lookupsAreCountedForReaddirplusAndForgottenInBatches() throws Exception {
    serve(
        new FuseFileSystem() {
          @Override
          public void readdir(FuseRequest r, long nodeid, long fh, long cookie) {
            DirectoryBuffer out = r.directoryBuffer();
            out.add(new byte[] {'.'}, 1, 1, 0040000);
            for (int i = 2; out.add(new byte[] {'f'}, i, r.entryOut().nodeid(i)); i++) {}
            seen.add(out.entries());
            r.directory(out);
          }

          @Override
          public void forgotten(long nodeid, long value) {
            seen.add(nodeid + ":" + value);
          }
        });
    kernel.send(FuseOpcode.READDIRPLUS, 2, 1, 0L, 0L, 500, 0, 0L, 0, 0);
    assertEquals(160 * 3, kernel.receive().body().byteSize());
    assertEquals(3, seen.take());
    assertEquals(2, session.lookups().size());
    session.lookups().setValue(3, 42);
    kernel.send(FuseOpcode.READDIR, 4, 1, 0L, 0L, 500, 0, 0L, 0, 0);
    assertEquals(32 * 15, kernel.receive().body().byteSize());
    assertEquals(15, seen.take());
    kernel.send(FuseOpcode.BATCH_FORGET, 6, 0, 2, 0, 2L, 1L, 3L, 1L);
    assertEquals("2:0", seen.take());
    assertEquals("3:42", seen.take());
    assertEquals(0, session.lookups().size());
  }
}
