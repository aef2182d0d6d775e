package io.millrace.fuse;

import io.millrace.fuse.FuseMountException.Kind;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.util.List;

/**
 * Looks at the directory to be mounted on, before the mount; afterwards only the kernel's mount
 * table is read, because the process that serves a mount must not touch it.
 */
final class MountPoint {
  /** One line of the mount table. */
  record Entry(Path path, String device, String type) {}

  private MountPoint() {}

  /** The real path of a usable mount point, or says what is wrong with it. */
  static Path check(Path path) throws FuseMountException {
    refuseMounted(path);
    Path real = realPath(path);
    refuseMounted(real);
    try (var names = Files.newDirectoryStream(real)) {
      if (names.iterator().hasNext()) {
        throw new FuseMountException(
            Kind.NOT_EMPTY,
            "mount point " + real + " is not empty; mount on an empty directory (mkdir one)");
      }
    } catch (NotDirectoryException e) {
      throw new FuseMountException(
          Kind.NOT_A_DIRECTORY, "mount point " + real + " is not a directory; name a directory");
    } catch (IOException e) {
      throw new FuseMountException(
          Kind.NO_PERMISSION,
          "mount point " + real + " can't be read (" + e.getMessage() + "); check its owner");
    }
    return real;
  }

  private static Path realPath(Path path) throws FuseMountException {
    try {
      return path.toRealPath();
    } catch (NoSuchFileException e) {
      throw new FuseMountException(
          Kind.NOT_FOUND, "mount point " + path + " does not exist; make it: mkdir -p " + path);
    } catch (IOException e) {
      throw stale(path, e.getMessage());
    }
  }

  private static FuseMountException stale(Path path, String cause) {
    return new FuseMountException(
        Kind.STALE_MOUNT,
        "mount point "
            + path
            + " can't be reached ("
            + cause
            + "); if a dead mount is there, remove it: umount -l "
            + path
            + " (or fusermount3 -uz "
            + path
            + ")");
  }

  /**
   * Whether the FUSE mount there has no server any more. Asks by a child process with a deadline,
   * since the server may be this process, or hang.
   */
  static boolean isDead(Entry entry) throws FuseMountException {
    if (!entry.type().startsWith("fuse.")) {
      return false;
    }
    try {
      var builder = new ProcessBuilder("timeout", "2", "stat", entry.path().toString());
      builder.environment().put("LC_ALL", "C");
      Process process = builder.redirectErrorStream(true).start();
      var said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      return process.waitFor() != 0 && said.contains("not connected");
    } catch (IOException e) {
      throw new FuseMountException(Kind.OTHER, "stat can't be run: " + e.getMessage());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return false;
    }
  }

  private static void refuseMounted(Path path) throws FuseMountException {
    for (Entry entry : table()) {
      if (entry.path().equals(path)) {
        if (isDead(entry)) {
          throw stale(path, "its server has died");
        }
        throw new FuseMountException(
            Kind.ALREADY_MOUNTED,
            path
                + " is already a mount point ("
                + entry.type()
                + "); unmount it first: umount "
                + path
                + " (or fusermount3 -u "
                + path
                + "), or choose another directory");
      }
    }
  }

  /** The topmost mount at a path, or null. */
  static Entry find(Path path) throws FuseMountException {
    Entry found = null;
    for (Entry entry : table()) {
      if (entry.path().equals(path)) {
        found = entry;
      }
    }
    return found;
  }

  private static List<Entry> table() throws FuseMountException {
    try {
      return Files.readAllLines(Path.of("/proc/self/mountinfo"), StandardCharsets.ISO_8859_1)
          .stream()
          .map(MountPoint::parse)
          .toList();
    } catch (IOException e) {
      throw new FuseMountException(
          Kind.OTHER, "/proc/self/mountinfo can't be read: " + e.getMessage());
    }
  }

  static Entry parse(String line) {
    String[] fields = line.split(" ", -1);
    int dash = 6;
    while (!fields[dash].equals("-")) {
      dash++;
    }
    return new Entry(Path.of(unescape(fields[4])), fields[2], fields[dash + 1]);
  }

  /**
   * Space, tab, newline and backslash stand there as octal numbers; the rest are the path's bytes.
   */
  private static String unescape(String field) {
    var bytes = new byte[field.length()];
    int used = 0;
    for (int i = 0; i < field.length(); i++) {
      if (field.charAt(i) == '\\' && i + 3 < field.length()) {
        bytes[used++] = (byte) Integer.parseInt(field.substring(i + 1, i + 4), 8);
        i += 3;
      } else {
        bytes[used++] = (byte) field.charAt(i);
      }
    }
    return new String(bytes, 0, used, StandardCharsets.UTF_8);
  }
}
