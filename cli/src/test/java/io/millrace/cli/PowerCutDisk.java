package io.millrace.cli;

import io.millrace.fuse.DirectoryBuffer;
import io.millrace.fuse.EntryOut;
import io.millrace.fuse.FuseAttributes;
import io.millrace.fuse.FuseConfig;
import io.millrace.fuse.FuseFileSystem;
import io.millrace.fuse.FuseMountException;
import io.millrace.fuse.FuseRequest;
import io.millrace.fuse.FuseSession;
import io.millrace.fuse.FuseStatfs;
import io.millrace.fuse.SetattrIn;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.random.RandomGenerator;

/**
 * A disk whose power can be cut: a FUSE file system in memory that knows what was synced. A cut
 * keeps all that was, and of the rest what chance leaves: names up to some change (a journal keeps
 * their order, and any fsync writes it), of each file some of its writes, torn in pieces of 4 KiB.
 *
 * <p>Only another process may use it. All state under its lock.
 */
final class PowerCutDisk implements FuseFileSystem, AutoCloseable {
  private static final int DIRECTORY = 0040000;
  private static final int TYPE = 0170000;
  private static final int PIECE = 4096;
  private static final int NOENT = 2;
  private static final int EXIST = 17;
  private static final int NOTEMPTY = 39;
  private static final int O_TRUNC = 01000;

  private static final class Refused extends RuntimeException {
    private static final long serialVersionUID = 1;
    private final int errno;

    Refused(int errno) {
      super("errno " + errno, null, false, false);
      this.errno = errno;
    }
  }

  /** A change of a file's bytes that no fsync has followed; data null: a new length. */
  @SuppressWarnings("ArrayRecordComponent")
  private record Unsynced(int offset, byte[] data) {
    byte[] on(byte[] before) {
      if (data == null) {
        return Arrays.copyOf(before, offset);
      }
      byte[] after = Arrays.copyOf(before, Math.max(before.length, offset + data.length));
      System.arraycopy(data, 0, after, offset, data.length);
      return after;
    }
  }

  private static final class Node {
    private final long ino;
    private int mode;
    private final Map<String, Node> children = new TreeMap<>();
    private byte[] content = new byte[0];
    private int size;
    private byte[] durable = new byte[0];
    private final List<Unsynced> unsynced = new ArrayList<>();

    Node(long ino, int mode) {
      this.ino = ino;
      this.mode = mode;
    }

    boolean isDirectory() {
      return (mode & TYPE) == DIRECTORY;
    }

    void write(int offset, byte[] data) {
      grow(offset + data.length);
      System.arraycopy(data, 0, content, offset, data.length);
      size = Math.max(size, offset + data.length);
      unsynced.add(new Unsynced(offset, data));
    }

    void resize(int length) {
      grow(length);
      if (length < size) {
        Arrays.fill(content, length, size, (byte) 0);
      }
      size = length;
      unsynced.add(new Unsynced(length, null));
    }

    private void grow(int length) {
      if (length > content.length) {
        content = Arrays.copyOf(content, Math.max(length, 2 * content.length));
      }
    }

    void sync() {
      durable = Arrays.copyOf(content, size);
      unsynced.clear();
    }

    /** What is left of it. */
    void cut(RandomGenerator random) {
      byte[] left = durable;
      int whole = random.nextInt(unsynced.size() + 1);
      for (int i = 0; i < unsynced.size(); i++) {
        Unsynced change = unsynced.get(i);
        if (i < whole) {
          left = change.on(left);
        } else if (change.data != null) {
          left = torn(change, left, random);
        }
      }
      content = left;
      size = left.length;
      sync();
    }

    private static byte[] torn(Unsynced change, byte[] before, RandomGenerator random) {
      byte[] left = before;
      for (int from = 0; from < change.data.length; from += PIECE) {
        int to = Math.min(change.data.length, from + PIECE);
        if (random.nextInt(3) == 0) {
          byte[] piece = Arrays.copyOfRange(change.data, from, to);
          left = new Unsynced(change.offset + from, piece).on(left);
        }
      }
      return left;
    }
  }

  /** A change of names, to be done again on the names of the last sync. */
  private interface NameChange {
    void apply();
  }

  private final Path mountPoint;
  private final Map<Long, Node> nodes = new HashMap<>();
  private final Map<Long, Map<String, Node>> durableNames = new HashMap<>();
  private final List<NameChange> unsyncedNames = new ArrayList<>();
  private final Node root = new Node(1, DIRECTORY | 0755);
  private long lastIno = 1;
  private FuseSession session;
  long syncs;

  PowerCutDisk(Path mountPoint) {
    this.mountPoint = mountPoint;
    nodes.put(1L, root);
    durableNames.put(1L, new TreeMap<>());
  }

  void mount() throws FuseMountException {
    session =
        FuseSession.mount(FuseConfig.at(mountPoint).subtype("powercut").workers(4).build(), this);
  }

  /** Nobody uses it any more. What was not synced is lost, or in part. */
  void cut(RandomGenerator random) throws FuseMountException {
    session.close();
    synchronized (this) {
      int kept = random.nextInt(unsyncedNames.size() + 1);
      unsyncedNames.subList(0, kept).forEach(NameChange::apply);
      unsyncedNames.clear();
      nodes.values().forEach(node -> node.cut(random));
      nodes.forEach(
          (ino, node) -> {
            node.children.clear();
            node.children.putAll(durableNames.getOrDefault(ino, Map.of()));
          });
      forgetNameless();
    }
  }

  /** What no name leads to is gone with the power; many cuts would fill the memory. */
  private void forgetNameless() {
    var named = new HashSet<Long>();
    collectNamed(root, named);
    nodes.keySet().retainAll(named);
    durableNames.keySet().retainAll(named);
  }

  private static void collectNamed(Node node, Set<Long> named) {
    named.add(node.ino);
    node.children.values().forEach(child -> collectNamed(child, named));
  }

  @Override
  public void close() throws FuseMountException {
    if (session != null) {
      session.close();
    }
  }

  @Override
  public int errnoOf(Throwable failure) {
    return failure instanceof Refused refused ? refused.errno : 5;
  }

  private Node node(long ino) {
    return nodes.get(ino);
  }

  private static Node child(Node parent, String name) {
    Node child = parent.children.get(name);
    if (child == null) {
      throw new Refused(NOENT);
    }
    return child;
  }

  private static String text(byte[] name) {
    return new String(name, StandardCharsets.ISO_8859_1);
  }

  private Node make(long parent, String name, int mode) {
    Node in = node(parent);
    if (in.children.containsKey(name)) {
      throw new Refused(EXIST);
    }
    var made = new Node(++lastIno, mode);
    nodes.put(made.ino, made);
    durableNames.put(made.ino, new TreeMap<>());
    in.children.put(name, made);
    unsyncedNames.add(() -> durableNames.get(parent).put(name, made));
    return made;
  }

  private void remove(long parent, String name) {
    node(parent).children.remove(name);
    unsyncedNames.add(() -> durableNames.get(parent).remove(name));
  }

  private EntryOut entry(FuseRequest request, Node node) {
    EntryOut out = request.entryOut();
    out.nodeid(node.ino).ttl(0, 0);
    attributes(node, out.attributes());
    return out;
  }

  private static void attributes(Node node, FuseAttributes out) {
    out.ino(node.ino)
        .size(node.isDirectory() ? PIECE : node.size)
        .mode(node.mode)
        .nlink(node.isDirectory() ? 2 : 1)
        .owner(0, 0)
        .rdev(0)
        .times(0, 0, 0);
  }

  private static void replyAttributes(FuseRequest request, Node node) {
    FuseAttributes out = request.attributesOut();
    attributes(node, out);
    request.attr(out, 0);
  }

  @Override
  public synchronized void lookup(FuseRequest request, long parent) {
    Node found = child(node(parent), text(request.name()));
    request.entry(entry(request, found));
  }

  @Override
  public synchronized void getattr(FuseRequest request, long nodeid, long fh) {
    replyAttributes(request, node(nodeid));
  }

  @Override
  public synchronized void setattr(FuseRequest request, long nodeid, SetattrIn in) {
    Node node = node(nodeid);
    if (in.hasMode()) {
      node.mode = (node.mode & TYPE) | (in.mode() & ~TYPE);
    }
    if (in.hasSize()) {
      node.resize((int) in.size());
    }
    replyAttributes(request, node);
  }

  @Override
  public synchronized void mkdir(FuseRequest request, long parent, int mode, int umask) {
    Node made = make(parent, text(request.name()), DIRECTORY | mode);
    request.entry(entry(request, made));
  }

  @Override
  public synchronized void create(
      FuseRequest request, long parent, int flags, int mode, int umask) {
    Node made = make(parent, text(request.name()), mode);
    request.created(entry(request, made), made.ino, 0);
  }

  @Override
  public synchronized void unlink(FuseRequest request, long parent) {
    String name = text(request.name());
    child(node(parent), name);
    remove(parent, name);
    request.ok();
  }

  @Override
  public synchronized void rmdir(FuseRequest request, long parent) {
    String name = text(request.name());
    if (!child(node(parent), name).children.isEmpty()) {
      throw new Refused(NOTEMPTY);
    }
    remove(parent, name);
    request.ok();
  }

  @Override
  public synchronized void rename(FuseRequest request, long parent, long newParent, int flags) {
    String oldName = text(request.name());
    String newName = text(request.secondName());
    Node moved = child(node(parent), oldName);
    node(parent).children.remove(oldName);
    node(newParent).children.put(newName, moved);
    unsyncedNames.add(
        () -> {
          durableNames.get(parent).remove(oldName);
          durableNames.get(newParent).put(newName, moved);
        });
    request.ok();
  }

  @Override
  public synchronized void open(FuseRequest request, long nodeid, int flags) {
    if ((flags & O_TRUNC) != 0) {
      node(nodeid).resize(0);
    }
    request.opened(nodeid, 0);
  }

  @Override
  public synchronized void read(FuseRequest request, long nodeid, long fh, long offset, int size) {
    Node node = node(nodeid);
    int from = (int) Math.min(offset, node.size);
    request.data(node.content, from, Math.min(size, node.size - from));
  }

  @Override
  public synchronized void write(FuseRequest request, long nodeid, long fh, long offset, int size) {
    byte[] data = request.payload().asSlice(0, size).toArray(ValueLayout.JAVA_BYTE);
    node(nodeid).write(Math.toIntExact(offset), data);
    request.written(size);
  }

  @Override
  public synchronized void fsync(FuseRequest request, long nodeid, long fh, boolean dataOnly) {
    node(nodeid).sync();
    syncNames();
    request.ok();
  }

  @Override
  public synchronized void fsyncdir(FuseRequest request, long nodeid, long fh, boolean dataOnly) {
    syncNames();
    request.ok();
  }

  private void syncNames() {
    unsyncedNames.forEach(NameChange::apply);
    unsyncedNames.clear();
    syncs++;
  }

  @Override
  public void statfs(FuseRequest request, long nodeid) {
    request.statfs(new FuseStatfs(1 << 22, 1 << 21, 1 << 21, 1 << 20, 1 << 19, PIECE, 255));
  }

  @Override
  public void opendir(FuseRequest request, long nodeid, int flags) {
    request.opened(nodeid, 0);
  }

  @Override
  public synchronized void readdir(FuseRequest request, long nodeid, long fh, long cookie) {
    Node dir = node(nodeid);
    DirectoryBuffer out = request.directoryBuffer();
    EntryOut entry = request.entryOut();
    long at = 0;
    boolean room = true;
    for (var child : dir.children.entrySet()) {
      at++;
      if (room && at > cookie) {
        entry.nodeid(child.getValue().ino).ttl(0, 0);
        attributes(child.getValue(), entry.attributes());
        room = out.add(child.getKey().getBytes(StandardCharsets.ISO_8859_1), at, entry);
      }
    }
    request.directory(out);
  }
}
