package io.millrace.fuse;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CountDownLatch;

/**
 * A whole file system in the heap, under one lock, for tests of the protocol. Names are Latin-1
 * strings of the bytes.
 */
class MemoryTree implements FuseFileSystem {
  static final long FOREVER = Long.MAX_VALUE;
  private static final int DIRECTORY = 0040000;
  private static final int TYPE = 0170000;
  private static final int NOENT = 2;
  private static final int EXIST = 17;
  private static final int NOTDIR = 20;
  private static final int ISDIR = 21;
  private static final int INVAL = 22;
  private static final int NOTEMPTY = 39;
  private static final int NODATA = 61;

  static final class Failure extends RuntimeException {
    private static final long serialVersionUID = 1;
    final int errno;

    Failure(int errno) {
      super("errno " + errno, null, false, false);
      this.errno = errno;
    }
  }

  static final class Node {
    final long ino;
    int mode;
    int nlink = 1;
    int uid;
    int gid;
    int rdev;
    byte[] content = new byte[0];
    int size;
    long atime = now();
    long mtime = now();
    long ctime = now();
    final Map<String, byte[]> xattrs = new TreeMap<>();
    final Map<String, Long> sequence = new HashMap<>();
    final TreeMap<Long, String> order = new TreeMap<>();
    final Map<String, Node> children = new HashMap<>();
    long nextSequence = 1;
    Node parent;

    Node(long ino, int mode) {
      this.ino = ino;
      this.mode = mode;
    }

    boolean isDirectory() {
      return (mode & TYPE) == DIRECTORY;
    }
  }

  private final Map<Long, Node> nodes = new HashMap<>();
  private long nextIno = 2;
  long entryTtl = FOREVER;
  long attrTtl = FOREVER;
  boolean openSupported = true;
  int openFlags = OpenReplyFlags.KEEP_CACHE;
  volatile FuseSession session;
  final CountDownLatch destroyed = new CountDownLatch(1);

  MemoryTree() {
    Node root = new Node(1, DIRECTORY | 0755);
    root.nlink = 2;
    nodes.put(1L, root);
  }

  static long now() {
    java.time.Instant now = java.time.Instant.now();
    return now.getEpochSecond() * 1_000_000_000L + now.getNano();
  }

  @Override
  public void init(FuseSession started) {
    session = started;
  }

  @Override
  public void destroy() {
    destroyed.countDown();
  }

  @Override
  public int errnoOf(Throwable failure) {
    return failure instanceof Failure f ? f.errno : 5;
  }

  synchronized int nodeCount() {
    return nodes.size();
  }

  synchronized Node find(String path) {
    Node node = node(1);
    for (String part : path.split("/", -1)) {
      node = part.isEmpty() ? node : child(node, part);
    }
    return node;
  }

  /** Adds a file from inside, as another client would. */
  synchronized Node put(String path, String content) {
    int slash = path.lastIndexOf('/');
    Node parent = find(path.substring(0, Math.max(0, slash)));
    Node file = make(parent, path.substring(slash + 1), 0100644);
    file.content = content.getBytes(StandardCharsets.ISO_8859_1);
    file.size = file.content.length;
    return file;
  }

  /** Takes a name out of the root from inside, as another client would. */
  synchronized void removeName(String name) {
    Node file = child(node(1), name);
    detach(node(1), name);
    drop(file);
  }

  private Node node(long ino) {
    Node node = nodes.get(ino);
    if (node == null) {
      throw new Failure(116);
    }
    return node;
  }

  private static Node child(Node parent, String name) {
    Node child = parent.children.get(name);
    if (child == null) {
      throw new Failure(NOENT);
    }
    return child;
  }

  private static String text(byte[] name) {
    return new String(name, StandardCharsets.ISO_8859_1);
  }

  private static byte[] bytes(String name) {
    return name.getBytes(StandardCharsets.ISO_8859_1);
  }

  private Node make(Node parent, String name, int mode) {
    if (parent.children.containsKey(name)) {
      throw new Failure(EXIST);
    }
    Node node = new Node(nextIno++, mode);
    nodes.put(node.ino, node);
    attach(parent, name, node);
    if (node.isDirectory()) {
      node.nlink = 2;
      parent.nlink++;
    }
    return node;
  }

  private static void attach(Node parent, String name, Node node) {
    long sequence = parent.nextSequence++;
    parent.children.put(name, node);
    parent.sequence.put(name, sequence);
    parent.order.put(sequence, name);
    node.parent = parent;
    parent.mtime = parent.ctime = now();
  }

  private static void detach(Node parent, String name) {
    parent.children.remove(name);
    parent.order.remove(parent.sequence.remove(name));
    parent.mtime = parent.ctime = now();
  }

  private void drop(Node node) {
    node.nlink -= node.isDirectory() ? 2 : 1;
    node.ctime = now();
    dropUnheld(node);
  }

  private void dropUnheld(Node node) {
    if (node.nlink <= 0 && !session.lookups().contains(node.ino)) {
      nodes.remove(node.ino);
    }
  }

  @Override
  public synchronized void forgotten(long nodeid, long value) {
    Node node = nodes.get(nodeid);
    if (node != null) {
      dropUnheld(node);
    }
  }

  private static void attributes(Node n, FuseAttributes a) {
    a.ino(n.ino)
        .size(n.isDirectory() ? 4096 : n.size)
        .mode(n.mode)
        .nlink(n.nlink)
        .owner(n.uid, n.gid)
        .rdev(n.rdev)
        .times(n.atime, n.mtime, n.ctime);
  }

  private EntryOut entry(EntryOut e, Node n) {
    e.nodeid(n.ino).ttl(entryTtl, attrTtl);
    attributes(n, e.attributes());
    return e;
  }

  private void replyAttr(FuseRequest r, Node n) {
    FuseAttributes a = r.attributesOut();
    attributes(n, a);
    r.attr(a, attrTtl);
  }

  @Override
  public synchronized void lookup(FuseRequest r, long parent) {
    r.entry(entry(r.entryOut(), child(node(parent), text(r.name()))));
  }

  @Override
  public synchronized void getattr(FuseRequest r, long nodeid, long fh) {
    replyAttr(r, node(nodeid));
  }

  @Override
  public synchronized void statx(FuseRequest r, long nodeid, long fh, int flags, int mask) {
    FuseAttributes a = r.attributesOut();
    attributes(node(nodeid), a);
    r.statx(a, 86_400_000_000_001L, attrTtl);
  }

  @Override
  public synchronized void setattr(FuseRequest r, long nodeid, SetattrIn in) {
    Node n = node(nodeid);
    n.ctime = now();
    if (in.hasMode()) {
      n.mode = in.mode();
    }
    if (in.hasUid()) {
      n.uid = in.uid();
    }
    if (in.hasGid()) {
      n.gid = in.gid();
    }
    if (in.hasSize()) {
      resize(n, (int) in.size());
    }
    if (in.hasAtime()) {
      n.atime = in.atimeIsNow() ? now() : in.atimeSeconds() * 1_000_000_000L + in.atimeNanos();
    }
    if (in.hasMtime()) {
      n.mtime = in.mtimeIsNow() ? now() : in.mtimeSeconds() * 1_000_000_000L + in.mtimeNanos();
    }
    replyAttr(r, n);
  }

  private static void resize(Node n, int size) {
    ensure(n, size);
    if (size < n.size) {
      Arrays.fill(n.content, size, n.size, (byte) 0);
    }
    n.size = size;
    n.mtime = now();
  }

  private static void ensure(Node n, int size) {
    if (size > n.content.length) {
      n.content = Arrays.copyOf(n.content, Math.max(size, n.content.length * 2));
    }
  }

  @Override
  public synchronized void readlink(FuseRequest r, long nodeid) {
    Node n = node(nodeid);
    r.data(n.content, 0, n.size);
  }

  @Override
  public synchronized void symlink(FuseRequest r, long parent) {
    Node n = make(node(parent), text(r.name()), 0120777);
    n.content = r.secondName();
    n.size = n.content.length;
    own(r, n);
    r.entry(entry(r.entryOut(), n));
  }

  private static void own(FuseRequest r, Node n) {
    n.uid = r.uid();
    n.gid = r.gid();
  }

  @Override
  public synchronized void mknod(FuseRequest r, long parent, int mode, int umask, int rdev) {
    Node n = make(node(parent), text(r.name()), mode);
    n.rdev = rdev;
    own(r, n);
    r.entry(entry(r.entryOut(), n));
  }

  @Override
  public synchronized void mkdir(FuseRequest r, long parent, int mode, int umask) {
    Node n = make(node(parent), text(r.name()), DIRECTORY | mode);
    own(r, n);
    r.entry(entry(r.entryOut(), n));
  }

  @Override
  public synchronized void unlink(FuseRequest r, long parent) {
    Node p = node(parent);
    Node n = child(p, text(r.name()));
    detach(p, text(r.name()));
    drop(n);
    r.ok();
  }

  @Override
  public synchronized void rmdir(FuseRequest r, long parent) {
    Node p = node(parent);
    Node n = child(p, text(r.name()));
    if (!n.children.isEmpty()) {
      throw new Failure(NOTEMPTY);
    }
    detach(p, text(r.name()));
    p.nlink--;
    drop(n);
    r.ok();
  }

  @Override
  public synchronized void rename(FuseRequest r, long parent, long newParent, int flags) {
    Node from = node(parent);
    Node to = node(newParent);
    String oldName = text(r.name());
    String newName = text(r.secondName());
    Node moved = child(from, oldName);
    Node there = to.children.get(newName);
    if ((flags & 1) != 0 && there != null) {
      throw new Failure(EXIST);
    }
    if ((flags & ~1) != 0) {
      throw new Failure(INVAL);
    }
    if (there != null) {
      refuse(there.isDirectory() && !there.children.isEmpty(), NOTEMPTY);
      refuse(there.isDirectory() && !moved.isDirectory(), ISDIR);
      refuse(!there.isDirectory() && moved.isDirectory(), NOTDIR);
      detach(to, newName);
      to.nlink -= there.isDirectory() ? 1 : 0;
      drop(there);
    }
    detach(from, oldName);
    attach(to, newName, moved);
    if (moved.isDirectory()) {
      from.nlink--;
      to.nlink++;
    }
    r.ok();
  }

  private static void refuse(boolean wrong, int errno) {
    if (wrong) {
      throw new Failure(errno);
    }
  }

  @Override
  public synchronized void link(FuseRequest r, long nodeid, long newParent) {
    Node n = node(nodeid);
    Node p = node(newParent);
    refuse(p.children.containsKey(text(r.name())), EXIST);
    attach(p, text(r.name()), n);
    n.nlink++;
    r.entry(entry(r.entryOut(), n));
  }

  @Override
  public synchronized void open(FuseRequest r, long nodeid, int flags) {
    if (!openSupported) {
      r.error(38);
      return;
    }
    Node n = node(nodeid);
    if ((flags & 01000) != 0) {
      resize(n, 0);
    }
    r.opened(nodeid, openFlags);
  }

  @Override
  public synchronized void create(FuseRequest r, long parent, int flags, int mode, int umask) {
    Node n = make(node(parent), text(r.name()), mode);
    own(r, n);
    r.created(entry(r.entryOut(), n), n.ino, openFlags);
  }

  @Override
  public synchronized void tmpfile(FuseRequest r, long parent, int flags, int mode, int umask) {
    Node n = new Node(nextIno++, mode);
    nodes.put(n.ino, n);
    n.nlink = 0;
    own(r, n);
    r.created(entry(r.entryOut(), n), n.ino, openFlags);
  }

  @Override
  public void read(FuseRequest r, long nodeid, long fh, long offset, int size) {
    synchronized (this) {
      Node n = node(nodeid);
      int from = (int) Math.min(offset, n.size);
      r.data(n.content, from, Math.min(size, n.size - from));
    }
  }

  @Override
  public void write(FuseRequest r, long nodeid, long fh, long offset, int size) {
    if (size < 65_536) {
      store(nodeid, offset, r.payload());
      r.written(size);
      return;
    }
    PayloadBuffer payload = r.takePayload();
    r.blocking(
        reply -> {
          try (payload) {
            store(nodeid, offset, payload.data());
            reply.written(payload.size());
          }
        });
  }

  private synchronized void store(long nodeid, long offset, MemorySegment data) {
    Node n = node(nodeid);
    int end = Math.toIntExact(offset + data.byteSize());
    ensure(n, end);
    MemorySegment.copy(
        data, ValueLayout.JAVA_BYTE, 0, n.content, (int) offset, (int) data.byteSize());
    n.size = Math.max(n.size, end);
    n.mtime = n.ctime = now();
  }

  @Override
  public void statfs(FuseRequest r, long nodeid) {
    r.statfs(new FuseStatfs(1 << 20, 1 << 19, 1 << 19, 1 << 20, 1 << 19, 4096, 255));
  }

  @Override
  public void fsync(FuseRequest r, long nodeid, long fh, boolean dataOnly) {
    r.ok();
  }

  @Override
  public synchronized void setxattr(FuseRequest r, long nodeid, int flags) {
    node(nodeid).xattrs.put(text(r.name()), r.xattrValue());
    r.ok();
  }

  @Override
  public synchronized void getxattr(FuseRequest r, long nodeid, int size) {
    byte[] value = node(nodeid).xattrs.get(text(r.name()));
    refuse(value == null, NODATA);
    r.xattr(value, size);
  }

  @Override
  public synchronized void listxattr(FuseRequest r, long nodeid, int size) {
    var all = new StringBuilder();
    node(nodeid).xattrs.keySet().forEach(name -> all.append(name).append('\0'));
    r.xattr(bytes(all.toString()), size);
  }

  @Override
  public synchronized void removexattr(FuseRequest r, long nodeid) {
    refuse(node(nodeid).xattrs.remove(text(r.name())) == null, NODATA);
    r.ok();
  }

  @Override
  public void opendir(FuseRequest r, long nodeid, int flags) {
    r.opened(nodeid, 0);
  }

  @Override
  public synchronized void readdir(FuseRequest r, long nodeid, long fh, long cookie) {
    Node n = node(nodeid);
    DirectoryBuffer out = r.directoryBuffer();
    boolean room = true;
    if (cookie < 1) {
      room = out.add(bytes("."), 1, n.ino, n.mode);
    }
    if (room && cookie < 2) {
      room = out.add(bytes(".."), 2, n.parent == null ? 1 : n.parent.ino, DIRECTORY);
    }
    EntryOut e = r.entryOut();
    List<Map.Entry<Long, String>> rest =
        new ArrayList<>(n.order.tailMap(Math.max(0, cookie - 2), false).entrySet());
    for (int i = 0; room && i < rest.size(); i++) {
      String name = rest.get(i).getValue();
      room = out.add(bytes(name), rest.get(i).getKey() + 2, entry(e, n.children.get(name)));
    }
    r.directory(out);
  }
}
