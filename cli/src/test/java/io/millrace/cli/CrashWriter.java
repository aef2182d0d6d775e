package io.millrace.cli;

import io.millrace.cli.CrashCalls.Failed;
import io.millrace.cli.CrashTree.Dir;
import io.millrace.cli.CrashTree.Node;
import io.millrace.cli.CrashTree.Place;
import io.millrace.cli.CrashTree.Plain;
import io.millrace.cli.CrashTree.Symlink;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;

/**
 * One program that changes files through the mount and remembers, in this process, each system call
 * before it is made and each answer. At most one call is in doubt when something is killed: {@link
 * #inFlight}. Owned by its thread while it runs.
 */
final class CrashWriter implements Runnable {
  private static final int NAMES_MAX = 40;
  private static final int HANDLES_MAX = 3;
  private static final int CANDIDATES_MAX = 6;
  private static final int SIZE_MAX = 8 << 20;

  /** A call to make, and what it does to the model. */
  record Step(String what, Call call, Runnable maybe, Runnable done) {
    /** A change of names or attributes: there or not, nothing between. */
    Step(String what, Call call, Runnable done) {
      this(what, call, null, done);
    }
  }

  interface Call {
    void run() throws Failed;
  }

  private static final class Handle {
    private int fd;
    private final Plain file;
    private final boolean append;

    Handle(int fd, Plain file, boolean append) {
      this.fd = fd;
      this.file = file;
      this.append = append;
    }
  }

  final CrashTree tree;
  private final Path mount;
  private final CrashCalls calls;
  private final SplittableRandom random;
  private final List<Handle> handles = new ArrayList<>();
  private volatile boolean stopped;
  private volatile boolean killing;
  private int serial;

  Step inFlight;
  long operations;

  /** What went wrong with nothing killed; null: nothing. */
  volatile Throwable failure;

  CrashWriter(Path mount, int number, CrashCalls calls, SplittableRandom random) {
    this.mount = mount;
    this.calls = calls;
    this.random = random;
    tree = new CrashTree(number);
  }

  void prepare() throws Failed {
    calls.mkdir(at(tree.ownName()), 0755);
  }

  /** Failures from now on are the kill's. */
  void killing() {
    killing = true;
  }

  /** Ends after the call that runs. */
  void stop() {
    stopped = true;
  }

  /** Goes on after a check. */
  void resume() {
    stopped = false;
    killing = false;
    inFlight = null;
  }

  /** The mount is gone: so are the files that were open; what they hold was looked at. */
  void forgetHandles() {
    for (Handle handle : handles) {
      try {
        calls.close(handle.fd);
      } catch (Failed gone) {
        // the descriptor is free all the same
      }
    }
    handles.clear();
  }

  @Override
  public void run() {
    try {
      while (!stopped) {
        Step step = next();
        inFlight = step;
        step.call.run();
        step.done.run();
        inFlight = null;
        operations++;
      }
    } catch (Failed failed) {
      if (!killing) {
        failure = new AssertionError(inFlight.what, failed);
      }
    } catch (Throwable unexpected) {
      failure = unexpected;
    }
  }

  /** What open files, named or not, read as now. */
  void checkHandles(List<String> losses) throws Failed {
    for (Handle handle : handles) {
      byte[] found = calls.read(handle.fd, handle.file.content().length + 1);
      if (!Arrays.equals(found, handle.file.content())) {
        losses.add("open file with " + handle.file.names + " names reads otherwise");
      }
    }
  }

  private Step next() {
    List<Place> places = tree.places();
    if (places.size() < 4) {
      return create();
    }
    if (places.size() > NAMES_MAX) {
      return remove(places);
    }
    Place place = places.get(random.nextInt(places.size()));
    return switch (random.nextInt(24)) {
      case 0, 1, 2 -> create();
      case 3, 4, 5, 6, 7, 8 -> content(place);
      case 9 -> mkdir();
      case 10, 11, 12 -> rename(place, places);
      case 13 -> exchange(place, places.get(random.nextInt(places.size())));
      case 14, 15 -> link(place);
      case 16 -> symlink(place);
      case 17, 18 -> remove(places);
      case 19 -> chmod(place);
      case 20 -> mtime(place);
      case 21 -> setxattr(place);
      case 22 -> removexattr(place);
      default -> truncate(place);
    };
  }

  private String at(String path) {
    return mount.resolve(path).toString();
  }

  private record Fresh(Dir dir, String name, String path) {}

  private Fresh fresh() {
    var directories = tree.directories();
    var chosen = directories.get(random.nextInt(directories.size()));
    String name = tree.prefix + Integer.toString(serial++, 36);
    return new Fresh(chosen.dir(), name, chosen.path() + "/" + name);
  }

  private Step create() {
    if (handles.size() == HANDLES_MAX) {
      return close(handles.getFirst());
    }
    Fresh fresh = fresh();
    var file = new Plain();
    file.mode = 0600 | (random.nextInt(0100) & 055);
    boolean append = random.nextInt(4) == 0;
    var handle = new Handle(-1, file, append);
    int flags = CrashCalls.RDWR | CrashCalls.CREAT | CrashCalls.EXCL;
    int all = flags | (append ? CrashCalls.APPEND : 0);
    return new Step(
        "create " + fresh.path,
        () -> handle.fd = calls.open(at(fresh.path), all, file.mode),
        () -> {
          CrashTree.put(fresh.dir, fresh.name, file);
          file.names = 1;
          if (handle.fd >= 0) {
            handles.add(handle);
          }
        });
  }

  private Step content(Place place) {
    if (!handles.isEmpty() && random.nextInt(8) != 0) {
      return onHandle(handles.get(random.nextInt(handles.size())));
    }
    if (place.node() instanceof Plain file && handles.stream().noneMatch(h -> h.file == file)) {
      return handles.size() == HANDLES_MAX ? close(handles.getFirst()) : open(place, file);
    }
    return create();
  }

  private Step onHandle(Handle handle) {
    if (handle.file.candidates.size() > CANDIDATES_MAX) {
      return random.nextBoolean() ? close(handle) : fsync(handle);
    }
    return switch (random.nextInt(8)) {
      case 0, 1, 2, 3 -> write(handle);
      case 4 -> fsync(handle);
      case 5 -> ftruncate(handle);
      default -> close(handle);
    };
  }

  private Step open(Place place, Plain file) {
    boolean truncates = random.nextInt(3) == 0;
    boolean append = random.nextInt(4) == 0;
    int flags =
        CrashCalls.RDWR | (truncates ? CrashCalls.TRUNC : 0) | (append ? CrashCalls.APPEND : 0);
    var handle = new Handle(-1, file, append);
    return new Step(
        "open " + place.path() + (truncates ? " truncating" : ""),
        () -> handle.fd = calls.open(at(place.path()), flags, 0),
        () -> {
          if (truncates) {
            file.maybeTruncated(0);
          }
        },
        () -> {
          handles.add(handle);
          if (truncates) {
            file.truncated(0);
          }
        });
  }

  private Step write(Handle handle) {
    byte[] data = data();
    int size = handle.file.content().length;
    int offset =
        handle.append || random.nextInt(3) == 0 ? size : random.nextInt(size + size / 4 + 4096);
    if (offset + data.length > SIZE_MAX) {
      return ftruncate(handle);
    }
    Runnable wrote = () -> handle.file.wrote(offset, data);
    return new Step(
        "write " + data.length + " at " + offset,
        () -> calls.write(handle.fd, data, offset, handle.append),
        wrote,
        wrote);
  }

  private byte[] data() {
    int kind = random.nextInt(100);
    int bound = kind < 70 ? 8 << 10 : kind < 97 ? 200 << 10 : 5 << 20;
    byte[] data = new byte[1 + random.nextInt(bound)];
    random.nextBytes(data);
    return data;
  }

  private Step fsync(Handle handle) {
    return new Step("fsync", () -> calls.fsync(handle.fd), () -> {}, settle(handle.file));
  }

  private static Runnable settle(Plain file) {
    return () -> file.settled(file.content());
  }

  private Step close(Handle handle) {
    return new Step(
        "close",
        () -> calls.close(handle.fd),
        () -> handles.remove(handle),
        () -> {
          handles.remove(handle);
          settle(handle.file).run();
        });
  }

  private Step ftruncate(Handle handle) {
    int size = random.nextInt(handle.file.content().length + 4096);
    return new Step(
        "ftruncate to " + size,
        () -> calls.ftruncate(handle.fd, size),
        () -> handle.file.maybeTruncated(size),
        () -> handle.file.truncated(size));
  }

  private Step truncate(Place place) {
    if (!(place.node() instanceof Plain file)) {
      return create();
    }
    int size = random.nextInt(file.content().length + 4096);
    return new Step(
        "truncate " + place.path() + " to " + size,
        () -> calls.truncate(at(place.path()), size),
        () -> file.maybeTruncated(size),
        () -> file.truncated(size));
  }

  private Step mkdir() {
    Fresh fresh = fresh();
    var dir = new Dir(false);
    dir.mode = 0700 | (random.nextInt(0100) & 055);
    return new Step(
        "mkdir " + fresh.path,
        () -> calls.mkdir(at(fresh.path), dir.mode),
        () -> CrashTree.put(fresh.dir, fresh.name, dir));
  }

  private Step rename(Place from, List<Place> places) {
    Node moved = from.node();
    Place over = places.get(random.nextInt(places.size()));
    boolean replaces = random.nextBoolean() && replaceable(moved, over);
    Fresh fresh = fresh();
    Dir toDir = replaces ? over.dir() : fresh.dir;
    String toName = replaces ? over.name() : fresh.name;
    String toPath = replaces ? over.path() : fresh.path;
    if (moved instanceof Dir dir && toDir.isWithin(dir)) {
      return create();
    }
    int flags = !replaces && random.nextInt(3) == 0 ? CrashCalls.NOREPLACE : 0;
    return new Step(
        "rename " + from.path() + " to " + toPath + (replaces ? " over it" : ""),
        () -> calls.rename(at(from.path()), at(toPath), flags),
        () -> {
          if (toDir.children.get(toName) == moved) {
            return; // two names of one file: nothing happens
          }
          from.dir().children.remove(from.name());
          Node replaced = toDir.children.get(toName);
          if (replaced != null) {
            tree.dropped(toName, replaced);
          }
          CrashTree.put(toDir, toName, moved);
        });
  }

  private static boolean replaceable(Node moved, Place over) {
    Node there = over.node();
    if (there instanceof Dir dir) {
      return moved instanceof Dir && dir.children.isEmpty() && dir != moved;
    }
    return !(moved instanceof Dir);
  }

  private Step exchange(Place one, Place other) {
    Node first = one.node();
    Node second = other.node();
    boolean loop =
        (first instanceof Dir dir && other.dir().isWithin(dir))
            || (second instanceof Dir below && one.dir().isWithin(below));
    if (loop || first == second) {
      return create();
    }
    return new Step(
        "exchange " + one.path() + " and " + other.path(),
        () -> calls.rename(at(one.path()), at(other.path()), CrashCalls.EXCHANGE),
        () -> {
          CrashTree.put(one.dir(), one.name(), second);
          CrashTree.put(other.dir(), other.name(), first);
        });
  }

  private Step link(Place place) {
    if (!(place.node() instanceof Plain file)) {
      return create();
    }
    Fresh fresh = fresh();
    return new Step(
        "link " + place.path() + " as " + fresh.path,
        () -> calls.link(at(place.path()), at(fresh.path)),
        () -> {
          CrashTree.put(fresh.dir, fresh.name, file);
          file.names++;
        });
  }

  private Step symlink(Place place) {
    Fresh fresh = fresh();
    return new Step(
        "symlink " + fresh.path,
        () -> calls.symlink(place.path(), at(fresh.path)),
        () -> CrashTree.put(fresh.dir, fresh.name, new Symlink(place.path())));
  }

  private Step remove(List<Place> places) {
    List<Place> removable =
        places.stream()
            .filter(p -> !(p.node() instanceof Dir dir) || dir.children.isEmpty())
            .toList();
    Place place = removable.get(random.nextInt(removable.size()));
    boolean directory = place.node() instanceof Dir;
    return new Step(
        (directory ? "rmdir " : "unlink ") + place.path(),
        () -> {
          if (directory) {
            calls.rmdir(at(place.path()));
          } else {
            calls.unlink(at(place.path()));
          }
        },
        () -> tree.dropped(place.name(), place.dir().children.remove(place.name())));
  }

  private Step chmod(Place place) {
    Node node = place.node();
    if (node instanceof Symlink) {
      return create();
    }
    int mode = (node instanceof Dir ? 0700 : 0600) | random.nextInt(0100);
    return new Step(
        "chmod " + place.path(), () -> calls.chmod(at(place.path()), mode), () -> node.mode = mode);
  }

  private Step mtime(Place place) {
    if (!(place.node() instanceof Plain file) || handles.stream().anyMatch(h -> h.file == file)) {
      return create();
    }
    long seconds = 1_000_000_000L + random.nextInt(500_000_000);
    return new Step(
        "utimensat " + place.path(),
        () -> calls.setMtime(at(place.path()), seconds),
        () -> file.mtimeSeconds = seconds);
  }

  private Step setxattr(Place place) {
    Node node = place.node();
    if (node instanceof Symlink) {
      return create();
    }
    String name = "user.x" + random.nextInt(3);
    byte[] value = Long.toString(random.nextLong(), 36).getBytes(StandardCharsets.US_ASCII);
    return new Step(
        "setxattr " + place.path() + " " + name,
        () -> calls.setxattr(at(place.path()), name, value),
        () -> node.xattrs.put(name, value));
  }

  private Step removexattr(Place place) {
    Node node = place.node();
    if (node.xattrs.isEmpty()) {
      return setxattr(place);
    }
    String name = node.xattrs.keySet().iterator().next();
    return new Step(
        "removexattr " + place.path() + " " + name,
        () -> calls.removexattr(at(place.path()), name),
        () -> node.xattrs.remove(name));
  }
}
