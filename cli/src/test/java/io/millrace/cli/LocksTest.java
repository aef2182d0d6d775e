package io.millrace.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Deque;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInfo;
import org.junit.jupiter.api.Timeout;

/** {@code --locks cluster}: programs on two mounts of one node exclude each other. */
@Tag("cluster")
@Timeout(180)
class LocksTest {
  private static Product product;
  private static String server;
  private static Product.Running node;
  private static Path mountA;
  private static Path mountB;
  private final Deque<LockProgram> programs = new ArrayDeque<>();
  private String directory;
  private Path a;
  private Path b;
  private LockProgram one;
  private LockProgram two;

  @BeforeAll
  static void startAll() throws IOException {
    product = new Product();
    server = "127.0.0.1:" + Product.freePort();
    node = startNode();
    mountA = mount("a");
    mountB = mount("b");
  }

  @BeforeEach
  void start(TestInfo test) throws IOException, InterruptedException {
    directory = test.getTestMethod().orElseThrow().getName();
    product.shell(mountA, "mkdir " + directory).expect(0);
    a = mountA.resolve(directory);
    b = mountB.resolve(directory);
    one = program(a);
    two = program(b);
    one.ask("f := file('f')");
    two.ask("f := file('f')");
  }

  private static Product.Running startNode() throws IOException {
    String store = product.scratch().resolve("store").toString();
    return product.start(null, "node", "--dir", store, "--listen", server);
  }

  private static Path mount(String name) throws IOException {
    Path point = product.directory(name);
    product.start(point, "mount", server, point.toString(), "--locks", "cluster");
    return point;
  }

  private LockProgram program(Path where) throws IOException {
    var program = new LockProgram(where);
    programs.push(program);
    return program;
  }

  @AfterEach
  void stop() {
    programs.forEach(LockProgram::close);
  }

  @AfterAll
  static void stopAll() throws IOException {
    product.close();
  }

  @Test
  void H25_byteRangesExcludeEachOtherBetweenMounts() throws Exception {
    assertEquals("None", one.ask("lock(f, 'w', 10, 10)"));
    assertEquals("EAGAIN", two.ask("lock(f, 'r', 15, 1)"));
    assertEquals("None", two.ask("lock(f, 'w', 20, 10)"));
    assertEquals("('w 10 10', 0)", two.ask("test(f, 'w', 0, 100)"), "no process of this machine");
    assertEquals("('w 20 10', 0)", one.ask("test(f, 'r')"));
    LockProgram three = program(a);
    three.ask("f := file('f')");
    assertEquals("('w 10 10', " + one.pid() + ")", three.ask("test(f, 'r')"));
    assertEquals("None", one.ask("lock(f, 'u', 12, 2)"));
    assertEquals("None", two.ask("lock(f, 'r', 12, 2)"));
    assertEquals("None", three.ask("lock(f, 'r', 12, 2)"));
    assertEquals("EAGAIN", one.ask("lock(f, 'w', 12, 1)"));
  }

  @Test
  void H25_closeOfAnyDescriptorEndsTheProcesssRanges() throws Exception {
    one.ask("lock(f, 'w')");
    one.ask("again := file('f', os.O_RDONLY)");
    assertEquals("EAGAIN", two.ask("lock(f, 'w')"));
    one.ask("os.close(again)");
    assertEquals("None", two.ask("lock(f, 'w')"));
  }

  @Test
  void flockExcludesBetweenMountsAndIsOfTheOpenFile() throws Exception {
    assertEquals("None", one.ask("flock(f, SH)"));
    assertEquals("None", two.ask("flock(f, SH)"));
    assertEquals("EAGAIN", two.ask("flock(f, EX | NB)"));
    two.ask("flock(f, UN)");
    assertEquals("None", one.ask("flock(f, EX)"));
    one.ask("twin := os.dup(f)");
    one.ask("os.close(f)");
    assertEquals("EAGAIN", two.ask("flock(f, SH | NB)"), "its twin is open");
    two.beginWaiting("flock(f, EX)");
    one.ask("os.close(twin)");
    assertEquals("None", two.end());
    assertEquals("None", one.ask("lock(file('f'), 'w')"), "fcntl does not see flock");
  }

  @Test
  void ofdLocksAreOfTheOpenFileAndEndWithIt() throws Exception {
    one.ask("g := file('f')");
    assertEquals("None", one.ask("lock(f, 'w', 0, 10, ofd=True)"));
    assertEquals("EAGAIN", one.ask("lock(g, 'w', 0, 10, ofd=True)"));
    assertEquals("EAGAIN", two.ask("lock(f, 'w', 5, 1)"));
    one.ask("os.close(g)");
    assertEquals("EAGAIN", two.ask("lock(f, 'w', 5, 1)"), "another descriptor's close is nothing");
    two.beginWaiting("lock(f, 'w', 5, 1, wait=True)");
    one.ask("os.close(f)");
    assertEquals("None", two.end());
  }

  @Test
  void whoWaitsIsWokenInTurnAndSeesWhatWasWritten() throws Exception {
    one.ask("lock(f, 'w')");
    two.beginWaiting("lock(f, 'w', wait=True)");
    one.ask("os.pwrite(f, b'under the lock', 0)");
    assertFalse(two.answered());
    one.ask("lock(f, 'u')");
    assertEquals("None", two.end());
    assertEquals("b'under the lock'", two.ask("os.pread(f, 100, 0)"));
    one.beginWaiting("lock(f, 'r', wait=True)");
    two.ask("os.pwrite(f, b'UNDER', 0)");
    two.ask("lock(f, 'r')");
    assertEquals("None", one.end(), "a lock that is shared now");
    assertEquals("b'UNDER the lock'", one.ask("os.pread(f, 100, 0)"));
  }

  @Test
  void aSignalEndsTheWaitAndLeavesNothing() throws Exception {
    one.ask("lock(f, 'w')");
    two.beginWaiting("lock(f, 'w', wait=True)");
    two.signal();
    assertEquals("EINTR", two.end());
    one.ask("lock(f, 'u')");
    assertEquals("None", one.ask("lock(f, 'w', 5, 5)"));
    assertEquals("('w 5 5', 0)", two.ask("test(f, 'w')"));
    two.beginWaiting("flock(file('g'), EX) or lock(f, 'w', wait=True)");
    two.kill();
    one.ask("lock(f, 'u')");
    assertEquals("none", one.ask("test(f, 'w')"));
  }

  @Test
  void deadlocksBetweenMountsAreRefused() throws Exception {
    one.ask("lock(f, 'w', 0, 1)");
    two.ask("lock(f, 'w', 1, 1)");
    one.beginWaiting("lock(f, 'w', 1, 1, wait=True)");
    two.begin("lock(f, 'w', 0, 1, wait=True)");
    LockProgram refused = firstToAnswer();
    LockProgram waiting = refused == one ? two : one;
    assertEquals("EDEADLK", refused.end());
    refused.ask(refused == one ? "lock(f, 'u', 0, 1)" : "lock(f, 'u', 1, 1)");
    assertEquals("None", waiting.end());
  }

  /** Whoever closes the circle at the node is refused: requests of two mounts have no order. */
  private LockProgram firstToAnswer() throws Exception {
    while (!one.answered() && !two.answered()) {
      Thread.sleep(5); // polls; the class has a limit
    }
    return one.answered() ? one : two;
  }

  @Test
  void killOfTheHolderFrees() throws Exception {
    one.ask("lock(f, 'w')");
    one.ask("flock(f, EX)");
    two.beginWaiting("lock(f, 'w', wait=True)");
    one.kill();
    assertEquals("None", two.end());
    assertEquals("None", two.ask("flock(f, EX)"));
  }

  @Test
  void killOfTheHoldersMountFreesAfterTheLease() throws Exception {
    Product.Running third = third();
    LockProgram three = program(third.mountPoint().resolve(directory));
    three.ask("f := file('f')");
    three.ask("lock(f, 'w')");
    three.ask("flock(f, EX)");
    two.beginWaiting("lock(f, 'w', wait=True)");
    third.kill();
    assertEquals("None", two.end());
    assertEquals("None", two.ask("flock(f, EX | NB)"));
    product.shell(Path.of("/"), "umount -l " + third.mountPoint()).expect(0);
  }

  private Product.Running third() throws IOException {
    Path point = product.directory("of-" + directory);
    return product.start(point, "mount", server, point.toString(), "--locks", "cluster");
  }

  @Test
  void aRestartOfTheNodeKeepsLocks() throws Exception {
    one.ask("lock(f, 'w', 0, 10)");
    one.ask("flock(f, SH)");
    two.beginWaiting("lock(f, 'w', 5, 1, wait=True)");
    node.kill();
    LockProgram three = program(b);
    three.begin("g := file('f')"); // these wait for the node, and then for those who held before
    three.begin("lock(g, 'w', 0, 1)");
    node = startNode();
    assertEquals("None", three.end());
    assertEquals("EAGAIN", three.end());
    assertEquals("EAGAIN", three.ask("flock(g, EX | NB)"));
    assertEquals("None", three.ask("flock(g, SH | NB)"));
    assertFalse(two.answered());
    one.ask("lock(f, 'u')");
    assertEquals("None", two.end());
  }

  /** Frozen for longer than the lease, its holder must not go on as if it had the lock. */
  @Test
  void whoWasSilentForTooLongHearsThatItsLockIsGone() throws Exception {
    Product.Running third = third();
    LockProgram three = program(third.mountPoint().resolve(directory));
    three.ask("f := file('f')");
    three.ask("lock(f, 'w')");
    assertEquals("14", three.ask("os.pwrite(f, b'never to be it', 0)"));
    signal("-STOP", third);
    two.ask("lock(f, 'w', wait=True)");
    two.ask("os.ftruncate(f, 0)"); // the other's bytes may have been sent before it stopped
    two.ask("os.pwrite(f, b'it is this', 0)");
    signal("-CONT", third);
    assertEquals("EIO", three.ask("os.fsync(f)"));
    assertEquals("EIO", three.ask("os.pwrite(f, b'nor this', 0)"));
    assertEquals("EIO", three.ask("lock(f, 'r')"));
    assertEquals("EIO", three.ask("lock(f, 'u')"));
    assertEquals("EAGAIN", three.ask("lock(f, 'r')"));
    two.ask("os.close(f)");
    assertEquals("None", three.ask("lock(f, 'w')"));
    assertEquals("b'it is this'", three.ask("os.pread(f, 100, 0)"));
  }

  private static void signal(String which, Product.Running running)
      throws IOException, InterruptedException {
    String pid = Long.toString(running.process().pid());
    new ProcessBuilder("kill", which, pid).start().waitFor();
  }

  private static final String WRITER =
      """
      import sqlite3, sys
      db = sqlite3.connect('a.db', timeout=120, isolation_level=None)
      for i in range(int(sys.argv[2])):
        db.execute('begin immediate')
        n = db.execute('select count(*) from t').fetchone()[0]
        db.execute('insert into t values (?, ?, ?)', (n, sys.argv[1], 'x' * (i * 37 % 3000)))
        db.execute('update total set n = n + 1')
        db.execute('commit')
      """;

  @Test
  void sqliteWithRollbackJournalHasWritersOnBothMounts() throws Exception {
    product
        .shell(
            a,
            "sqlite3 a.db 'pragma journal_mode=delete; create table t(i integer primary key, who, s);"
                + " create table total(n); insert into total values (0)'")
        .expect(0);
    String run = "python3 -c \"$(cat <<'E'\n" + WRITER + "E\n)\"";
    var other =
        new Thread(
            () -> {
              try {
                product
                    .shell(b, "{ " + run + " b1 40 & " + run + " b2 40 & wait -n && wait -n; }")
                    .expect(0);
              } catch (IOException | InterruptedException e) {
                throw new AssertionError(e);
              }
            });
    other.start();
    product.shell(a, "{ " + run + " a1 40 & " + run + " a2 40 & wait -n && wait -n; }").expect(0);
    other.join();
    for (Path mount : new Path[] {a, b}) {
      String check = "sqlite3 a.db 'pragma integrity_check; select n from total;";
      String counts = " select count(*), max(i) + 1, count(distinct who) from t'";
      assertEquals("ok\n160\n160|160|4\n", product.shell(mount, check + counts).expect(0).out());
    }
  }

  @Test
  void optionsThatDoNotGoTogetherAreRefused() throws Exception {
    String point = product.directory("x").toString();
    var refused =
        product.millrace("mount", server, point, "--locks", "cluster", "--mode", "dataset");
    assertEquals(2, refused.exit());
    assertTrue(refused.out().contains("does not go with --mode dataset"), refused.out());
  }
}
