package io.millrace.testkit.model;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** The last components of all names that operations may have added or removed, in order. */
final class ChangedNames {
  private final List<String> names = new ArrayList<>();

  void add(Operation op) {
    switch (op.kind()) {
      case OPEN, MKDIR, RMDIR, UNLINK, RENAME, LINK, LINK_OPEN, SYMLINK, MKNOD -> {
        names.add(last(op.path()));
        names.add(last(op.other()));
      }
      default -> {}
    }
  }

  private static String last(String path) {
    String name = path;
    while (name.endsWith("/") || name.endsWith("/.")) {
      name = name.substring(0, name.lastIndexOf('/'));
    }
    return name.substring(name.lastIndexOf('/') + 1);
  }

  int mark() {
    return names.size();
  }

  Set<String> since(int mark) {
    return new HashSet<>(names.subList(mark, names.size()));
  }
}
