package io.millrace.node;

import com.google.protobuf.ByteString;
import io.millrace.core.api.AdminHandler;
import io.millrace.core.api.BlockId;
import io.millrace.core.api.BlockStore;
import io.millrace.core.api.Errno;
import io.millrace.core.api.FsException;
import io.millrace.core.api.Namespace;
import io.millrace.core.api.Pinned;
import io.millrace.core.wire.RequestHandler.Responder;
import io.millrace.proto.EntryReply;
import io.millrace.proto.Inode;
import io.millrace.proto.InodeRequest;
import io.millrace.proto.LookupRequest;
import io.millrace.proto.OpenReply;
import io.millrace.proto.OpenRequest;
import io.millrace.proto.ReaddirReply;
import io.millrace.proto.ReaddirRequest;
import io.millrace.proto.ReadlinkReply;
import io.millrace.proto.SeekReply;
import io.millrace.proto.SeekRequest;
import io.millrace.proto.StatfsReply;
import io.millrace.proto.XattrReply;
import io.millrace.proto.XattrRequest;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * Requests that read the namespace, and content only where it is at hand. On threads that may block
 * on the disk. Each grants its lease before it reads what it answers.
 */
final class MetadataRequests {
  /** Content that rides on a reply. */
  static final int INLINE_MAX_BYTES = 128 << 10;

  private static final int PAGE_ENTRIES_MAX = 2000;
  private static final int PAGE_BYTES_MAX = 768 << 10;
  private static final int FILE_TYPE = 0170000;
  private static final int REGULAR = 0100000;
  private static final int DIRECTORY = 0040000;

  private final Namespace namespace;
  private final BlockStore blocks;
  private final ContentReader reader;
  private final Leases leases;
  private final InodeCache inodes;
  private final Orphans orphans;
  private final AdminHandler admin;
  private final NodeCounters counters;
  private final Callers callers;

  MetadataRequests(
      Namespace namespace,
      BlockStore blocks,
      ContentReader reader,
      Leases leases,
      InodeCache inodes,
      Orphans orphans,
      AdminHandler admin,
      NodeCounters counters,
      Callers callers) {
    this.namespace = namespace;
    this.blocks = blocks;
    this.reader = reader;
    this.leases = leases;
    this.inodes = inodes;
    this.orphans = orphans;
    this.admin = admin;
    this.counters = counters;
    this.callers = callers;
  }

  /** A file's state, and its whole content where that is at hand; {@code bytes} null where not. */
  private record WithContent(Inode inode, Pinned bytes) {}

  void lookup(ClientSession session, LookupRequest request, Responder responder) {
    long stamp = leases.stamp();
    grantDirectory(session, request.getDir());
    Optional<Inode> found = namespace.lookup(request.getDir(), request.getName());
    if (found.isPresent() && sharedAttributes(session, found.get())) {
      found = namespace.lookup(request.getDir(), request.getName());
    }
    if (found.isEmpty()) {
      responder.reply(EntryReply.getDefaultInstance(), null);
      return;
    }
    InodeCache.Known known = known(found.get(), stamp);
    WithContent answer = content(session, found.get(), known, request.getWantContentUpTo(), stamp);
    responder.reply(
        EntryReply.newBuilder().setInode(answer.inode).setHasContent(answer.bytes != null).build(),
        answer.bytes);
  }

  void getattr(ClientSession session, InodeRequest request, Responder responder) {
    long stamp = leases.stamp();
    Inode inode = namespace.inode(request.getIno());
    grantDirectory(session, inode.getParent());
    if (isDirectory(inode)) {
      grantDirectory(session, inode.getIno());
    }
    boolean again = sharedAttributes(session, inode) || leases.stamp() != stamp;
    responder.reply(withRoom(again ? namespace.inode(request.getIno()) : inode), null);
  }

  private Inode withRoom(Inode inode) {
    if (inode.getQuota() == 0 || !isRegular(inode)) {
      return inode;
    }
    OptionalLong room = namespace.quotaRoom(inode.getQuota());
    return room.isEmpty() ? inode : inode.toBuilder().setQuotaRoom(room.getAsLong()).build();
  }

  void readdir(ClientSession session, ReaddirRequest request, Responder responder) {
    if (request.getLease()) {
      grantDirectory(session, request.getDir());
    }
    Inode self = namespace.inode(request.getDir());
    if (!isDirectory(self)) {
      throw new FsException(Errno.ENOTDIR, "not a directory", "inode", request.getDir());
    }
    int limit = Math.max(1, Math.min(request.getMaxEntries(), PAGE_ENTRIES_MAX));
    var entries = new ArrayList<Inode>();
    boolean end = namespace.list(request.getDir(), startOf(request), limit, entries::add);
    int fitting = fitting(entries);
    responder.reply(
        ReaddirReply.newBuilder()
            .addAllEntries(entries.subList(0, fitting))
            .setEnd(end && fitting == entries.size())
            .setSelf(self)
            .build(),
        null);
  }

  void open(ClientSession session, OpenRequest request, Responder responder) {
    boolean lease = leases.grantContent(session, request.getIno());
    long stamp = leases.stamp();
    InodeCache.Known known = inodes.get(request.getIno());
    if (known == null) {
      long before = inodes.stamp(request.getIno());
      known = inodes.put(namespace.inode(request.getIno()), before);
    }
    callers.checkOpen(known.inode, request);
    if (known.inode.getNlink() == 0) {
      orphans.opened(session, request.getIno());
    }
    WithContent answer = content(session, known.inode, known, request.getWantContentUpTo(), stamp);
    responder.reply(
        OpenReply.newBuilder()
            .setInode(answer.inode)
            .setLease(lease)
            .setHasContent(answer.bytes != null)
            .build(),
        answer.bytes);
  }

  void readlink(InodeRequest request, Responder responder) {
    ByteString target = namespace.readlink(request.getIno());
    responder.reply(ReadlinkReply.newBuilder().setTarget(target).build(), null);
  }

  void xattr(XattrRequest request, Responder responder) {
    ByteString value = request.getName().isEmpty() ? names(request.getIno()) : value(request);
    responder.reply(XattrReply.newBuilder().setValue(value).build(), null);
  }

  void seek(SeekRequest request, Responder responder) {
    long offset =
        new Holes(namespace).seek(request.getIno(), request.getOffset(), request.getHole());
    responder.reply(SeekReply.newBuilder().setOffset(offset).build(), null);
  }

  /** A removed directory that is open still has a file system. */
  private int quotaOf(long ino) {
    try {
      return ino == 0 ? 0 : namespace.inode(ino).getQuota();
    } catch (FsException e) {
      return 0;
    }
  }

  /** Of the whole store, or of the quota that limits the inode most. */
  void statfs(InodeRequest request, Responder responder) {
    BlockStore.Usage usage = blocks.usage();
    StatfsReply.Builder all =
        StatfsReply.newBuilder()
            .setBytesTotal(usage.diskCapacity())
            .setBytesFree(Math.max(0, usage.diskCapacity() - usage.dirtyBytes()))
            .setFiles(namespace.inodes())
            .setFilesFree(Integer.MAX_VALUE);
    new QuotaSpace(namespace).limit(all, quotaOf(request.getIno()));
    responder.reply(all.build(), null);
  }

  private void grantDirectory(ClientSession session, long dir) {
    if (!leases.grantDirectory(session, dir)) {
      throw new FsException(
          Errno.EAGAIN, "too many directories are leased; the oldest are being recalled");
    }
  }

  /**
   * Attributes of a file with several names change under other directories too: they are held by
   * the inode's own lease. Whether one was asked for, so that the state is to be read again.
   */
  private boolean sharedAttributes(ClientSession session, Inode inode) {
    if (isDirectory(inode) || inode.getNlink() < 2 || session == null) {
      return false;
    }
    if (!leases.grantContent(session, inode.getIno())) {
      throw new FsException(
          Errno.EAGAIN, "too many inodes are leased; the oldest are being recalled");
    }
    return true;
  }

  /**
   * Keeps a file that was found by its name for the open that follows; null where it can't be kept.
   * Its place is known only now: so nothing at all may have changed since {@code stamp}, and what
   * changes from here on moves the place's own stamp after the common one.
   */
  private InodeCache.Known known(Inode inode, long stamp) {
    if (!isRegular(inode) || inode.getNlink() != 1) {
      return null;
    }
    long before = inodes.stamp(inode.getIno());
    return leases.stamp() == stamp ? inodes.put(inode, before) : null;
  }

  /**
   * The content lease comes after the look here, as most files are not at hand; so where anything
   * changed since {@code stamp}, the look is repeated under the lease. A lookup's look that found
   * nothing does for the open after it.
   *
   * @param known null for none
   */
  private WithContent content(
      ClientSession session, Inode inode, InodeCache.Known known, int wanted, long stamp) {
    int limit = Math.min(wanted, INLINE_MAX_BYTES);
    if (!isRegular(inode)
        || wanted == 0
        || inode.getSize() > limit
        || (known != null && known.isCold())) {
      return new WithContent(inode, null);
    }
    WithContent first = atHand(inode);
    if (first.bytes == null) {
      if (known != null) {
        known.foundCold();
      }
      return first;
    }
    if (!leases.grantContent(session, inode.getIno())) {
      first.bytes.close();
      return new WithContent(first.inode, null);
    }
    if (leases.stamp() == stamp) {
      counters.count(NodeCounters.Event.LOOKUP_WITH_CONTENT);
      return first;
    }
    first.bytes.close();
    Inode now = namespace.inode(inode.getIno());
    return now.getSize() > limit ? new WithContent(now, null) : atHand(now);
  }

  private WithContent atHand(Inode inode) {
    ContentReader.Plan plan = reader.plan(inode, 0, BlockId.MAX_BYTES);
    if (plan.length > INLINE_MAX_BYTES) {
      return new WithContent(inode, null);
    }
    return new WithContent(plan.inode, reader.atHand(plan).orElse(null));
  }

  /**
   * Where a listing goes on. After an entry that is gone for so long that nobody knows its name, it
   * starts again: a name twice is better than one never.
   */
  private ByteString startOf(ReaddirRequest request) {
    if (!request.getAfterName().isEmpty() || request.getAfterCookie() == 0) {
      return request.getAfterName();
    }
    return namespace.nameAt(request.getDir(), request.getAfterCookie()).orElse(ByteString.EMPTY);
  }

  private static int fitting(List<Inode> entries) {
    long bytes = 0;
    for (int i = 0; i < entries.size(); i++) {
      bytes += entries.get(i).getSerializedSize() + 8;
      if (bytes > PAGE_BYTES_MAX) {
        return Math.max(1, i);
      }
    }
    return entries.size();
  }

  private ByteString names(long ino) {
    var names = ByteString.newOutput();
    try {
      for (ByteString name : namespace.xattrNames(ino)) {
        name.writeTo(names);
        names.write(0);
      }
    } catch (java.io.IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
    return names.toByteString();
  }

  private ByteString value(XattrRequest request) {
    Inode inode;
    if (request.getName().equals(MadeUpAttributes.STATE)) {
      inode = namespace.inode(request.getIno());
      return ByteString.copyFromUtf8(admin.state(inode));
    }
    if (request.getName().equals(MadeUpAttributes.REASON)) {
      inode = namespace.inode(request.getIno());
      String reason = admin.reason(inode);
      if (reason.isEmpty()) {
        throw noData(request);
      }
      return ByteString.copyFromUtf8(reason);
    }
    return namespace.xattr(request.getIno(), request.getName()).orElseThrow(() -> noData(request));
  }

  private static FsException noData(XattrRequest request) {
    return new FsException(
        Errno.ENODATA, "no such attribute", "name", request.getName().toStringUtf8());
  }

  static boolean isRegular(Inode inode) {
    return (inode.getMode() & FILE_TYPE) == REGULAR;
  }

  private static boolean isDirectory(Inode inode) {
    return (inode.getMode() & FILE_TYPE) == DIRECTORY;
  }
}
