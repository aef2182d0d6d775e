package io.millrace.testkit.model;

import io.millrace.testkit.model.Operation.Kind;
import io.millrace.testkit.posix.Syscalls;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/**
 * Operations on two fresh directories, one on each file system, each operation's outcome compared.
 * One thread. On close both directories are gone again.
 */
final class Episode implements AutoCloseable {
  private static final int EOPNOTSUPP = 95;

  private final Machine machine;
  private final TimeClass times = TimeClass.fromNow();
  private final String oracleRoot;
  private final Side oracle;
  private final Side tested;

  Episode(Machine machine, String name, RandomBytes random) {
    this.machine = machine;
    this.oracleRoot = make(machine.oracle(), name);
    make(machine.mounts().getFirst(), name);
    this.oracle = new Side(List.of(oracleRoot), false, random, times);
    List<String> roots = machine.mounts().stream().map(m -> m.resolve(name).toString()).toList();
    this.tested = new Side(roots, roots.size() > 1, random, times);
  }

  private static String make(Path parent, String name) {
    var calls = new Syscalls();
    String path = parent.resolve(name).toString();
    long made = Math.min(calls.mkdir(path, 0777), calls.chmod(path, 0777));
    if (made < 0) {
      throw new Difference("can't make " + path + ": errno " + -made);
    }
    return path;
  }

  /** Does one operation on both; the oracle's result. */
  long step(Operation op) {
    if (op.kind() == Kind.FALLOCATE && !supports(op.flags())) {
      return -EOPNOTSUPP;
    }
    Outcome wanted = oracle.perform(op);
    Outcome got = tested.perform(op);
    if (!wanted.equals(got)) {
      throw new Difference(op + "\n  wanted " + wanted + "\n  got    " + got + bytes(op, got));
    }
    happen(op.kind());
    if (tested.roots().size() > 1) {
      int[] gone = oracle.gone();
      oracle.closeSlots(gone);
      tested.closeSlots(gone);
    }
    return wanted.result();
  }

  /** Modes that FUSE or the product can't do yet are nobody's difference. */
  private boolean supports(int mode) {
    return machine.fallocateModes().contains(mode);
  }

  private String bytes(Operation op, Outcome got) {
    boolean read = op.kind() == Kind.READ || op.kind() == Kind.PREAD;
    if (!read || got.result() <= 0) {
      return "";
    }
    var have = tested.lastRead(got.result());
    long at = oracle.lastRead(got.result()).mismatch(have);
    return "\n  first byte that differs: " + at + " of " + got.result();
  }

  private void happen(Kind kind) {
    try {
      if (kind == Kind.REMOUNT) {
        machine.remount();
      } else if (kind == Kind.RESTART_NODE) {
        machine.restartNode();
      }
    } catch (Exception e) {
      throw new Difference(kind + " failed", e);
    }
  }

  /** Compares the trees as every mount shows them; gives the paths there are. */
  Map<String, String> compareTrees() {
    var wanted = FileTree.below(oracleRoot, oracle.calls(), times);
    for (String root : tested.roots()) {
      String difference = FileTree.difference(wanted, FileTree.below(root, tested.calls(), times));
      if (!difference.isEmpty()) {
        throw new Difference("the trees differ at " + root + ":" + difference);
      }
    }
    return wanted;
  }

  /** All closed and removed, nothing may be left. */
  void end() {
    Outcome wanted = oracle.closeAll();
    Outcome got = tested.closeAll();
    if (!wanted.equals(got)) {
      throw new Difference("closing all: wanted " + wanted + " got " + got);
    }
    compareTrees();
    FileTree.clear(oracleRoot, oracle.calls());
    FileTree.clear(tested.roots().getFirst(), tested.calls());
    compareTrees();
  }

  @Override
  public void close() {
    oracle.close();
    tested.close();
    FileTree.clear(oracleRoot, oracle.calls());
    FileTree.clear(tested.roots().getFirst(), tested.calls());
    oracle.calls().unlink(oracleRoot, Syscalls.AT_REMOVEDIR);
    tested.calls().unlink(tested.roots().getFirst(), Syscalls.AT_REMOVEDIR);
  }
}
