package io.millrace.meta;

import static io.millrace.meta.NamespaceFixture.ROOT;
import static io.millrace.meta.NamespaceFixture.bytes;
import static io.millrace.meta.NamespaceFixture.extent;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.ByteString;
import io.millrace.core.api.Errno;
import io.millrace.core.api.FsException;
import io.millrace.proto.CloseSession;
import io.millrace.proto.Command;
import io.millrace.proto.CommitContent;
import io.millrace.proto.ContentClass;
import io.millrace.proto.Create;
import io.millrace.proto.Fallocate;
import io.millrace.proto.Inode;
import io.millrace.proto.Mkdir;
import io.millrace.proto.OpenSession;
import io.millrace.proto.ReapOrphan;
import io.millrace.proto.SetAttr;
import io.millrace.proto.SetXattr;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Rules of POSIX and Linux that the state machine keeps. */
class PosixRulesTest {
  private static final long V = 1L << 32;
  private static final ByteString ACCESS = bytes("system.posix_acl_access");
  private static final ByteString DEFAULT = bytes("system.posix_acl_default");
  private static final int USER_OBJ = 1;
  private static final int USER = 2;
  private static final int GROUP_OBJ = 4;
  private static final int MASK = 0x10;
  private static final int OTHER = 0x20;

  @TempDir Path directory;
  private NamespaceFixture fs;

  @BeforeEach
  void open() {
    fs = new NamespaceFixture(directory.resolve("meta"));
  }

  @AfterEach
  void close() {
    fs.close();
  }

  private Command.Builder allocating(
      long ino, long offset, long length, boolean zero, boolean keep) {
    return fs.command()
        .setFallocate(
            Fallocate.newBuilder()
                .setIno(ino)
                .setOffset(offset)
                .setLength(length)
                .setZero(zero)
                .setKeepSize(keep));
  }

  @Test
  void fallocateGrowsAndMakesHoles() {
    long file = fs.file(ROOT, "f");
    fs.ok(fs.committing(file, extent(0, 1000, V, 0)));
    long seq = fs.inode(file).getContentSeq();
    fs.ok(allocating(file, 0, 5000, false, true));
    assertEquals(1000, fs.inode(file).getSize());
    assertEquals(seq, fs.inode(file).getContentSeq(), "no byte has changed");
    fs.ok(allocating(file, 0, 5000, false, false));
    assertEquals(5000, fs.inode(file).getSize());
    fs.ok(allocating(file, 100, 200, true, true));
    assertEquals(seq + 2, fs.inode(file).getContentSeq());
    assertEquals(
        List.of(extent(0, 100, V, 0), extent(300, 700, V, 300)),
        fs.namespace.extents(file, 0, Long.MAX_VALUE));
    fs.ok(allocating(file, 4900, 200, true, false));
    assertEquals(5100, fs.inode(file).getSize());
    fs.ok(allocating(file, 0, 6000, true, true));
    assertEquals(List.of(), fs.namespace.extents(file, 0, Long.MAX_VALUE));
    assertTrue(fs.namespace.garbage(10).stream().anyMatch(g -> g.getVersion() == V));
    assertEquals(5100, fs.inode(file).getSize());
  }

  @Test
  void fallocateRefusesWhatCannotBe() {
    long file = fs.file(ROOT, "f");
    assertEquals(Errno.EINVAL, fs.errno(allocating(file, 0, 0, false, false)));
    assertEquals(Errno.EINVAL, fs.errno(allocating(file, -1, 5, false, false)));
    assertEquals(Errno.EFBIG, fs.errno(allocating(file, 1L << 62, 1L << 62, false, false)));
    assertEquals(Errno.EINVAL, fs.errno(allocating(ROOT, 0, 1, false, false)));
  }

  private long session() {
    return fs.ok(fs.command().setOpenSession(OpenSession.getDefaultInstance())).getSession();
  }

  private Command.Builder unnamed(long session, long sequence) {
    return fs.command()
        .setSession(session)
        .setSequence(sequence)
        .setCreate(Create.newBuilder().setDir(ROOT).setMode(0600).setUnnamed(true));
  }

  @Test
  void unnamedFileGetsANameOrIsReaped() {
    long session = session();
    Inode file = fs.ok(unnamed(session, 1)).getInode();
    assertEquals(0, file.getNlink());
    assertEquals(List.of(), fs.names(ROOT));
    fs.ok(fs.committing(file.getIno(), extent(0, 10, V, 0)));
    assertEquals(1, fs.ok(fs.linking(file.getIno(), ROOT, "n")).getInode().getNlink());
    assertEquals(List.of(), fs.namespace.orphans());
    fs.ok(fs.command().setReapOrphan(ReapOrphan.newBuilder().addIno(file.getIno())));
    assertEquals(10, fs.at("/n").getSize());
    assertEquals(2, fs.ok(fs.linking(file.getIno(), ROOT, "n2")).getInode().getNlink());
    long other = fs.ok(unnamed(session, 2)).getInode().getIno();
    fs.reopen();
    assertEquals(List.of(other), fs.namespace.orphans());
    fs.ok(fs.command().setCloseSession(CloseSession.newBuilder().setSession(session)));
    assertThrows(FsException.class, () -> fs.inode(other));
    assertEquals(2, fs.namespace.inodes(), "root and n");
  }

  @Test
  void onlyAFileThatNeverHadANameMayGetOne() {
    long file = fs.file(ROOT, "f");
    fs.ok(fs.unlinking(ROOT, "f", true));
    assertEquals(Errno.ENOENT, fs.errno(fs.linking(file, ROOT, "g")));
    assertEquals(Errno.EINVAL, fs.errno(unnamed(0, 0)), "nobody would reap it");
  }

  @Test
  void unnamedFileInALinkIsExportedOnceItHasAName() {
    long dir = fs.dir(ROOT, "l");
    int link = fs.link(dir);
    long file = fs.ok(unnamed(session(), 1)).getInode().getIno();
    assertEquals(0, fs.namespace.pendingChanges(link));
    fs.ok(fs.linking(file, dir, "n"));
    assertEquals(ContentClass.DIRTY, fs.inode(file).getContentClass());
    assertEquals(file, fs.namespace.changes(link, 0, 10).getFirst().getIno());
  }

  @Test
  void H06_theseCommandsComeTwiceAndCountOnce() {
    long session = session();
    Command.Builder tmpfile = unnamed(session, 1);
    long file = fs.ok(tmpfile).getInode().getIno();
    assertEquals(file, fs.ok(tmpfile).getInode().getIno());
    Command.Builder grow = allocating(file, 0, 100, false, false);
    grow.setSession(session).setSequence(2);
    long seq = fs.ok(grow).getInode().getContentSeq();
    fs.ok(fs.resizing(file, 10));
    assertEquals(seq, fs.ok(grow).getInode().getContentSeq());
    assertEquals(10, fs.inode(file).getSize(), "the second one did nothing");
  }

  private static ByteString acl(int... tagPermissionsId) {
    ByteBuffer to =
        ByteBuffer.allocate(4 + tagPermissionsId.length / 3 * 8).order(ByteOrder.LITTLE_ENDIAN);
    to.putInt(2);
    for (int i = 0; i < tagPermissionsId.length; i += 3) {
      to.putShort((short) tagPermissionsId[i]).putShort((short) tagPermissionsId[i + 1]);
      to.putInt(tagPermissionsId[i + 2]);
    }
    return ByteString.copyFrom(to.array());
  }

  private static ByteString acl(int owner, int user5, int group, int mask, int other) {
    return acl(
        USER_OBJ, owner, -1, USER, user5, 5, GROUP_OBJ, group, -1, MASK, mask, -1, OTHER, other,
        -1);
  }

  private Command.Builder setting(long ino, ByteString name, ByteString value) {
    return fs.command()
        .setSetXattr(SetXattr.newBuilder().setIno(ino).setName(name).setValue(value));
  }

  private int permissions(long ino) {
    return fs.inode(ino).getMode() & 07777;
  }

  @Test
  void aclAndModeStayInStep() {
    long file = fs.file(ROOT, "f");
    fs.ok(setting(file, ACCESS, acl(6, 7, 4, 6, 0)));
    assertEquals(0660, permissions(file), "the mask stands for the group");
    fs.ok(fs.command().setSetAttr(SetAttr.newBuilder().setIno(file).setMode(0741)));
    assertEquals(acl(7, 7, 4, 4, 1), fs.namespace.xattr(file, ACCESS).orElseThrow());
    fs.ok(setting(file, ACCESS, acl(USER_OBJ, 6, -1, GROUP_OBJ, 4, -1, OTHER, 4, -1)));
    assertEquals(0644, permissions(file));
    assertFalse(fs.namespace.xattr(file, ACCESS).isPresent(), "the mode says it all");
    assertEquals(Errno.EACCES, fs.errno(setting(file, DEFAULT, acl(6, 6, 6, 6, 0))));
    assertEquals(Errno.EINVAL, fs.errno(setting(file, ACCESS, bytes("nonsense"))));
  }

  @Test
  void newInodesInheritTheDefaultAcl() {
    long dir = fs.dir(ROOT, "d");
    fs.ok(setting(dir, DEFAULT, acl(7, 7, 5, 7, 0)));
    Create.Builder create =
        Create.newBuilder().setDir(dir).setName(bytes("f")).setMode(0100666).setUmask(077);
    long file = fs.ok(fs.command().setCreate(create)).getInode().getIno();
    assertEquals(0660, permissions(file), "no umask where there is a default ACL");
    assertEquals(acl(6, 7, 5, 6, 0), fs.namespace.xattr(file, ACCESS).orElseThrow());
    Mkdir.Builder mkdir =
        Mkdir.newBuilder().setDir(dir).setName(bytes("e")).setMode(0750).setUmask(077);
    long below = fs.ok(fs.command().setMkdir(mkdir)).getInode().getIno();
    assertEquals(0750, permissions(below));
    assertEquals(acl(7, 7, 5, 7, 0), fs.namespace.xattr(below, DEFAULT).orElseThrow());
    Create.Builder plain = create.clone().setDir(ROOT);
    assertEquals(0600, fs.ok(fs.command().setCreate(plain)).getInode().getMode() & 07777);
  }

  @Test
  void attributesOutsideTheNamespacesAreRefused() {
    long file = fs.file(ROOT, "f");
    assertEquals(Errno.EOPNOTSUPP, fs.errno(setting(file, bytes("foo.bar"), bytes("1"))));
    assertEquals(Errno.EOPNOTSUPP, fs.errno(setting(file, bytes("system.x"), bytes("1"))));
    assertFalse(fs.inode(file).getXattrs());
    fs.ok(setting(file, bytes("trusted.x"), bytes("1")));
    assertTrue(fs.inode(file).getXattrs());
  }

  @Test
  void H05_cookieOfARemovedEntryStillHasItsName() {
    long first = fs.ok(fs.creating(ROOT, "a")).getInode().getCookie();
    long second = fs.ok(fs.creating(ROOT, "b")).getInode().getCookie();
    fs.ok(fs.unlinking(ROOT, "a", false));
    fs.ok(fs.renaming(ROOT, "b", ROOT, "c", 0));
    assertEquals(bytes("a"), fs.namespace.nameAt(ROOT, first).orElseThrow());
    assertEquals(bytes("b"), fs.namespace.nameAt(ROOT, second).orElseThrow());
    assertFalse(fs.namespace.nameAt(ROOT, 1000).isPresent());
  }

  @Test
  void writeSetsBothTimesToWhenItWasMade() {
    long file = fs.file(ROOT, "f");
    long written = fs.now + 500;
    CommitContent.Builder commit =
        CommitContent.newBuilder().setIno(file).addExtents(extent(0, 10, V, 0)).setMtimeNs(written);
    fs.ok(fs.command().setCommitContent(commit));
    assertEquals(written, fs.inode(file).getMtimeNs());
    assertEquals(written, fs.inode(file).getCtimeNs());
    commit.setExtents(0, extent(10, 10, V, 10)).setMtimeNs(5);
    fs.ok(fs.command().setCommitContent(commit));
    assertEquals(written, fs.inode(file).getCtimeNs(), "a time set by hand moves it not back");
  }
}
