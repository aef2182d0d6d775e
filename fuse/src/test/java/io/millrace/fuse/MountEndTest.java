package io.millrace.fuse;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** How mounts begin, fail to begin, and end. */
@Tag("mount")
@Timeout(60)
class MountEndTest extends Mounted {
  private final MemoryTree tree = new MemoryTree();

  private static void refused(FuseMountException.Kind kind, Path path, String wayOut) {
    var e =
        assertThrows(
            FuseMountException.class,
            () -> FuseSession.mount(FuseConfig.at(path).build(), new MemoryTree()));
    assertEquals(kind, e.kind(), e::getMessage);
    assertTrue(e.getMessage().contains(wayOut), e::getMessage);
    assertTrue(e.getMessage().contains(path.toString()), e::getMessage);
  }

  @Test
  void mountPointsThatCannotBeUsed() throws Exception {
    refused(FuseMountException.Kind.NOT_FOUND, dir.resolve("none"), "mkdir -p");
    Path file = Files.writeString(dir.resolve("file"), "x");
    refused(FuseMountException.Kind.NOT_A_DIRECTORY, file, "directory");
    refused(FuseMountException.Kind.NOT_EMPTY, dir, "empty directory");
    Files.delete(file);
    refused(FuseMountException.Kind.ALREADY_MOUNTED, Path.of("/proc"), "umount");
    mount(tree);
    refused(FuseMountException.Kind.ALREADY_MOUNTED, dir, "umount");
  }

  @Test
  void aMountWhoseServerWasKilledIsReplaced() throws Exception {
    String java = System.getProperty("java.home") + "/bin/java";
    Process process =
        new ProcessBuilder(
                java,
                "--enable-native-access=ALL-UNNAMED",
                "-cp",
                System.getProperty("java.class.path"),
                UserMount.class.getName(),
                dir.toString())
            .start();
    try {
      var lines = process.inputReader();
      lines.readLine();
      assertEquals("mounted", lines.readLine());
      process.destroyForcibly().waitFor();
      var e =
          assertThrows(
              FuseMountException.class, () -> mount(tree, FuseConfig.at(dir).replaceDead(false)));
      assertEquals(FuseMountException.Kind.STALE_MOUNT, e.kind());
      assertTrue(e.getMessage().contains("umount -l"), e::getMessage);
      mount(tree);
      assertEquals("hello", sh("echo hello > a && cat a"));
    } finally {
      process.destroyForcibly();
      if (session == null) {
        Shell.tryRun(Path.of("/"), "umount -l " + dir);
      }
    }
  }

  @Test
  void anInitThatFailsLeavesNoMount() throws Exception {
    var broken =
        new MemoryTree() {
          @Override
          public void init(FuseSession started) {
            throw new Failure(5);
          }
        };
    assertThrows(
        MemoryTree.Failure.class, () -> FuseSession.mount(FuseConfig.at(dir).build(), broken));
    assertTrue(broken.destroyed.await(1, TimeUnit.SECONDS));
    assertFalse(Shell.run(Path.of("/"), "cat /proc/mounts").contains(dir.toString()));
  }

  @Test
  void anotherProcessUnmounts() throws Exception {
    mount(tree);
    sh("echo x > a");
    Shell.run(Path.of("/"), "umount " + dir);
    assertEquals(FuseSession.End.UNMOUNTED_ELSEWHERE, session.ended().get(10, TimeUnit.SECONDS));
    session.close();
  }

  @Test
  void aMountInUse() throws Exception {
    mount(tree);
    tree.put("a", "content");
    Process user = Shell.start(dir, "exec 3< a && echo open && read x; cat a");
    assertEquals('o', user.getInputStream().read());
    var e =
        assertThrows(FuseMountException.class, () -> session.unmount(FuseSession.Unmount.CLEAN));
    assertEquals(FuseMountException.Kind.BUSY, e.kind());
    assertTrue(e.getMessage().contains("fuser -vm"), e::getMessage);
    assertFalse(session.ended().isDone());
    session.unmount(FuseSession.Unmount.LAZY);
    assertEquals("", sh("ls"));
    assertFalse(session.ended().isDone());
    user.getOutputStream().close();
    assertTrue(user.waitFor(10, TimeUnit.SECONDS));
    assertEquals(FuseSession.End.UNMOUNTED_HERE, session.ended().get(10, TimeUnit.SECONDS));
  }

  @Test
  void forceEndsAMountInUse() throws Exception {
    mount(tree);
    tree.put("a", "content");
    Process user = Shell.start(dir, "exec 3< a && echo open && read x; cat a");
    assertEquals('o', user.getInputStream().read());
    session.close();
    assertEquals(FuseSession.End.UNMOUNTED_HERE, session.ended().getNow(null));
    user.getOutputStream().close();
    assertTrue(user.waitFor(10, TimeUnit.SECONDS));
    assertFalse(user.exitValue() == 0);
  }

  @Test
  void optionsReachTheKernel() throws Exception {
    mount(
        tree,
        FuseConfig.at(dir)
            .fsName("lake")
            .subtype("testfs")
            .allowOther(true)
            .readAheadBytes(1 << 20));
    String line = Shell.run(Path.of("/"), "grep " + dir + " /proc/self/mountinfo");
    assertTrue(line.contains("fuse.testfs lake"), line);
    assertTrue(line.contains("allow_other") && line.contains("default_permissions"), line);
    String device = MountPoint.parse(line).device();
    assertEquals(
        "1024", Shell.run(Path.of("/"), "cat /sys/class/bdi/" + device + "/read_ahead_kb"));
  }

  @Test
  void throughFusermount() throws Exception {
    assumeTrue(hasFusermount(), "fusermount3 is not installed");
    mount(tree, FuseConfig.at(dir).method(FuseConfig.Method.FUSERMOUNT).subtype("millrace"));
    assertEquals("hello", sh("echo hello > a && cat a"));
    session.unmount(FuseSession.Unmount.CLEAN);
    assertEquals(FuseSession.End.UNMOUNTED_HERE, session.ended().getNow(null));
  }

  @Test
  void asAnotherUserThroughFusermount() throws Exception {
    assumeTrue(hasFusermount(), "fusermount3 is not installed");
    String java = System.getProperty("java.home") + "/bin/java";
    List<String> asNobody = List.of("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups");
    assumeTrue(
        Shell.tryRun(Path.of("/"), String.join(" ", asNobody) + " " + java + " -version").exit()
            == 0,
        "no setpriv, or this JDK can't be run by another user");
    Files.setPosixFilePermissions(dir, PosixFilePermissions.fromString("rwxrwxrwx"));
    Shell.run(Path.of("/"), "chown 65534 " + dir);
    Process process = Shell.start(Path.of("/"), inNamespace(String.join(" ", asNobody), java));
    try {
      var lines = process.inputReader();
      String pid = lines.readLine();
      assertTrue(pid.matches("[0-9]+"), () -> pid + lines.lines().toList());
      assertEquals("mounted", lines.readLine());
      String read =
          "nsenter -m -t " + pid + " " + String.join(" ", asNobody) + " cat " + dir + "/greeting";
      assertEquals("hello", Shell.run(Path.of("/"), read));
      process.getOutputStream().close();
      assertTrue(process.waitFor(20, TimeUnit.SECONDS));
      assertEquals("UNMOUNTED_HERE", lines.readLine());
    } finally {
      process.destroy();
    }
  }

  /**
   * In a mount namespace of its own, because a user needs a /dev/fuse that all may open, as
   * distributions have it.
   */
  private String inNamespace(String asNobody, String java) {
    return "unshare -m sh -c 'mount -t tmpfs none /mnt && mknod /mnt/fuse c 10 229"
        + " && chmod 666 /mnt/fuse && mount --bind /mnt/fuse /dev/fuse && exec "
        + asNobody
        + " "
        + java
        + " --enable-native-access=ALL-UNNAMED -Xmx64m -cp "
        + System.getProperty("java.class.path")
        + " "
        + UserMount.class.getName()
        + " "
        + dir
        + "'";
  }

  private static boolean hasFusermount() throws Exception {
    return Shell.tryRun(Path.of("/"), "fusermount3 -V").exit() == 0;
  }
}
