package io.millrace.meta;

import static io.millrace.meta.NamespaceFixture.ROOT;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.millrace.core.api.Errno;
import io.millrace.proto.Command;
import io.millrace.proto.Create;
import io.millrace.proto.OpenSession;
import io.millrace.proto.SetAttr;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Every mode of a directory or file, with and without the sticky bit, for its owner, its group,
 * another and root: the namespace answers each command as a model of Linux's rules says (H31).
 */
class AccessModelTest {
  private static final int OWNER = 100;
  private static final int GROUP = 300;
  private static final int OTHER = 200;
  private static final int[] CALLERS = {OWNER, GROUP, OTHER, 0};
  private static final int R = 4;
  private static final int W = 2;
  private static final int X = 1;

  @TempDir Path directory;
  private NamespaceFixture fs;
  private long session;
  private long sequence;
  private long dir;
  private long free;
  private long file;
  private long theirs;

  @BeforeEach
  void open() {
    fs = new NamespaceFixture(directory.resolve("meta"));
    session = fs.ok(fs.command().setOpenSession(OpenSession.getDefaultInstance())).getSession();
    dir = fs.ok(fs.makingDir(ROOT, "d")).getInode().getIno();
    free = fs.ok(fs.makingDir(ROOT, "free")).getInode().getIno();
    set(dir, 0777, OWNER, GROUP);
    set(free, 0777, 0, 0);
    file = fs.file(dir, "f");
    set(file, 0644, OWNER, GROUP);
    theirs = fs.file(dir, "theirs");
    set(theirs, 0644, OTHER, OTHER);
  }

  @AfterEach
  void close() {
    fs.close();
  }

  private void set(long ino, int mode, int uid, int gid) {
    var op = SetAttr.newBuilder().setIno(ino).setMode(mode).setUid(uid).setGid(gid);
    fs.ok(fs.command().setSetAttr(op));
  }

  /** GROUP is a user whose only claim is his group. */
  private Command.Builder as(int caller, Command.Builder command) {
    int gid = caller == GROUP ? GROUP : caller;
    return command.setSession(session).setSequence(++sequence).setUid(caller).setGid(gid);
  }

  private static boolean may(int caller, int mode, int wanted) {
    int bits = caller == OWNER ? mode >> 6 : caller == GROUP ? mode >> 3 : mode;
    return caller == 0 || (bits & wanted) == wanted;
  }

  private static Errno search(int caller, int mode, Errno then) {
    return may(caller, mode, X) ? then : Errno.EACCES;
  }

  private static Errno change(int caller, int mode) {
    return may(caller, mode, W | X) ? null : Errno.EACCES;
  }

  private static Errno remove(int caller, int mode, int owner) {
    boolean sticky = (mode & 01000) != 0 && caller != 0 && caller != OWNER && caller != owner;
    Errno refused = change(caller, mode);
    return refused == null && sticky ? Errno.EPERM : refused;
  }

  private void expect(Errno errno, int mode, int caller, Command.Builder command) {
    String what = Integer.toOctalString(mode) + " as " + caller + ": " + command.getOpCase();
    assertEquals(errno, fs.errno(as(caller, command)), what);
  }

  @Test
  void H31_everyModeOfADirectoryDecidesAsOnLinux() {
    for (int mode = 0; mode <= 01777; mode++) {
      set(dir, mode, OWNER, GROUP);
      for (int caller : CALLERS) {
        names(mode, caller);
        removals(mode, caller);
      }
    }
  }

  private void names(int mode, int caller) {
    Errno change = change(caller, mode);
    expect(search(caller, mode, Errno.EEXIST), mode, caller, fs.creating(dir, "f"));
    expect(search(caller, mode, Errno.EEXIST), mode, caller, fs.makingDir(dir, "f"));
    expect(search(caller, mode, Errno.EEXIST), mode, caller, fs.linking(theirs, dir, "f"));
    expect(search(caller, mode, Errno.ENOENT), mode, caller, fs.unlinking(dir, "none", false));
    expect(search(caller, mode, Errno.ENOENT), mode, caller, fs.removingDir(dir, "none"));
    Errno gone = change == null ? remove(caller, mode, caller) : search(caller, mode, Errno.ENOENT);
    expect(change, mode, caller, fs.creating(dir, "new"));
    expect(gone, mode, caller, fs.unlinking(dir, "new", false));
    expect(change, mode, caller, fs.makingDir(dir, "new"));
    expect(gone, mode, caller, fs.removingDir(dir, "new"));
    expect(change, mode, caller, fs.linking(file, dir, "new"));
    if (change == null) {
      fs.ok(fs.unlinking(dir, "new", false));
    }
  }

  private void removals(int mode, int caller) {
    Errno mine = remove(caller, mode, OWNER);
    Errno other = remove(caller, mode, OTHER);
    Errno wrongKind = mine == null ? Errno.ENOTDIR : mine;
    expect(wrongKind, mode, caller, fs.removingDir(dir, "f"));
    move(mine, mode, caller, "f", fs.renaming(dir, "f", free, "f", 0));
    move(other, mode, caller, "theirs", fs.renaming(dir, "theirs", free, "theirs", 0));
    Errno both = mine == null ? other : mine;
    expect(both, mode, caller, fs.renaming(dir, "f", dir, "theirs", 2));
    if (both == null) {
      fs.ok(fs.renaming(dir, "f", dir, "theirs", 2));
    }
    fs.ok(fs.creating(free, "in"));
    expect(mine, mode, caller, fs.renaming(free, "in", dir, "f", 0));
    if (mine == null) {
      fs.ok(fs.unlinking(dir, "f", false));
      file = fs.file(dir, "f");
      set(file, 0644, OWNER, GROUP);
    } else {
      fs.ok(fs.unlinking(free, "in", false));
    }
  }

  private void move(Errno errno, int mode, int caller, String name, Command.Builder command) {
    expect(errno, mode, caller, command);
    if (errno == null) {
      fs.ok(fs.renaming(free, name, dir, name, 0));
    }
  }

  @Test
  void H31_everyModeOfAFileDecidesAsOnLinux() {
    for (int mode = 0; mode <= 0777; mode++) {
      set(file, mode, OWNER, GROUP);
      for (int caller : CALLERS) {
        opens(mode, caller);
        attributes(mode, caller);
        set(file, mode, OWNER, GROUP);
      }
    }
  }

  private void opens(int mode, int caller) {
    int[] wanted = {R, W, R | W};
    for (int flags = 0; flags < wanted.length; flags++) {
      Errno errno = may(caller, mode, wanted[flags]) ? null : Errno.EACCES;
      expect(errno, mode, caller, opening(flags));
      Errno truncating = may(caller, mode, wanted[flags] | W) ? null : Errno.EACCES;
      expect(truncating, mode, caller, opening(flags | 01000));
    }
  }

  private Command.Builder opening(int flags) {
    Command.Builder command = fs.creating(dir, "f");
    Create.Builder op = command.getCreate().toBuilder().setExclusive(false).setOpenFlags(flags);
    return command.setCreate(op);
  }

  private void attributes(int mode, int caller) {
    boolean owner = caller == OWNER || caller == 0;
    Errno owners = owner ? null : Errno.EPERM;
    Errno writers = may(caller, mode, W) ? null : Errno.EACCES;
    expect(writers, mode, caller, setting(SetAttr.newBuilder().setSize(0)));
    expect(null, mode, caller, setting(SetAttr.newBuilder().setSize(0).setOpened(true)));
    Errno touch = owner ? null : writers;
    SetAttr.Builder now = SetAttr.newBuilder().setMtimeNow(true);
    expect(owners, mode, caller, setting(now));
    expect(touch, mode, caller, setting(now.setAtimeNow(true)));
    expect(owners, mode, caller, setting(SetAttr.newBuilder().setMtimeNs(1)));
    expect(owners, mode, caller, setting(SetAttr.newBuilder().setMode(mode)));
    Errno roots = caller == 0 ? null : Errno.EPERM;
    expect(roots, mode, caller, setting(SetAttr.newBuilder().setUid(OTHER)));
    fs.ok(setting(SetAttr.newBuilder().setUid(OWNER)));
    expect(roots, mode, caller, setting(SetAttr.newBuilder().setGid(77)));
    expect(owners, mode, caller, setting(SetAttr.newBuilder().setGid(caller == 0 ? 5 : GROUP)));
  }

  private Command.Builder setting(SetAttr.Builder changes) {
    return fs.command().setSetAttr(changes.setIno(file));
  }
}
