package io.millrace.meta;

import static io.millrace.meta.NamespaceFixture.ROOT;
import static io.millrace.meta.NamespaceFixture.bytes;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.millrace.core.access.Caller;
import io.millrace.core.api.Errno;
import io.millrace.proto.Command;
import io.millrace.proto.OpenSession;
import io.millrace.proto.RemoveXattr;
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

/** What the namespace lets the callers of a client's commands do, as Linux would (H31). */
class AllowedTest {
  private static final int OWNER = 100;
  private static final int OTHER = 200;
  private static final int GROUP = 300;

  @TempDir Path directory;
  private NamespaceFixture fs;
  private long session;
  private long sequence;
  private long home;
  private long sticky;
  private long file;

  @BeforeEach
  void open() {
    fs = new NamespaceFixture(directory.resolve("meta"));
    session = fs.ok(fs.command().setOpenSession(OpenSession.getDefaultInstance())).getSession();
    home = made("home", 0755);
    sticky = made("sticky", 01777);
    file = fs.ok(as(OWNER, fs.creating(home, "f"))).getInode().getIno();
    fs.ok(as(OWNER, fs.creating(sticky, "f")));
  }

  @AfterEach
  void close() {
    fs.close();
  }

  private long made(String name, int mode) {
    long dir = fs.ok(fs.makingDir(ROOT, name)).getInode().getIno();
    fs.ok(set(dir, SetAttr.newBuilder().setMode(mode).setUid(OWNER).setGid(GROUP)));
    return dir;
  }

  private Command.Builder set(long ino, SetAttr.Builder changes) {
    return fs.command().setSetAttr(changes.setIno(ino));
  }

  private Command.Builder as(int uid, Command.Builder command) {
    return command.setSession(session).setSequence(++sequence).setUid(uid).setGid(uid);
  }

  private Command.Builder inGroup(Command.Builder command) {
    return as(OTHER, command).addGroups(7).addGroups(GROUP);
  }

  private void refused(Errno errno, Command.Builder command) {
    assertEquals(errno, fs.errno(command), command.toString());
  }

  private void allowed(Command.Builder command) {
    refused(null, command);
  }

  @Test
  void H31_directoriesChangeOnlyByWhoMayWriteThem() {
    refused(Errno.EACCES, as(OTHER, fs.creating(home, "x")));
    refused(Errno.EACCES, as(OTHER, fs.makingDir(home, "x")));
    refused(Errno.EACCES, as(OTHER, fs.unlinking(home, "f", false)));
    refused(Errno.EACCES, as(OTHER, fs.renaming(home, "f", home, "g", 0)));
    refused(Errno.EACCES, as(OTHER, fs.renaming(home, "f", sticky, "g", 0)));
    allowed(as(OTHER, fs.creating(sticky, "mine")));
    refused(Errno.EACCES, as(OTHER, fs.renaming(sticky, "mine", home, "g", 0)));
    refused(Errno.EACCES, as(OTHER, fs.linking(file, home, "x")));
    refused(Errno.EEXIST, as(OTHER, fs.creating(home, "f")));
    refused(Errno.ENOENT, as(OTHER, fs.unlinking(home, "x", false)));
    allowed(as(OWNER, fs.makingDir(home, "d")));
    refused(Errno.EACCES, as(OTHER, fs.removingDir(home, "d")));
    allowed(as(OWNER, fs.removingDir(home, "d")));
    allowed(as(0, fs.creating(home, "of-root")));
    allowed(fs.creating(home, "of-the-node"));
  }

  @Test
  void H31_groupsCountWhereTheMountNamesThem() {
    fs.ok(set(home, SetAttr.newBuilder().setMode(0775)));
    refused(Errno.EACCES, as(OTHER, fs.creating(home, "x")));
    allowed(inGroup(fs.creating(home, "x")));
    fs.ok(set(home, SetAttr.newBuilder().setMode(0707)));
    refused(Errno.EACCES, inGroup(fs.creating(home, "y")));
    allowed(as(OTHER, fs.creating(home, "y")));
    Command.Builder capable = inGroup(fs.creating(home, "z"));
    allowed(capable.setCapabilities(Caller.DAC_OVERRIDE));
  }

  @Test
  void H31_stickyDirectoriesProtectOthersFiles() {
    allowed(as(OTHER, fs.creating(sticky, "mine")));
    refused(Errno.EPERM, as(OTHER, fs.unlinking(sticky, "f", false)));
    refused(Errno.EPERM, as(OTHER, fs.renaming(sticky, "f", sticky, "g", 0)));
    refused(Errno.EPERM, as(OTHER, fs.renaming(sticky, "mine", sticky, "f", 0)));
    refused(Errno.EPERM, as(OTHER, fs.renaming(sticky, "mine", sticky, "f", 2)));
    refused(Errno.EPERM, as(7, fs.unlinking(sticky, "mine", false)));
    allowed(as(OWNER, fs.renaming(sticky, "mine", sticky, "f", 2)));
    allowed(as(OWNER, fs.unlinking(sticky, "f", false)));
  }

  @Test
  void H31_aDirectoryThatMovesIsWritten() {
    long dir = fs.ok(as(OWNER, fs.makingDir(sticky, "d"))).getInode().getIno();
    fs.ok(set(dir, SetAttr.newBuilder().setMode(0555)));
    refused(Errno.EACCES, as(OWNER, fs.renaming(sticky, "d", home, "d", 0)));
    allowed(as(OWNER, fs.renaming(sticky, "d", sticky, "e", 0)));
  }

  @Test
  void H31_attributesAreTheOwners() {
    SetAttr.Builder mode = SetAttr.newBuilder().setMode(0666);
    refused(Errno.EPERM, as(OTHER, set(file, mode)));
    allowed(as(OWNER, set(file, mode)));
    refused(Errno.EPERM, as(OTHER, set(file, SetAttr.newBuilder().setMtimeNs(5))));
    refused(Errno.EPERM, as(OTHER, set(file, SetAttr.newBuilder().setMtimeNow(true))));
    allowed(as(OTHER, set(file, SetAttr.newBuilder().setMtimeNow(true).setAtimeNow(true))));
    allowed(as(OTHER, set(file, SetAttr.newBuilder().setSize(9))));
    fs.ok(set(file, SetAttr.newBuilder().setMode(0644)));
    SetAttr.Builder touch = SetAttr.newBuilder().setMtimeNow(true).setAtimeNow(true);
    refused(Errno.EACCES, as(OTHER, set(file, touch)));
    refused(Errno.EACCES, as(OTHER, set(file, SetAttr.newBuilder().setSize(3))));
    allowed(as(OTHER, set(file, SetAttr.newBuilder().setSize(3).setOpened(true))));
  }

  @Test
  void H31_onlyRootGivesAwayAndOwnersGiveToTheirGroups() {
    refused(Errno.EPERM, as(OWNER, set(file, SetAttr.newBuilder().setUid(OTHER))));
    refused(Errno.EPERM, as(OTHER, set(file, SetAttr.newBuilder().setUid(OTHER))));
    refused(Errno.EPERM, as(OWNER, set(file, SetAttr.newBuilder().setGid(GROUP))));
    refused(Errno.EPERM, inGroup(set(file, SetAttr.newBuilder().setGid(GROUP))));
    allowed(as(OWNER, set(file, SetAttr.newBuilder().setGid(GROUP))).addGroups(GROUP));
    allowed(as(OWNER, set(file, SetAttr.newBuilder().setUid(OWNER).setGid(OWNER))));
    allowed(as(0, set(file, SetAttr.newBuilder().setUid(OTHER))));
  }

  private Command.Builder attribute(long ino, String name, byte[] value) {
    return fs.command()
        .setSetXattr(
            SetXattr.newBuilder()
                .setIno(ino)
                .setName(bytes(name))
                .setValue(com.google.protobuf.ByteString.copyFrom(value)));
  }

  private static byte[] listFor(int user) {
    ByteBuffer list = ByteBuffer.allocate(44).order(ByteOrder.LITTLE_ENDIAN).putInt(2);
    for (int[] e :
        new int[][] {{1, 7, -1}, {2, 7, user}, {4, 5, -1}, {0x10, 7, -1}, {0x20, 5, -1}}) {
      list.putShort((short) e[0]).putShort((short) e[1]).putInt(e[2]);
    }
    return list.array();
  }

  @Test
  void H31_accessListsCountAndAreTheOwners() {
    refused(Errno.EPERM, as(OTHER, attribute(home, "system.posix_acl_access", listFor(OTHER))));
    allowed(as(OWNER, attribute(home, "system.posix_acl_access", listFor(OTHER))));
    allowed(as(OTHER, fs.creating(home, "by-list")));
    refused(Errno.EACCES, as(7, fs.creating(home, "not-by-list")));
  }

  @Test
  void H31_extendedAttributesFollowTheirNamespace() {
    byte[] value = {1};
    refused(Errno.EACCES, as(OTHER, attribute(file, "user.a", value)));
    allowed(as(OWNER, attribute(file, "user.a", value)));
    Command.Builder removing =
        fs.command().setRemoveXattr(RemoveXattr.newBuilder().setIno(file).setName(bytes("user.a")));
    refused(Errno.EACCES, as(OTHER, removing));
    refused(Errno.EPERM, as(OWNER, attribute(file, "trusted.a", value)));
    refused(Errno.EPERM, as(OTHER, attribute(sticky, "user.a", value)));
    allowed(as(0, attribute(file, "trusted.a", value)));
    assertEquals(List.of(bytes("trusted.a"), bytes("user.a")), fs.namespace.xattrNames(file));
  }
}
