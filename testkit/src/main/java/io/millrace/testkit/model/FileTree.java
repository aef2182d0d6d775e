package io.millrace.testkit.model;

import io.millrace.testkit.posix.FileStat;
import io.millrace.testkit.posix.Syscalls;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.zip.CRC32C;

/**
 * Everything there is to know of a tree: path to a line of facts. Hard links are told by the first
 * path of the same inode. Reads as the thread that asks; one thread.
 */
final class FileTree {
  private static final int PIECE = 1 << 20;

  private final Syscalls calls;
  private final TimeClass times;
  private final MemorySegment buffer = Arena.ofAuto().allocate(PIECE, 4096);
  private final MemorySegment raw = Arena.ofAuto().allocate(FileStat.BYTES, Long.BYTES);
  private final Map<Long, String> first = new HashMap<>();
  private final TreeMap<String, String> facts = new TreeMap<>();
  private final Runnable seen;

  private FileTree(Syscalls calls, TimeClass times, Runnable seen) {
    this.calls = calls;
    this.times = times;
    this.seen = seen;
  }

  static Map<String, String> below(String root, Syscalls calls, TimeClass times) {
    return below(root, calls, times, () -> {});
  }

  /**
   * @param seen run for each entry and each piece of content: that it goes on
   */
  static Map<String, String> below(String root, Syscalls calls, TimeClass times, Runnable seen) {
    var tree = new FileTree(calls, times, seen);
    tree.walk(root, "");
    return tree.facts;
  }

  /** Removes all below a directory. */
  static void clear(String root, Syscalls calls) {
    var tree = new FileTree(calls, TimeClass.fromNow(), () -> {});
    for (var entry : tree.entries(root)) {
      String path = root + "/" + entry.name();
      if (calls.unlink(path, 0) == -21) {
        clear(path, calls);
        calls.unlink(path, Syscalls.AT_REMOVEDIR);
      }
    }
  }

  private List<DirectoryListing.Entry> entries(String directory) {
    int fd = calls.open(directory, Syscalls.O_DIRECTORY, 0);
    if (fd < 0) {
      throw new Difference("can't open " + directory + ": errno " + -fd);
    }
    var failure = new long[1];
    var entries = DirectoryListing.whole(calls, fd, buffer, failure);
    calls.close(fd);
    if (failure[0] < 0) {
      throw new Difference("can't list " + directory + ": errno " + -failure[0]);
    }
    entries.sort(Comparator.comparing(DirectoryListing.Entry::name));
    return entries;
  }

  private void walk(String directory, String relative) {
    for (var entry : entries(directory)) {
      String path = directory + "/" + entry.name();
      String name = relative + entry.name();
      seen.run();
      long result = calls.stat(Syscalls.AT_FDCWD, path, Syscalls.AT_SYMLINK_NOFOLLOW, raw);
      if (result < 0) {
        facts.put(name, "listed, but stat gives errno " + -result);
        continue;
      }
      FileStat stat = FileStat.of(raw);
      facts.put(name, line(entry, stat, path, name));
      if (stat.isDirectory()) {
        walk(path, name + "/");
      }
    }
  }

  private String line(DirectoryListing.Entry entry, FileStat stat, String path, String name) {
    var line = new StringBuilder(Side.facts(stat));
    line.append(" mtime ").append(times.of(stat.mtimeNanos()));
    if (entry.ino() != stat.ino() || entry.type() != stat.mode() >> 12) {
      line.append(" but listed as another inode or type");
    }
    String same = first.putIfAbsent(stat.ino(), name);
    if (same != null) {
      return line.append(" same as ").append(same).toString();
    }
    attributes(line, path);
    if (stat.isLink()) {
      long got = calls.readlink(path, buffer, PIECE);
      line.append(" -> ").append(got < 0 ? "errno " + -got : text(got));
    } else if (stat.isFile()) {
      line.append(" content ").append(content(path));
    }
    return line.toString();
  }

  private void attributes(StringBuilder line, String path) {
    long got = calls.listxattr(path, false, buffer, PIECE);
    if (got < 0) {
      line.append(" xattrs: errno ").append(-got);
      return;
    }
    String[] names = text(got).split("\0", -1);
    Arrays.sort(names);
    for (String name : names) {
      if (!name.isEmpty()) {
        long size = calls.getxattr(path, false, name, buffer, PIECE);
        line.append(' ').append(name).append('=').append(size);
        line.append(size < 0 ? "" : "/" + Digests.of(buffer.asSlice(0, size)));
      }
    }
  }

  private String text(long length) {
    byte[] bytes = buffer.asSlice(0, length).toArray(ValueLayout.JAVA_BYTE);
    return new String(bytes, StandardCharsets.ISO_8859_1);
  }

  private String content(String path) {
    int fd = calls.open(path, Syscalls.O_RDONLY | Syscalls.O_NONBLOCK, 0);
    if (fd < 0) {
      return "errno " + -fd;
    }
    var crc = new CRC32C();
    long got;
    do {
      seen.run();
      got = calls.read(fd, buffer, PIECE);
      if (got > 0) {
        crc.update(buffer.asSlice(0, got).asByteBuffer());
      }
    } while (got > 0);
    calls.close(fd);
    return got < 0 ? "errno " + -got : Long.toHexString(crc.getValue());
  }

  /** In words what differs; empty where nothing does. */
  static String difference(Map<String, String> wanted, Map<String, String> got) {
    var out = new StringBuilder();
    var all = new TreeMap<String, String>(wanted);
    all.putAll(got);
    for (String path : all.keySet()) {
      String want = wanted.get(path);
      String have = got.get(path);
      if (want == null || !want.equals(have)) {
        out.append("\n  ").append(path).append("\n    wanted ").append(want);
        out.append("\n    got    ").append(have);
      }
    }
    return out.toString();
  }
}
