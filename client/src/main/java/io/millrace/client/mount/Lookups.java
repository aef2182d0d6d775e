package io.millrace.client.mount;

import com.google.protobuf.ByteString;
import io.millrace.core.api.Errno;
import io.millrace.core.wire.NodeChannel.Reply;
import io.millrace.core.wire.Op;
import io.millrace.fuse.DetachedReply;
import io.millrace.fuse.FuseRequest;
import io.millrace.fuse.FuseStatfs;
import io.millrace.proto.EntryReply;
import io.millrace.proto.Inode;
import io.millrace.proto.InodeRequest;
import io.millrace.proto.LookupRequest;
import io.millrace.proto.ReadlinkReply;
import io.millrace.proto.StatfsReply;
import io.millrace.proto.XattrReply;
import io.millrace.proto.XattrRequest;
import java.util.List;

/** What the kernel asks about names and inodes, one request to the node each. Any thread. */
final class Lookups {
  private static final ByteString OURS = ByteString.copyFromUtf8("user.millrace.");
  private static final ByteString TRUSTED = ByteString.copyFromUtf8("trusted.");
  private static final List<ByteString> NAMESPACES =
      List.of(
          TRUSTED,
          ByteString.copyFromUtf8("user."),
          ByteString.copyFromUtf8("security."),
          ByteString.copyFromUtf8("system.posix_acl_"));
  private static final int BLOCK_BYTES = 4096;
  private static final int NAME_BYTES_MAX = 255;

  private final MountContext context;
  private final EntryAnswers answers;
  private final KnownNames names;

  Lookups(MountContext context, EntryAnswers answers, KnownNames names) {
    this.context = context;
    this.answers = answers;
    this.names = names;
  }

  void lookup(FuseRequest request, long dir) {
    byte[] name = request.name();
    if (name.length > NAME_BYTES_MAX) {
      request.error(Errno.ENAMETOOLONG.code());
      return;
    }
    long since = context.notices().now();
    if (names.isAbsent(dir, name)) {
      answers.absent(request, dir, since);
      return;
    }
    int upTo = context.predictor().wantsContent(dir) ? MountContext.INLINE_BYTES : 0;
    var question =
        LookupRequest.newBuilder()
            .setDir(dir)
            .setName(MountContext.bytes(name))
            .setWantContentUpTo(upTo)
            .build();
    DetachedReply kernel = request.detach();
    kernel.answerWhenInterrupted();
    new NodeAnswer(kernel) {
      @Override
      void answer(Reply reply, DetachedReply to) {
        found(reply, to, dir, since);
      }
    }.ask(context.channel(), Op.LOOKUP, question);
  }

  private void found(Reply reply, DetachedReply kernel, long dir, long since) {
    EntryReply entry = reply.as(EntryReply.class);
    context.nodes().change(dir, NodeTable.DIRECTORY_LEASE, 0);
    if (!entry.hasInode()) {
      reply.close();
      if (!context.config().readOnly()) {
        names.missed(dir, since);
      }
      answers.absent(kernel, dir, since);
      return;
    }
    Inode inode = entry.getInode();
    boolean fresh = context.notices().isFresh(inode.getIno(), since);
    if (entry.getHasContent() && fresh) {
      context.staged().put(inode.getIno(), inode.getContentSeq(), reply.payload());
    } else {
      reply.close();
    }
    if (EntryAnswers.isRegular(inode)) {
      context.predictor().lookedUp(dir, inode.getIno());
    }
    context.recent().put(inode, since);
    boolean leased = entry.getHasContent() || hasSharedAttributes(inode);
    answers.entry(kernel, dir, inode, since, since, leased && fresh);
  }

  /**
   * Attributes of a file with several names are covered by a lease of its own, granted with them.
   */
  private static boolean hasSharedAttributes(Inode inode) {
    return inode.getNlink() > 1 && !EntryAnswers.isDirectory(inode);
  }

  void getattr(FuseRequest request, long ino) {
    Inode gone = context.gone().get(ino);
    if (gone != null) {
      answers.gone(request.detach(), gone);
      return;
    }
    long since = context.notices().now();
    Inode recent = context.recent().get(ino);
    if (recent != null) {
      answers.attr(request.detach(), recent, since, since);
      return;
    }
    new NodeAnswer(request.detach()) {
      @Override
      void answer(Reply reply, DetachedReply kernel) {
        try (reply) {
          Inode inode = reply.as(Inode.class);
          noteLeases(inode, since);
          context.recent().put(inode, since);
          answers.attr(kernel, inode, since, since);
        }
      }
    }.ask(context.channel(), Op.GETATTR, inode(ino));
  }

  /** The node grants what its answer needs to be believed: the directory's lease, and its own. */
  private void noteLeases(Inode inode, long since) {
    context.nodes().change(inode.getParent(), NodeTable.DIRECTORY_LEASE, 0);
    if (EntryAnswers.isDirectory(inode)) {
      context.nodes().change(inode.getIno(), NodeTable.DIRECTORY_LEASE, 0);
    } else if (hasSharedAttributes(inode)) {
      answers.granted(inode.getIno(), inode.getContentSeq(), true, since);
    }
  }

  void readlink(FuseRequest request, long ino) {
    new NodeAnswer(request.detach()) {
      @Override
      void answer(Reply reply, DetachedReply kernel) {
        try (reply) {
          kernel.data(reply.as(ReadlinkReply.class).getTarget().toByteArray());
        }
      }
    }.ask(context.channel(), Op.READLINK, inode(ino));
  }

  void statfs(FuseRequest request, long ino) {
    new NodeAnswer(request.detach()) {
      @Override
      void answer(Reply reply, DetachedReply kernel) {
        try (reply) {
          StatfsReply s = reply.as(StatfsReply.class);
          long free = s.getBytesFree() / BLOCK_BYTES;
          kernel.statfs(
              new FuseStatfs(
                  s.getBytesTotal() / BLOCK_BYTES,
                  free,
                  free,
                  s.getFiles(),
                  s.getFilesFree(),
                  BLOCK_BYTES,
                  NAME_BYTES_MAX));
        }
      }
    }.ask(context.channel(), Op.STATFS, inode(ino));
  }

  void getxattr(FuseRequest request, long ino, int size) {
    ByteString name = MountContext.bytes(request.name());
    if (NAMESPACES.stream().noneMatch(name::startsWith)) {
      request.error(Errno.EOPNOTSUPP.code());
      return;
    }
    if (name.byteAt(name.size() - 1) == '.' && NAMESPACES.contains(name)) {
      request.error(Errno.EINVAL.code());
      return;
    }
    boolean madeUp = name.startsWith(OURS);
    if (!madeUp && NodeTable.has(context.nodes().facts(ino), NodeTable.NO_XATTRS)) {
      request.error(Errno.ENODATA.code());
      return;
    }
    ask(request, ino, name, size);
  }

  void listxattr(FuseRequest request, long ino, int size) {
    ask(request, ino, ByteString.EMPTY, size);
  }

  private void ask(FuseRequest request, long ino, ByteString name, int size) {
    boolean hides = name.isEmpty() && request.uid() != 0;
    new NodeAnswer(request.detach()) {
      @Override
      void answer(Reply reply, DetachedReply kernel) {
        try (reply) {
          ByteString value = reply.as(XattrReply.class).getValue();
          kernel.xattr((hides ? withoutTrusted(value) : value).toByteArray(), size);
        }
      }
    }.ask(context.channel(), Op.XATTR, XattrRequest.newBuilder().setIno(ino).setName(name).build());
  }

  /** Only root sees that there are any, as on local file systems. */
  private static ByteString withoutTrusted(ByteString names) {
    ByteString seen = ByteString.EMPTY;
    int start = 0;
    for (int i = 0; i < names.size(); i++) {
      if (names.byteAt(i) == 0) {
        ByteString name = names.substring(start, i + 1);
        seen = name.startsWith(TRUSTED) ? seen : seen.concat(name);
        start = i + 1;
      }
    }
    return seen;
  }

  private static InodeRequest inode(long ino) {
    return InodeRequest.newBuilder().setIno(ino).build();
  }
}
