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
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;

/** Compares what the mount shows with what one writer was told. Made anew for each look. */
final class CrashCheck {
  private static final int PERMISSIONS = 07777;
  private static final int TYPE = 0170000;

  private final Path mount;
  private final CrashTree tree;
  private final boolean nothingLost;
  private final List<String> differences = new ArrayList<>();
  private final Map<Plain, byte[]> found = new HashMap<>();

  /**
   * @param nothingLost the mount lived on: files that are open show all that was written
   */
  CrashCheck(Path mount, CrashTree tree, boolean nothingLost) {
    this.mount = mount;
    this.tree = tree;
    this.nothingLost = nothingLost;
  }

  List<String> differences() throws IOException {
    compareNames(tree.own, mount.resolve(tree.ownName()));
    compareNames(tree.shared, mount.resolve(CrashTree.SHARED));
    return differences;
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
