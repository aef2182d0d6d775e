package io.millrace.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.millrace.testkit.posix.FileStat;
import io.millrace.testkit.posix.Syscalls;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** What one mount must see, through descriptors that are open, of what another one does. */
@Tag("cluster")
class CoherenceTest {
  private static final int ESTALE = 116;
  private static final int BYTES = 1_000_000;
  private static final long LIMIT_NANOS = 60_000_000_000L;

  private final Syscalls calls = new Syscalls();
  private final MemorySegment buffer = Arena.ofAuto().allocate(2 * BYTES, 4096);
  private final MemorySegment raw = Arena.ofAuto().allocate(FileStat.BYTES, Long.BYTES);
  private Product product;
  private String server;
  private Product.Running node;
  private Path a;
  private Path b;

  @BeforeEach
  void start() throws IOException {
    assumeTrue(Syscalls.areKnown(), "needs the system calls of x86-64 Linux");
    product = new Product();
    server = "127.0.0.1:" + Product.freePort();
    node = startNode();
    a = mount("a");
    b = mount("b");
  }

  private Product.Running startNode() throws IOException {
    String store = product.scratch().resolve("store").toString();
    return product.start(null, "node", "--dir", store, "--listen", server);
  }

  private Path mount(String name) throws IOException {
    Path point = product.directory(name);
    product.start(point, "mount", server, point.toString());
    return point;
  }

  @AfterEach
  void stop() throws IOException {
    if (product != null) {
      product.close();
    }
  }

  private static String at(Path mount, String name) {
    return mount.resolve(name).toString();
  }

  private static void ok(long result) {
    assertTrue(result >= 0, () -> "errno " + -result);
  }

  private int open(Path mount, String name, int flags) {
    int fd = calls.open(at(mount, name), flags, 0644);
    ok(fd);
    return fd;
  }

  private FileStat stat(int fd) {
    ok(calls.stat(fd, "", Syscalls.AT_EMPTY_PATH, raw));
    return FileStat.of(raw);
  }

  private byte[] read(int fd, int length) {
    assertEquals(length, calls.pread(fd, buffer, length, 0));
    return buffer.asSlice(0, length).toArray(ValueLayout.JAVA_BYTE);
  }

  private void write(int fd, byte[] bytes, long offset) {
    MemorySegment.copy(bytes, 0, buffer, ValueLayout.JAVA_BYTE, 0, bytes.length);
    assertEquals(bytes.length, calls.pwrite(fd, buffer, bytes.length, offset));
  }

  private String inodes() throws Exception {
    String json = product.millrace("status", "--server", server, "--json").expect(0).out();
    return json.replaceAll("(?s).*\"inodes\"\\s*:\\s*\"?(\\d+).*", "$1");
  }

  private void awaitInodes(String wanted) throws Exception {
    long end = System.nanoTime() + LIMIT_NANOS;
    while (!inodes().equals(wanted)) {
      assertTrue(System.nanoTime() < end, "still there: " + inodes() + " inodes");
    }
  }

  /** The node dies; whether the remover or the reader comes back first is chance. */
  @Test
  void H10_aFileOpenAcrossTheNodesDeathOutlivesItsName() throws Exception {
    String empty = inodes();
    byte[] content = new byte[BYTES];
    new Random(10).nextBytes(content);
    int made = open(a, "f", Syscalls.O_CREAT | Syscalls.O_RDWR);
    write(made, content, 0);
    ok(calls.close(made));
    int reader = open(a, "f", Syscalls.O_RDONLY);
    int writer = open(a, "f", Syscalls.O_RDWR);
    ok(calls.stat(Syscalls.AT_FDCWD, at(b, "f"), 0, raw));
    node.kill();
    startNode();
    ok(calls.unlink(at(b, "f"), 0));
    assertEquals(-2, calls.stat(Syscalls.AT_FDCWD, at(b, "f"), 0, raw));
    assertArrayEquals(content, read(reader, BYTES));
    write(writer, new byte[] {1, 2, 3}, BYTES);
    ok(calls.fsync(writer));
    assertEquals(0, stat(reader).nlink());
    assertEquals(BYTES + 3, stat(reader).size());
    ok(calls.close(reader));
    ok(calls.close(writer));
    awaitInodes(empty);
  }

  @Test
  void aFileThatWasCutWhenItWasOpenedIsSeenToGrow() {
    int mine = open(a, "f", Syscalls.O_CREAT | Syscalls.O_RDWR);
    write(mine, new byte[100], 0);
    ok(calls.fsync(mine));
    int cut = open(b, "f", Syscalls.O_RDWR | Syscalls.O_TRUNC);
    assertEquals(0, stat(cut).size());
    ok(calls.unlink(at(b, "f"), 0));
    write(mine, new byte[] {4, 5, 6}, 7);
    ok(calls.fsync(mine));
    assertEquals(10, stat(cut).size());
    assertArrayEquals(new byte[] {0, 0, 0, 0, 0, 0, 0, 4, 5, 6}, read(cut, 10));
    ok(calls.close(mine));
    ok(calls.close(cut));
  }

  /** Inside of a rename the kernel can't take a directory in use here from its old place. */
  @Test
  void aDirectoryMovedElsewhereIsMovedOnOnceItWasLookedAt() {
    for (String name : new String[] {"from", "to", "on", "from/d"}) {
      ok(calls.mkdir(at(a, name), 0755));
    }
    int fd = open(b, "from/d", Syscalls.O_DIRECTORY);
    ok(calls.rename(at(a, "from/d"), at(a, "to/d"), 0));
    long moved = calls.rename(at(b, "to/d"), at(b, "on/d"), 0);
    assertTrue(moved == 0 || moved == -ESTALE, () -> "errno " + -moved);
    if (moved != 0) {
      ok(calls.stat(Syscalls.AT_FDCWD, at(b, "to/d"), 0, raw));
      ok(calls.rename(at(b, "to/d"), at(b, "on/d"), 0));
    }
    ok(calls.stat(Syscalls.AT_FDCWD, at(a, "on/d"), 0, raw));
    ok(calls.close(fd));
  }

  @Test
  void aDirectoryThatWasMovedElsewhereShowsItsChanges() {
    ok(calls.mkdir(at(a, "from"), 0755));
    ok(calls.mkdir(at(a, "to"), 0755));
    ok(calls.mkdir(at(a, "from/d"), 0755));
    int fd = open(b, "from/d", Syscalls.O_DIRECTORY);
    assertEquals(0040755, stat(fd).mode());
    ok(calls.rename(at(a, "from/d"), at(a, "to/d"), 0));
    ok(calls.chmod(at(a, "to/d"), 0700));
    assertEquals(0040700, stat(fd).mode());
    ok(calls.fchmod(fd, 0711));
    ok(calls.chmod(at(a, "to/d"), 0750));
    assertEquals(0040750, stat(fd).mode());
    ok(calls.close(fd));
  }
}
