package io.millrace.client;

import com.google.protobuf.ByteString;
import io.millrace.core.api.Errno;
import io.millrace.core.api.FsException;
import io.millrace.core.api.Ino;
import io.millrace.proto.Command;
import io.millrace.proto.CommandResult;
import io.millrace.proto.CommitContent;
import io.millrace.proto.Create;
import io.millrace.proto.Extent;
import io.millrace.proto.Inode;
import io.millrace.proto.ReaddirRequest;
import io.millrace.proto.Rename;
import io.millrace.proto.SetAttr;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.TreeMap;

/** Names, attributes and whole contents in maps: the simplest thing that could be right. */
public final class MemoryTree {
  /** Gives an extent's bytes out of stored blocks. */
  interface Blocks {
    byte[] bytes(long ino, Extent extent);
  }

  private static final class Node {
    Inode.Builder inode;
    byte[] content = new byte[0];
    ByteString target = ByteString.EMPTY;
    final NavigableMap<ByteString, Long> children =
        new TreeMap<>(ByteString.unsignedLexicographicalComparator());
    final Map<ByteString, Long> cookies = new HashMap<>();
    final Map<ByteString, ByteString> xattrs =
        new TreeMap<>(ByteString.unsignedLexicographicalComparator());
  }

  private final Map<Long, Node> nodes = new HashMap<>();
  private long nextIno = 2;
  private long nextCookie = 1;
  private long now = 1_000_000_000_000_000_000L;

  MemoryTree() {
    var root = new Node();
    root.inode = Inode.newBuilder().setIno(Ino.ROOT).setMode(0040755).setNlink(2);
    nodes.put(Ino.ROOT, root);
  }

  private Node node(long ino) {
    Node node = nodes.get(ino);
    if (node == null) {
      throw new FsException(Errno.ESTALE, "no such inode", "ino", ino);
    }
    return node;
  }

  public synchronized boolean exists(long ino) {
    return nodes.containsKey(ino);
  }

  public synchronized Inode inode(long ino) {
    return node(ino).inode.build();
  }

  public synchronized byte[] content(long ino) {
    return node(ino).content;
  }

  ByteString target(long ino) {
    return node(ino).target;
  }

  Map<ByteString, ByteString> xattrs(long ino) {
    return node(ino).xattrs;
  }

  byte[] contentUpTo(Inode inode, int limit) {
    byte[] content = node(inode.getIno()).content;
    boolean regular = (inode.getMode() & 0170000) == 0100000;
    return regular && limit > 0 && content.length <= limit ? content : null;
  }

  /** Makes a file from outside any mount. */
  public synchronized long put(long dir, String name, byte[] content) {
    var create =
        Create.newBuilder().setDir(dir).setName(ByteString.copyFromUtf8(name)).setMode(0100644);
    Inode inode = create(Command.newBuilder().setCreate(create).build()).getInode();
    replaceContent(inode.getIno(), content);
    return inode.getIno();
  }

  /** Changes content from outside any mount. */
  public synchronized void replaceContent(long ino, byte[] content) {
    Node node = node(ino);
    node.content = content.clone();
    node.inode.setSize(content.length).setContentSeq(node.inode.getContentSeq() + 1);
  }

  public synchronized Inode lookup(long dir, ByteString name) {
    Node parent = node(dir);
    Long ino = parent.children.get(name);
    return ino == null ? null : named(parent, name, ino);
  }

  private Inode named(Node parent, ByteString name, long ino) {
    return node(ino)
        .inode
        .clone()
        .setParent(parent.inode.getIno())
        .setName(name)
        .setCookie(parent.cookies.get(name))
        .build();
  }

  List<Inode> list(ReaddirRequest request) {
    Node dir = node(request.getDir());
    ByteString after = request.getAfterName();
    if (after.isEmpty() && request.getAfterCookie() != 0) {
      for (var e : dir.cookies.entrySet()) {
        after = e.getValue() == request.getAfterCookie() ? e.getKey() : after;
      }
    }
    var rest = new ArrayList<Inode>();
    var tail = after.isEmpty() ? dir.children : dir.children.tailMap(after, false);
    tail.forEach((name, ino) -> rest.add(named(dir, name, ino)));
    return rest;
  }

  CommandResult.Builder apply(Command command, Blocks blocks) {
    now++;
    return switch (command.getOpCase()) {
      case CREATE -> create(command);
      case MKDIR -> {
        var m = command.getMkdir();
        int mode = 0040000 | (m.getMode() & 07777 & ~m.getUmask());
        yield add(command, m.getDir(), m.getName(), mode);
      }
      case UNLINK ->
          unlink(
              command.getUnlink().getDir(),
              command.getUnlink().getName(),
              command.getUnlink().getOpen());
      case RMDIR -> rmdir(command.getRmdir().getDir(), command.getRmdir().getName());
      case RENAME -> rename(command.getRename());
      case LINK -> {
        var l = command.getLink();
        node(l.getIno()).inode.setNlink(node(l.getIno()).inode.getNlink() + 1);
        attach(node(l.getNewDir()), l.getNewName(), l.getIno());
        yield done(named(node(l.getNewDir()), l.getNewName(), l.getIno()));
      }
      case SET_ATTR -> setAttr(command.getSetAttr());
      case SET_XATTR -> {
        var x = command.getSetXattr();
        node(x.getIno()).xattrs.put(x.getName(), x.getValue());
        node(x.getIno()).inode.setXattrs(true);
        yield CommandResult.newBuilder();
      }
      case REMOVE_XATTR -> {
        var x = command.getRemoveXattr();
        node(x.getIno()).xattrs.remove(x.getName());
        yield CommandResult.newBuilder();
      }
      case COMMIT_CONTENT -> commit(command.getCommitContent(), blocks);
      case REAP_ORPHAN -> {
        command.getReapOrphan().getInoList().forEach(nodes::remove);
        yield CommandResult.newBuilder();
      }
      default -> throw new FsException(Errno.ENOSYS, "not here", "op", command.getOpCase());
    };
  }

  private static CommandResult.Builder done(Inode inode) {
    return CommandResult.newBuilder().setInode(inode);
  }

  private CommandResult.Builder create(Command command) {
    Create c = command.getCreate();
    Inode there = lookup(c.getDir(), c.getName());
    if (there != null && !c.getExclusive() && (there.getMode() & 0170000) == 0100000) {
      return done(there).setExisted(true);
    }
    CommandResult.Builder made = add(command, c.getDir(), c.getName(), c.getMode() & ~c.getUmask());
    Node node = node(made.getInode().getIno());
    node.target = c.getTarget();
    node.inode.setSize(c.getTarget().size()).setRdev(c.getRdev());
    return made.setInode(named(node(c.getDir()), c.getName(), node.inode.getIno()));
  }

  private CommandResult.Builder add(Command command, long dir, ByteString name, int mode) {
    Node parent = node(dir);
    if (parent.children.containsKey(name)) {
      throw new FsException(Errno.EEXIST, "exists");
    }
    var node = new Node();
    node.inode =
        Inode.newBuilder()
            .setIno(nextIno++)
            .setMode(mode)
            .setNlink((mode & 0170000) == 0040000 ? 2 : 1)
            .setUid(command.getUid())
            .setGid(command.getGid())
            .setMtimeNs(now)
            .setCtimeNs(now)
            .setAtimeNs(now);
    nodes.put(node.inode.getIno(), node);
    attach(parent, name, node.inode.getIno());
    return done(named(parent, name, node.inode.getIno()));
  }

  private void attach(Node dir, ByteString name, long ino) {
    dir.children.put(name, ino);
    dir.cookies.put(name, nextCookie++);
  }

  private CommandResult.Builder unlink(long dir, ByteString name, boolean open) {
    Node parent = node(dir);
    Long ino = parent.children.remove(name);
    if (ino == null) {
      throw new FsException(Errno.ENOENT, "no such name");
    }
    return CommandResult.newBuilder().setReplaced(dropName(ino, open));
  }

  private Inode dropName(long ino, boolean open) {
    Node node = node(ino);
    node.inode.setNlink(node.inode.getNlink() - 1);
    if (node.inode.getNlink() == 0 && !open) {
      nodes.remove(ino);
    }
    return node.inode.build();
  }

  private CommandResult.Builder rmdir(long dir, ByteString name) {
    Inode gone = lookup(dir, name);
    if (gone == null) {
      throw new FsException(Errno.ENOENT, "no such name");
    }
    if (!node(gone.getIno()).children.isEmpty()) {
      throw new FsException(Errno.ENOTEMPTY, "not empty");
    }
    node(dir).children.remove(name);
    nodes.remove(gone.getIno());
    return CommandResult.newBuilder().setReplaced(gone);
  }

  private CommandResult.Builder rename(Rename r) {
    Node from = node(r.getOldDir());
    Node to = node(r.getNewDir());
    Long ino = from.children.get(r.getOldName());
    if (ino == null) {
      throw new FsException(Errno.ENOENT, "no such name");
    }
    Long over = to.children.get(r.getNewName());
    if (over != null && r.getFlags() == 1) {
      throw new FsException(Errno.EEXIST, "exists");
    }
    CommandResult.Builder result = CommandResult.newBuilder();
    if (r.getFlags() == 2) {
      from.children.put(r.getOldName(), over);
      to.children.put(r.getNewName(), ino);
      return result.setInode(named(to, r.getNewName(), ino));
    }
    from.children.remove(r.getOldName());
    if (over != null && !over.equals(ino)) {
      result.setReplaced(dropName(over, r.getOpen()));
    }
    attach(to, r.getNewName(), ino);
    return result.setInode(named(to, r.getNewName(), ino));
  }

  private CommandResult.Builder setAttr(SetAttr s) {
    Node node = node(s.getIno());
    if (s.hasMode()) {
      node.inode.setMode((node.inode.getMode() & 0170000) | s.getMode());
    }
    if (s.hasUid()) {
      node.inode.setUid(s.getUid());
    }
    if (s.hasGid()) {
      node.inode.setGid(s.getGid());
    }
    if (s.hasSize()) {
      replaceContent(s.getIno(), Arrays.copyOf(node.content, (int) s.getSize()));
    }
    if (s.hasMtimeNs()) {
      node.inode.setMtimeNs(s.getMtimeNs());
    }
    return done(node.inode.setCtimeNs(now).build());
  }

  private CommandResult.Builder commit(CommitContent c, Blocks blocks) {
    Node node = node(c.getIno());
    byte[] content = Arrays.copyOf(node.content, (int) Math.max(node.content.length, c.getSize()));
    long last = 0;
    for (Extent e : c.getExtentsList()) {
      if (e.getFileOffset() < last || e.getLength() <= 0) {
        throw new FsException(Errno.EINVAL, "extents are not sorted");
      }
      last = e.getFileOffset() + e.getLength();
      byte[] bytes = blocks.bytes(c.getIno(), e);
      System.arraycopy(bytes, 0, content, (int) e.getFileOffset(), bytes.length);
    }
    replaceContent(c.getIno(), content);
    return done(node.inode.setMtimeNs(c.getMtimeNs()).build());
  }
}
