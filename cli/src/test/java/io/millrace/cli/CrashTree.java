package io.millrace.cli;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * What one writer's files must look like. Owned by its writer's thread; by the checker while no
 * writer runs.
 *
 * <p>Invariant: {@code candidates} of a file are the contents it may have after a crash, oldest
 * first; the last is what a reader sees while nothing crashes. One only: closed or synced.
 */
final class CrashTree {
  abstract static sealed class Node permits Dir, Plain, Symlink {
    int mode;
    final Map<String, byte[]> xattrs = new TreeMap<>();

    /** As set by utimensat and not changed since; null where it is not known. */
    Long mtimeSeconds;

    /** The length that a call in doubt gave it, with a new mtime, if it happened; else null. */
    Integer maybeLength;
  }

  static final class Dir extends Node {
    final Map<String, Node> children = new TreeMap<>();
    final boolean fixed;
    Dir parent;

    Dir(boolean fixed) {
      this.fixed = fixed;
      mode = 0755;
    }

    boolean isWithin(Dir ancestor) {
      for (Dir at = this; at != null; at = at.parent) {
        if (at == ancestor) {
          return true;
        }
      }
      return false;
    }
  }

  static final class Plain extends Node {
    final List<byte[]> candidates = new ArrayList<>(List.of(new byte[0]));
    int names;

    byte[] content() {
      return candidates.getLast();
    }

    void wrote(long offset, byte[] data) {
      byte[] before = content();
      byte[] after = Arrays.copyOf(before, Math.max(before.length, (int) offset + data.length));
      System.arraycopy(data, 0, after, (int) offset, data.length);
      candidates.add(after);
      mtimeSeconds = null;
    }

    /** All that a crash could leave has that length now. */
    void truncated(int size) {
      candidates.replaceAll(each -> Arrays.copyOf(each, size));
      mtimeSeconds = null;
    }

    /** Perhaps. */
    void maybeTruncated(int size) {
      maybeLength = size;
      for (byte[] each : List.copyOf(candidates)) {
        candidates.add(Arrays.copyOf(each, size));
      }
    }

    void settled(byte[] content) {
      if (maybeLength != null) {
        mtimeSeconds = null;
        maybeLength = null;
      }
      candidates.clear();
      candidates.add(content);
    }

    /** Null where this may be its content; else why not. */
    String refusal(byte[] found) {
      if (candidates.stream().anyMatch(each -> Arrays.equals(each, found))) {
        return null;
      }
      int least = candidates.stream().mapToInt(each -> each.length).min().getAsInt();
      int most = candidates.stream().mapToInt(each -> each.length).max().getAsInt();
      if (found.length < least || found.length > most) {
        return "size " + found.length + ", not between " + least + " and " + most;
      }
      if (candidates.size() == 1) {
        return "differs from byte " + Arrays.mismatch(found, content()) + " on";
      }
      for (int i = 0; i < found.length; i++) {
        if (!possible(found[i], i, least)) {
          return "byte " + i + " is none of those ever written there";
        }
      }
      return null;
    }

    private boolean possible(byte value, int at, int least) {
      if (value == 0 && at >= least) {
        return true;
      }
      return candidates.stream().anyMatch(each -> at < each.length && each[at] == value);
    }
  }

  static final class Symlink extends Node {
    final String target;

    Symlink(String target) {
      this.target = target;
      mode = 0777;
    }
  }

  /** A name, in a directory. */
  record Place(Dir dir, String name, String path) {
    Node node() {
      return dir.children.get(name);
    }
  }

  /** What lost its last name, under that name, in the order it did. */
  record Deleted(String name, Node node) {}

  final List<Deleted> deleted = new ArrayList<>();
  final Dir own = new Dir(true);
  final Dir shared = new Dir(true);
  final String prefix;

  CrashTree(int writer) {
    prefix = "t" + writer + "-";
  }

  /** Path of the writer's own directory from the mount point. */
  String ownName() {
    return prefix + "own";
  }

  static final String SHARED = "shared";

  List<Place> places() {
    var found = new ArrayList<Place>();
    collect(own, ownName(), found);
    collect(shared, SHARED, found);
    return found;
  }

  private static void collect(Dir dir, String path, Collection<Place> found) {
    dir.children.forEach(
        (name, node) -> {
          var place = new Place(dir, name, path + "/" + name);
          found.add(place);
          if (node instanceof Dir below) {
            collect(below, place.path, found);
          }
        });
  }

  record At(Dir dir, String path) {}

  List<At> directories() {
    var found = new ArrayList<At>();
    found.add(new At(own, ownName()));
    found.add(new At(shared, SHARED));
    for (Place place : places()) {
      if (place.node() instanceof Dir dir) {
        found.add(new At(dir, place.path));
      }
    }
    return found;
  }

  /** A name was taken away. */
  void dropped(String name, Node node) {
    if (node instanceof Plain file && --file.names > 0) {
      return;
    }
    deleted.add(new Deleted(name, node));
  }

  static void put(Dir dir, String name, Node node) {
    dir.children.put(name, node);
    if (node instanceof Dir below) {
      below.parent = dir;
    }
  }
}
