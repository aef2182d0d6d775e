package io.millrace.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** What happens at the bounds of a mount's memory and handles (OPERATIONS.md). */
@Tag("cluster")
class LimitsTest {
  private static final String LAUNCHER = System.getProperty("millrace.root") + "/millrace";
  private static final Path GROUPS = Path.of("/sys/fs/cgroup/memory");

  private Product product;
  private Path mount;

  @BeforeEach
  void begin() throws IOException {
    product = new Product();
    mount = product.directory("mnt");
  }

  @AfterEach
  void end() throws IOException {
    product.close();
  }

  private void up(String... more) throws IOException {
    String store = product.scratch().resolve("store").toString();
    String[] common = {"up", mount.toString(), "--dir", store, "--listen", "127.0.0.1:0"};
    String[] all = java.util.Arrays.copyOf(common, common.length + more.length);
    System.arraycopy(more, 0, all, common.length, more.length);
    product.start(mount, all);
  }

  private void python(String program) throws Exception {
    Path script = product.scratch().resolve("script.py");
    Files.writeString(script, program);
    product.shell(mount, "python3 " + script).expect(0);
  }

  @Test
  void opensBeyondTheLimitAreRefusedAndNothingIsMade() throws Exception {
    up("--open-files", "40");
    python(
        """
        import errno, os
        def fill(open_one):
            held = []
            try:
                while len(held) < 60:
                    held.append(open_one(len(held)))
            except OSError as e:
                assert e.errno == errno.ENFILE, e
            assert len(held) == 40, len(held)
            return held
        files = fill(lambda n: os.open(f"f{n}", os.O_CREAT | os.O_EXCL | os.O_RDWR))
        assert len(os.listdir(".")) == 40
        os.write(files[0], b"still served")
        for fd in files: os.close(fd)
        os.mkdir("d")
        for fd in fill(lambda n: os.open("d", os.O_RDONLY)): os.close(fd)
        for fd in fill(lambda n: os.open("f0", os.O_RDONLY)): os.close(fd)
        assert open("f0").read() == "still served"
        """);
  }

  @Test
  void listingsWithoutPagesGoOn() throws Exception {
    up();
    python(
        """
        import os
        os.mkdir("d")
        wanted = set()
        for n in range(3000):
            wanted.add(f"name-{n:040d}")
            os.close(os.open(f"d/name-{n:040d}", os.O_CREAT | os.O_WRONLY))
        listings = [(os.scandir("d"), set()) for _ in range(150)]
        while listings:
            left = []
            for entries, seen in listings:
                more = [e.name for _, e in zip(range(400), entries)]
                assert seen.isdisjoint(more)
                seen.update(more)
                if more: left.append((entries, seen))
                else: assert seen == wanted, len(seen)
            listings = left
        """);
  }

  @Test
  void memoryThatDoesNotFitIsRefusedWithNumbers() throws Exception {
    var refused =
        product
            .shell(mount, "MILLRACE_MEMORY=512m " + LAUNCHER + " up " + mount + " --l2 1GiB")
            .expect(Main.USAGE);
    assertTrue(refused.out().contains("512 MiB"), refused.out());
    assertTrue(refused.out().contains("--l2 1.0 GiB"), refused.out());
    var small =
        product
            .shell(mount, "MILLRACE_MEMORY=128m " + LAUNCHER + " up " + mount)
            .expect(Main.USAGE);
    assertTrue(small.out().contains("128 MiB"), small.out());
    product.shell(mount, "MILLRACE_MEMORY=much " + LAUNCHER + " up " + mount).expect(2);
  }

  /** Page cache counts too, so the group is full; what is killed at the limit is anonymous. */
  @Test
  void serverInAGroupOf512MibSizesItself() throws Exception {
    assumeTrue(
        Files.isWritable(GROUPS.resolve("cgroup.procs")), "needs root and cgroups v1 for memory");
    Path group = GROUPS.resolve("millrace-test-" + ProcessHandle.current().pid());
    Path log = product.scratch().resolve("up.log");
    Path store = product.scratch().resolve("store");
    try {
      Files.createDirectory(group);
      Files.writeString(group.resolve("memory.limit_in_bytes"), "" + (512L << 20));
      String server = LAUNCHER + " up " + mount + " --dir " + store + " --listen 127.0.0.1:0";
      String start =
          "{ (echo $BASHPID > %s/cgroup.procs; exec %s) > %s 2>&1 < /dev/null & }; "
                  .formatted(group, server, log)
              + "for i in $(seq 300); do grep -q ready %s && exit 0; sleep 0.2; done; cat %s; exit 1"
                  .formatted(log, log);
      product.shell(product.scratch(), start).expect(0);
      String said = Files.readString(log);
      assertTrue(said.contains("memory limit 512 MiB"), said);
      String load =
          "for i in 1 2 3; do head -c 200M /dev/urandom > big && cmp big big && rm big; done;"
              + " mkdir many && cd many && seq 20000 | xargs touch && ls -l | wc -l && ls | wc -l";
      assertEquals("20001\n20000\n", product.shell(mount, load).expect(0).out());
      String peak = "awk '/^VmHWM/{print $2}' /proc/$(cat %s/cgroup.procs)/status".formatted(group);
      long peakKib = Long.parseLong(product.shell(Path.of("/"), peak).expect(0).out().trim());
      assertTrue(peakKib < 512 << 10, "resident " + peakKib + " KiB");
      System.out.println("in a group of 512 MiB: at most " + peakKib + " KiB resident");
    } finally {
      product.shell(Path.of("/"), "umount " + mount + " || umount -l " + mount);
      String gone =
          "for i in $(seq 100); do [ -s %s/cgroup.procs ] || break; sleep 0.2; done;"
                  .formatted(group)
              + " for p in $(cat %s/cgroup.procs); do kill -9 $p; done; rmdir %s"
                  .formatted(group, group);
      product.shell(Path.of("/"), gone);
    }
  }
}
