package io.millrace.client.mount;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Two mounts of one real node: namespace on RocksDB, blocks on disk. */
@Tag("mount")
final class RealNodeTest {
  private RealNode real;
  private Path a;
  private Path b;

  @BeforeEach
  void start() throws Exception {
    real = new RealNode();
    a = real.mount("a");
    b = real.mount("b");
  }

  @AfterEach
  void stop() throws Exception {
    real.close();
  }

  private long requests() {
    Map<String, Long> counters = real.counters();
    return counters.entrySet().stream()
        .filter(e -> isUserRequest(e.getKey()))
        .mapToLong(Map.Entry::getValue)
        .sum();
  }

  private static boolean isUserRequest(String counter) {
    String name = counter.toUpperCase(java.util.Locale.ROOT);
    return List.of("LOOKUP", "GETATTR", "READDIR", "OPEN", "READ", "WRITE", "MUTATE").stream()
        .anyMatch(op -> name.equals(op) || name.endsWith("." + op) || name.endsWith("_" + op));
  }

  @Test
  void whatOneMountWritesTheOtherSees() throws Exception {
    assertEquals("", Shell.run(b, "ls"));
    Shell.run(a, "mkdir d && echo one > d/f");
    assertEquals("one", Shell.run(b, "cat d/f"));
    for (int i = 0; i < 20; i++) {
      Shell.run(a, "echo round " + i + " > d/f");
      assertEquals("round " + i, Shell.run(b, "cat d/f"));
    }
    Shell.run(b, "mv d/f d/g && echo more >> d/g");
    assertEquals("round 19\nmore", Shell.run(a, "cat d/g"));
    assertEquals(1, Shell.tryRun(a, "test -e d/f").exit());
    Shell.run(a, "chmod 600 d/g; rm d/g; rmdir d");
    assertEquals("", Shell.run(b, "ls"));
  }

  @Test
  void H10_fileUnlinkedElsewhereLivesWhileOpen() throws Exception {
    Shell.run(a, "echo data > o");
    Process holder = Shell.start(b, "exec 3<o && echo ready && read x; cat <&3");
    byte[] ready = holder.getInputStream().readNBytes(6);
    assertEquals("ready\n", new String(ready, StandardCharsets.UTF_8));
    Shell.run(a, "rm o");
    assertEquals(1, Shell.tryRun(b, "test -e o").exit());
    holder.getOutputStream().write('\n');
    holder.getOutputStream().close();
    String rest = new String(holder.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertEquals("data\n", rest);
  }

  @Test
  void treesAndLargeFiles() throws Exception {
    Path local = real.directory("local");
    Shell.run(
        local,
        "for d in 1 2 3; do mkdir -p t/$d; for f in $(seq 40); do echo $d.$f > t/$d/$f; done;"
            + " done; head -c 21000000 /dev/urandom > t/big; ln -s 1/1 t/s; ln t/1/1 t/h");
    Shell.run(a, "tar -C ../local -cf - t | tar xf - && diff -r ../local/t t");
    Shell.run(b, "diff -r ../local/t t && cmp t/big ../local/t/big");
    Shell.run(b, "cp -a t u && diff -r t u && rm -r t");
    assertEquals("u", Shell.run(a, "ls"));
    Shell.run(a, "cmp u/big ../local/t/big && rm -r u");
    assertEquals("", Shell.run(b, "ls"));
  }

  @Test
  void countsOfRequests() throws Exception {
    Shell.run(a, "mkdir d && for i in 1 2 3 4; do echo $i > d/$i; done");
    long before = requests();
    Shell.run(a, "for i in 5 6 7 8 9; do echo $i > d/$i; done");
    assertEquals(10, requests() - before, "CREATE, WRITE with commit: " + real.counters());
    Shell.run(b, "ls d");
    Shell.run(b, "cat d/5 d/6 d/7 d/8 d/9");
    before = requests();
    assertEquals("5\n6\n7\n8\n9", Shell.run(b, "cat d/5 d/6 d/7 d/8 d/9"));
    assertEquals(0, requests() - before, "second read: " + real.counters());
  }

  @Test
  void H13_everyCloseOfAWrittenHandleSyncsWhereThatIsAskedFor() throws Exception {
    Path syncing = real.mount("c", true);
    long before = syncs();
    Shell.run(a, ": > unsynced");
    assertEquals(before, syncs());
    Shell.run(syncing, ": > empty");
    assertTrue(syncs() > before, "an empty file has a name to sync: " + real.counters());
    before = syncs();
    Shell.run(syncing, "cat empty");
    assertEquals(before, syncs(), "nothing was written");
    Shell.run(syncing, "echo x > full && cat full");
  }

  private long syncs() {
    return real.counters().entrySet().stream()
        .filter(e -> e.getKey().toUpperCase(java.util.Locale.ROOT).endsWith("SYNC"))
        .mapToLong(Map.Entry::getValue)
        .sum();
  }

  @Test
  void surviveARemount() throws Exception {
    Shell.run(a, "head -c 9000000 /dev/urandom > x && md5sum x > sum");
    real.remount("a", MountConfig.Mode.DATASET);
    assertTrue(Shell.run(a, "md5sum -c sum").endsWith("OK"));
  }

  @Test
  void openForReadingTruncatesToo() throws Exception {
    Shell.python(
        a,
        """
        open('t', 'wb').write(b'x' * 5000)
        os.close(os.open('t', os.O_RDONLY | os.O_TRUNC))
        assert os.stat('t').st_size == 0, os.stat('t')
        """);
    assertEquals("0", Shell.run(b, "stat -c %s t"));
  }

  /** The node is told of them where it needs them (decision 9). */
  @Test
  void H31_supplementaryGroupsAndCapabilitiesCount() throws Exception {
    Shell.run(a, "mkdir g && echo x > g/f && chgrp -R 3000 g && chmod 770 g && chmod 640 g/f");
    String user = "setpriv --reuid 1001 --regid 1001 ";
    String member = user + "--groups 3001,3000 ";
    String changes =
        "cat g/f && mkdir g/d && mv g/d g/e && touch g/h && chgrp 3001 g/h && rmdir g/e";
    assertEquals("x", Shell.run(b, member + "sh -c '" + changes + "'"));
    assertEquals("1001 3001", Shell.run(a, "stat -c '%u %g' g/h"));
    assertEquals(1, Shell.tryRun(b, user + "--clear-groups touch g/x").exit());
    String capable = user + "--clear-groups --inh-caps +dac_override --ambient-caps +dac_override ";
    Shell.run(b, capable + "touch g/by-capability");
  }

  /** The kernel removes them in the writer's name, who may not set them. */
  @Test
  void H31_aWriterTakesFileCapabilitiesAway() throws Exception {
    String caps = "0x0100000200040000000000000000000000000000";
    String user = "setpriv --reuid 1001 --regid 1001 --clear-groups ";
    Shell.run(a, "echo xx > p && chown 1001 p && chmod 644 p");
    for (String change :
        List.of("printf y | dd of=p conv=notrunc", "truncate -s 1 p", "echo > p")) {
      Shell.run(a, "setfattr -n security.capability -v " + caps + " p");
      Shell.run(b, user + "sh -c '" + change + "'");
    }
    Shell.run(b, user + "chmod 600 p");
  }

  @Test
  void H31_aChmodOnOneMountCountsAtOnceOnTheOther() throws Exception {
    Shell.run(a, "mkdir m && chmod 777 m && touch m/f && chmod 666 m/f");
    String user = "setpriv --reuid 1001 --regid 1001 --clear-groups ";
    for (int i = 0; i < 20; i++) {
      Shell.run(a, "chmod 777 m && chmod 666 m/f");
      Shell.run(b, user + "sh -c 'echo x > m/" + i + " && echo x >> m/f'");
      Shell.run(a, "chmod 755 m && chmod 644 m/f");
      assertEquals(1, Shell.tryRun(b, user + "mkdir m/no").exit());
      assertEquals(1, Shell.tryRun(b, user + "rm -f m/" + i).exit());
      assertEquals(2, Shell.tryRun(b, user + "sh -c 'echo x >> m/f'").exit());
    }
  }

  @Test
  void setuidIsGoneBeforeTheWriteIsCommitted() throws Exception {
    Shell.python(
        a,
        """
        f = os.open('s', os.O_RDWR | os.O_CREAT)
        os.fchmod(f, 0o6755)
        if os.fork() == 0:
            os.setgroups([]); os.setgid(1001); os.setuid(1001)
            os._exit(os.write(f, b'x') - 1)
        assert os.wait()[1] == 0
        assert os.fstat(f).st_mode == 0o100755, oct(os.fstat(f).st_mode)
        """);
  }

  @Test
  void chownClearsSetuidOfAllButDirectories() throws Exception {
    Shell.python(
        a,
        """
        os.mknod('f', 0o106755); os.mknod('p', 0o016755); os.mkdir('d'); os.chmod('d', 0o6755)
        os.chmod('f', 0o6755); os.chmod('p', 0o6755)
        os.chown('f', -1, -1); os.chown('p', 1001, 1001); os.chown('d', 1001, 1001)
        modes = [oct(os.stat(n).st_mode & 0o7777) for n in 'fpd']
        assert modes == ['0o755', '0o755', '0o6755'], modes
        """);
  }

  @Test
  void removedDirectoriesAndPipesKeepTheirAttributesWhileHeld() throws Exception {
    Shell.python(
        a,
        """
        os.mkdir('d'); os.mkfifo('p'); open('f', 'w').close()
        held = [os.open('d', os.O_RDONLY), os.open('p', os.O_RDWR), os.open('f', os.O_PATH)]
        os.rmdir('d'); os.unlink('p'); os.unlink('f')
        assert [os.fstat(h).st_nlink for h in held] == [0, 0, 0]
        os.fchmod(held[1], 0o600)
        assert os.fstat(held[1]).st_mode == 0o010600
        """);
  }

  @Test
  void exchangeShowsTheChangeTimeOfBoth() throws Exception {
    Shell.python(
        a,
        """
        import ctypes
        open('x', 'w').close(); open('y', 'w').close()
        before = [os.stat(n).st_ctime_ns for n in 'yx']
        assert ctypes.CDLL(None).syscall(316, -100, b'x', -100, b'y', 2) == 0
        after = [os.stat(n).st_ctime_ns for n in 'xy']
        assert after[0] > before[0] and after[1] > before[1], (before, after)
        """);
  }

  @Test
  void H10_fileCreatedHereLivesWhileOpenWhenUnlinkedElsewhere() throws Exception {
    Process holder =
        Shell.start(
            a,
            "exec python3 -c \"import os; f = os.open('o', os.O_RDWR | os.O_CREAT);"
                + " print('ready', flush=True); input(); os.write(f, b'data'); os.fsync(f);"
                + " print(os.fstat(f).st_nlink, os.pread(f, 9, 0).decode())\"");
    byte[] ready = holder.getInputStream().readNBytes(6);
    assertEquals("ready\n", new String(ready, StandardCharsets.UTF_8));
    Shell.run(b, "mkdir d && mv o d/p && rm d/p");
    holder.getOutputStream().write('\n');
    holder.getOutputStream().close();
    String rest = new String(holder.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertEquals("0 data\n", rest);
  }
}
