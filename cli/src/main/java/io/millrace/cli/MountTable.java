package io.millrace.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/** Finds Millrace mounts in the kernel's mount table, so that commands take paths below them. */
final class MountTable {
  private static final Path TABLE = Path.of("/proc/self/mountinfo");
  private static final String TYPE = "fuse.millrace";

  /**
   * @param server of the node behind it, HOST:PORT, as the mount's source names it
   */
  record Mount(Path point, String server) {}

  private MountTable() {}

  /** The mount that holds this absolute path, the innermost one. */
  static Optional<Mount> holding(Path path) {
    Mount best = null;
    for (String line : lines()) {
      // 36 35 98:0 /root /point options - type source superoptions
      int dash = line.indexOf(" - ");
      String[] head = line.substring(0, dash).split(" ", -1);
      String[] tail = line.substring(dash + 3).split(" ", -1);
      Path point = Path.of(unescape(head[4]));
      if (tail[0].equals(TYPE)
          && path.startsWith(point)
          && (best == null || point.getNameCount() > best.point.getNameCount())) {
        best = new Mount(point, unescape(tail[1]));
      }
    }
    return Optional.ofNullable(best);
  }

  private static Iterable<String> lines() {
    try {
      return Files.readAllLines(TABLE);
    } catch (IOException e) {
      throw new CliException(Main.SOME_FAILED, "can't read " + TABLE + ": " + e.getMessage());
    }
  }

  /** The kernel writes space, tab, newline and backslash as three octal digits. */
  private static String unescape(String field) {
    var text = new StringBuilder();
    for (int i = 0; i < field.length(); i++) {
      char c = field.charAt(i);
      if (c == '\\' && i + 3 < field.length()) {
        text.append((char) Integer.parseInt(field.substring(i + 1, i + 4), 8));
        i += 3;
      } else {
        text.append(c);
      }
    }
    return text.toString();
  }
}
