package io.millrace.meta;

import static io.millrace.meta.NamespaceFixture.ROOT;
import static io.millrace.meta.NamespaceFixture.bytes;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.google.protobuf.ByteString;
import io.millrace.core.api.Errno;
import io.millrace.proto.CommandResult;
import io.millrace.proto.SetXattr;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.SplittableRandom;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A full disk fails commands with an errno; what was acknowledged stays and can be read. */
@Tag("mount")
class DiskFullTest {
  private static final int FILES_MAX = 2000;
  @TempDir Path directory;
  private Path disk;

  @BeforeEach
  void mount() throws IOException, InterruptedException {
    disk = Files.createDirectory(directory.resolve("disk"));
    assumeTrue(run("mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", disk.toString()), "not root");
  }

  @AfterEach
  void unmount() throws IOException, InterruptedException {
    run("umount", "-l", disk.toString());
  }

  private static boolean run(String... command) throws IOException, InterruptedException {
    return new ProcessBuilder(command).inheritIO().start().waitFor() == 0;
  }

  @Test
  void fullDiskRefusesAndLosesNothing() throws IOException, InterruptedException {
    var random = new SplittableRandom(1);
    byte[] value = new byte[60_000];
    int acknowledged = 0;
    try (var fs = new NamespaceFixture(disk.resolve("meta"))) {
      int errno = 0;
      while (errno == 0 && acknowledged < FILES_MAX) {
        random.nextBytes(value);
        errno = put(fs, acknowledged, value).getErrno();
        acknowledged += errno == 0 ? 1 : 0;
      }
      assertTrue(errno == Errno.ENOSPC.code() || errno == Errno.EIO.code(), "errno " + errno);
      check(fs, acknowledged);
      assertTrue(run("mount", "-o", "remount,size=256m", disk.toString()));
    }
    try (var fs = new NamespaceFixture(disk.resolve("meta"))) {
      check(fs, acknowledged);
      assertEquals(0, put(fs, acknowledged, value).getErrno());
    }
  }

  private static CommandResult put(NamespaceFixture fs, int i, byte[] value) {
    CommandResult created = fs.run(fs.creating(ROOT, "f" + i));
    if (created.getErrno() != 0) {
      if (created.getErrno() == Errno.EEXIST.code()) {
        return fs.run(xattr(fs, fs.at("/f" + i).getIno(), value));
      }
      return created;
    }
    return fs.run(xattr(fs, created.getInode().getIno(), value));
  }

  private static io.millrace.proto.Command.Builder xattr(
      NamespaceFixture fs, long ino, byte[] value) {
    return fs.command()
        .setSetXattr(
            SetXattr.newBuilder()
                .setIno(ino)
                .setName(bytes("user.a"))
                .setValue(ByteString.copyFrom(value)));
  }

  private static void check(NamespaceFixture fs, int acknowledged) {
    for (int i = 0; i < acknowledged; i++) {
      long ino = fs.at("/f" + i).getIno();
      assertEquals(60_000, fs.namespace.xattr(ino, bytes("user.a")).orElseThrow().size());
    }
    assertEquals(fs.names(ROOT).size() + 1, fs.namespace.inodes());
  }
}
