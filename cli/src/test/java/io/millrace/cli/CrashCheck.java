package io.millrace.cli;

import io.millrace.cli.CrashTree.Dir;
import io.millrace.cli.CrashTree.Node;
import io.millrace.cli.CrashTree.Plain;
import io.millrace.cli.CrashTree.Symlink;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.UserDefinedFileAttributeView;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;

/** Compares what the mount shows with what one writer was told. Made anew for each look. */
final class CrashCheck {
  private static final int PERMISSIONS = 07777;
  private static final int TYPE = 0170000;
  private static final long TRASH_SHOWN_NANOS = TimeUnit.SECONDS.toNanos(10);

  private final Path mount;
  private final CrashTree tree;
  private final boolean nothingLost;
  private final boolean trash;
  private final List<String> differences = new ArrayList<>();
  private final Map<Plain, byte[]> found = new HashMap<>();

  /**
   * @param nothingLost the mount lived on: files that are open show all that was written
   * @param trash what was deleted is in the trash
   */
  CrashCheck(Path mount, CrashTree tree, boolean nothingLost, boolean trash) {
    this.trash = trash;
    this.mount = mount;
    this.tree = tree;
    this.nothingLost = nothingLost;
  }

  List<String> differences() throws IOException {
    compareNames(tree.own, mount.resolve(tree.ownName()));
    compareNames(tree.shared, mount.resolve(CrashTree.SHARED));
    if (trash && differences.isEmpty()) {
      compareTrash();
    }
    return differences;
  }

  /** It shows what was deleted a moment after the call. */
  private void compareTrash() throws IOException {
    long end = System.nanoTime() + TRASH_SHOWN_NANOS;
    do {
      differences.clear();
      for (var name : inTrash().entrySet()) {
        compareDeleted(name.getKey(), name.getValue());
      }
    } while (!differences.isEmpty() && System.nanoTime() < end);
  }

  /** Paths there of each name that this writer deleted, or that is there all the same. */
  private Map<String, List<Path>> inTrash() throws IOException {
    var found = new TreeMap<String, List<Path>>();
    tree.deleted.forEach(each -> found.put(each.name(), new ArrayList<>()));
    for (Path root : listed(mount.resolve(".trash"))) {
      for (Path hour : listed(root)) {
        for (Path each : listed(hour)) {
          String kept = each.getFileName().toString();
          String name = kept.substring(kept.indexOf('-') + 1);
          if (name.startsWith(tree.prefix)) {
            found.computeIfAbsent(name, key -> new ArrayList<>()).add(each);
          }
        }
      }
    }
    return found;
  }

  private static List<Path> listed(Path dir) throws IOException {
    var paths = new ArrayList<Path>();
    try (var each = Files.newDirectoryStream(dir)) {
      each.forEach(paths::add);
    }
    return paths;
  }

  /** Several of one name are told apart by what they are; those that may be little come first. */
  private void compareDeleted(String name, List<Path> kept) throws IOException {
    List<Node> nodes =
        tree.deleted.stream()
            .filter(each -> each.name().equals(name))
            .map(CrashTree.Deleted::node)
            .sorted(Comparator.comparingInt(CrashCheck::contents))
            .toList();
    if (nodes.size() != kept.size()) {
      differences.add(
          "trash: " + kept + " for " + nodes.size() + " of the name " + name + " deleted");
      return;
    }
    for (Node node : nodes) {
      List<String> refused = new ArrayList<>();
      Path match = null;
      for (Path path : kept) {
        var look = new CrashCheck(mount, tree, nothingLost, false);
        look.compareKept(node, path);
        if (look.differences.isEmpty()) {
          match = path;
          found.putAll(look.found);
          break;
        }
        refused.addAll(look.differences);
      }
      if (match == null) {
        differences.addAll(refused);
        return;
      }
      kept.remove(match);
    }
  }

  private static int contents(Node node) {
    return node instanceof Plain file ? file.candidates.size() : 0;
  }

  private void compareKept(Node node, Path path) throws IOException {
    if (node instanceof Plain file) {
      int names = file.names;
      file.names = 1; // its name there
      compare(node, path);
      file.names = names;
    } else {
      compare(node, path);
    }
  }

  /** What was seen is the truth from now on. */
  void settle() {
    found.forEach(Plain::settled);
  }

  private void compareNames(Dir dir, Path path) throws IOException {
    var names = new TreeSet<String>();
    try (var listed = Files.newDirectoryStream(path)) {
      for (Path each : listed) {
        String name = each.getFileName().toString();
        if (name.startsWith(tree.prefix) && !names.add(name)) {
          differences.add(each + " is listed twice");
        }
      }
    }
    if (!names.equals(dir.children.keySet())) {
      var missing = new TreeSet<>(dir.children.keySet());
      missing.removeAll(names);
      names.removeAll(dir.children.keySet());
      differences.add(path + ": missing " + missing + ", not expected " + names);
      return;
    }
    for (var child : dir.children.entrySet()) {
      compare(child.getValue(), path.resolve(child.getKey()));
    }
  }

  private void compare(Node node, Path path) throws IOException {
    Map<String, Object> seen =
        Files.readAttributes(path, "unix:mode,nlink,size", LinkOption.NOFOLLOW_LINKS);
    int mode = (int) seen.get("mode");
    int type =
        switch (node) {
          case Dir _ -> 0040000;
          case Plain _ -> 0100000;
          case Symlink _ -> 0120000;
        };
    if ((mode & TYPE) != type || (mode & PERMISSIONS) != node.mode) {
      String wanted = Integer.toOctalString(type | node.mode);
      differences.add(path + ": mode " + Integer.toOctalString(mode) + ", not " + wanted);
      return;
    }
    int links = (int) seen.get("nlink");
    switch (node) {
      case Dir dir -> {
        long subdirs = dir.children.values().stream().filter(Dir.class::isInstance).count();
        compareLinks(path, links, subdirs + 2);
        compareXattrs(dir, path);
        compareNames(dir, path);
      }
      case Plain file -> {
        compareLinks(path, links, file.names);
        compareXattrs(file, path);
        compareFile(file, path);
      }
      case Symlink link -> {
        if (!Files.readSymbolicLink(path).toString().equals(link.target)) {
          differences.add(path + ": points elsewhere");
        }
      }
    }
  }

  private void compareLinks(Path path, long seen, long wanted) {
    if (seen != wanted) {
      differences.add(path + ": nlink " + seen + ", not " + wanted);
    }
  }

  private void compareXattrs(Node node, Path path) throws IOException {
    var view = Files.getFileAttributeView(path, UserDefinedFileAttributeView.class);
    var names = new TreeSet<String>();
    for (String name : view.list()) {
      if (!name.startsWith("millrace.")) {
        names.add("user." + name);
      }
    }
    if (!names.equals(node.xattrs.keySet())) {
      differences.add(path + ": xattrs " + names + ", not " + node.xattrs.keySet());
      return;
    }
    for (var xattr : node.xattrs.entrySet()) {
      String name = xattr.getKey().substring("user.".length());
      var value = ByteBuffer.allocate(view.size(name));
      view.read(name, value);
      if (!Arrays.equals(value.array(), xattr.getValue())) {
        differences.add(path + ": another value of " + name);
      }
    }
  }

  private void compareFile(Plain file, Path path) throws IOException {
    byte[] content = Files.readAllBytes(path);
    found.put(file, content);
    if (file.mtimeSeconds != null) {
      var mtime = (FileTime) Files.getAttribute(path, "lastModifiedTime");
      boolean truncated = file.maybeLength != null && content.length == file.maybeLength;
      if (mtime.toInstant().getEpochSecond() != file.mtimeSeconds && !truncated) {
        differences.add(path + ": mtime " + mtime + ", not " + file.mtimeSeconds);
      }
    }
    String refusal =
        nothingLost && !Arrays.equals(content, file.content())
            ? "differs from what was written, and the mount lives"
            : file.refusal(content);
    if (refusal != null) {
      differences.add(path + ": " + refusal);
    }
  }
}
