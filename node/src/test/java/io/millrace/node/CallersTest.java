package io.millrace.node;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import com.google.protobuf.ByteString;
import io.millrace.core.access.Squash;
import io.millrace.core.api.Errno;
import io.millrace.core.api.FsException;
import io.millrace.core.wire.Op;
import io.millrace.proto.Command;
import io.millrace.proto.CommandResult;
import io.millrace.proto.Create;
import io.millrace.proto.Inode;
import io.millrace.proto.OpenRequest;
import io.millrace.proto.SetAttr;
import io.millrace.proto.Unlink;
import java.nio.file.Path;
import java.util.concurrent.ExecutionException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A client that asks what its kernel would have refused. */
@Timeout(60)
final class CallersTest {
  private static final int O_RDWR = 2;
  private static final int O_EXEC = 040;
  private static final int USER = 1000;
  private static final int ANOTHER = 1001;
  @TempDir Path directory;
  private NodeFixture fixture;
  private TestClient client;

  private void start(Squash squash) {
    fixture = new NodeFixture(directory, 60_000, squash);
    client = fixture.client("raw");
  }

  @AfterEach
  void stop() {
    fixture.close();
  }

  private CommandResult run(int uid, Command.Builder command) {
    return TestClient.join(client.mutate(command.setUid(uid).setGid(uid)));
  }

  private Inode create(int uid, String name, int mode) {
    var op =
        Create.newBuilder()
            .setDir(TestClient.ROOT)
            .setName(ByteString.copyFromUtf8(name))
            .setMode(mode);
    return run(uid, Command.newBuilder().setCreate(op)).getInode();
  }

  private static Command.Builder unlink(String name) {
    var op = Unlink.newBuilder().setDir(TestClient.ROOT).setName(ByteString.copyFromUtf8(name));
    return Command.newBuilder().setUnlink(op);
  }

  private static Command.Builder chmod(long ino, int mode) {
    return Command.newBuilder().setSetAttr(SetAttr.newBuilder().setIno(ino).setMode(mode));
  }

  private Errno open(OpenRequest.Builder request) {
    try {
      client.channel.await(Op.OPEN, request.build(), null).close();
      return null;
    } catch (FsException e) {
      return e.errno();
    }
  }

  private static OpenRequest.Builder opening(int uid, long ino, int flags) {
    return OpenRequest.newBuilder().setIno(ino).setUid(uid).setGid(uid).setFlags(flags);
  }

  @Test
  void H31_commandsThatTheKernelWouldRefuseAreRefused() {
    start(Squash.NONE);
    run(0, chmod(TestClient.ROOT, 01777));
    long ino = create(USER, "f", 0640).getIno();
    assertEquals(Errno.EPERM.code(), run(ANOTHER, unlink("f")).getErrno());
    assertEquals(Errno.EPERM.code(), run(ANOTHER, chmod(ino, 0777)).getErrno());
    assertEquals(Errno.EACCES, open(opening(ANOTHER, ino, 0)));
    assertEquals(Errno.EACCES, open(opening(ANOTHER, ino, 0).addGroups(USER).setFlags(O_RDWR)));
    assertEquals(null, open(opening(ANOTHER, ino, 0).addGroups(USER)));
    assertEquals(Errno.EACCES, open(opening(USER, ino, O_EXEC)));
    assertEquals(null, open(opening(USER, ino, O_RDWR)));
    assertEquals(null, open(opening(0, ino, O_RDWR)));
    assertEquals(0, run(0, unlink("f")).getErrno());
  }

  @Test
  void noClientKeepsARemovalFromTheBucket() {
    start(Squash.NONE);
    create(0, "f", 0640);
    Command.Builder forgetting = unlink("f");
    forgetting.getUnlinkBuilder().setForget(true);
    var refusal = assertThrows(ExecutionException.class, client.mutate(forgetting)::get);
    assertEquals(Errno.EPERM, ((FsException) refusal.getCause()).errno());
    assertEquals(0, run(0, unlink("f")).getErrno());
  }

  @Test
  void H31_rootIsNobodyWhereItIsSquashed() {
    start(Squash.ROOT);
    assertEquals(Errno.EACCES.code(), run(0, creating("f")).getErrno(), "the root is root's");
    long ino = given(01777, USER, "f");
    assertEquals(Errno.EPERM.code(), run(0, unlink("f")).getErrno());
    assertEquals(Errno.EPERM.code(), run(0, chmod(ino, 0777)).getErrno());
    assertEquals(Errno.EACCES, open(opening(0, ino, 0)));
    assertEquals(Errno.EACCES, open(opening(ANOTHER, ino, 0).setCapabilities(-1L)), "claimed");
    Inode nobodys = create(0, "g", 0644);
    assertEquals(Squash.NOBODY, nobodys.getUid());
    assertEquals(Squash.NOBODY, nobodys.getGid());
    assertEquals(0, run(0, unlink("g")).getErrno());
    assertEquals(0, run(USER, unlink("f")).getErrno());
  }

  @Test
  void H31_allAreNobodyWhereAllAreSquashed() {
    start(Squash.ALL);
    long ino = given(01777, USER, "f");
    assertEquals(Squash.NOBODY, fixture.namespace.inode(ino).getUid());
    assertEquals(0, run(ANOTHER, unlink("f")).getErrno());
    var closing = chmod(TestClient.ROOT, 0700).setFormat(1).setNowNs(1).build();
    fixture.namespace.apply(closing, false);
    assertEquals(Errno.EACCES, open(opening(USER, TestClient.ROOT, 0)));
    assertEquals(Errno.EACCES.code(), run(0, creating("g")).getErrno());
  }

  private static Command.Builder creating(String name) {
    var op =
        Create.newBuilder()
            .setDir(TestClient.ROOT)
            .setName(ByteString.copyFromUtf8(name))
            .setMode(0644);
    return Command.newBuilder().setCreate(op);
  }

  /** The node's own commands are not squashed. */
  private long given(int rootMode, int uid, String name) {
    var own = chmod(TestClient.ROOT, rootMode).setFormat(1).setNowNs(1).build();
    fixture.namespace.apply(own, false);
    return create(uid, name, 0600).getIno();
  }
}
