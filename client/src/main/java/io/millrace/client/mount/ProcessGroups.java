package io.millrace.client.mount;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import io.millrace.fuse.DetachedReply;
import io.millrace.proto.Command;
import io.millrace.proto.OpenRequest;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * Supplementary groups and capabilities of a process that waits for an answer. The kernel's
 * requests name only user and group; so these are looked up where the node has refused what the
 * kernel had allowed, and it is asked once more. Nothing else pays for it.
 */
record ProcessGroups(List<Integer> groups, long capabilities) {
  private static final ProcessGroups NONE = new ProcessGroups(List.of(), 0);

  private static final Path PROC = Path.of("/proc");

  static ProcessGroups of(DetachedReply kernel) {
    return kernel.uid() == 0 || kernel.pid() == 0
        ? NONE
        : read(PROC.resolve(Integer.toString(kernel.pid())), kernel.uid());
  }

  /** None where it is another's process by now. */
  static ProcessGroups read(Path process, int uid) {
    try {
      return parse(Files.readAllLines(process.resolve("status"), ISO_8859_1), uid);
    } catch (IOException | NumberFormatException e) {
      return NONE;
    }
  }

  private static ProcessGroups parse(List<String> status, int uid) {
    var groups = new ArrayList<Integer>();
    long capabilities = 0;
    boolean same = false;
    for (String line : status) {
      String[] words = line.split("\\s+", -1);
      switch (words[0]) {
        case "Uid:" -> same = Integer.parseUnsignedInt(words[4]) == uid;
        case "Groups:" -> {
          for (int i = 1; i < words.length; i++) {
            if (!words[i].isEmpty()) {
              groups.add(Integer.parseUnsignedInt(words[i]));
            }
          }
        }
        case "CapEff:" -> capabilities = Long.parseUnsignedLong(words[1], 16);
        default -> {}
      }
    }
    return same ? new ProcessGroups(List.copyOf(groups), capabilities) : NONE;
  }

  boolean isEmpty() {
    return groups.isEmpty() && capabilities == 0;
  }

  void tell(Command.Builder command) {
    command.clearGroups().addAllGroups(groups).setCapabilities(capabilities);
  }

  void tell(OpenRequest.Builder question) {
    question.clearGroups().addAllGroups(groups).setCapabilities(capabilities);
  }
}
