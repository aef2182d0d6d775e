package io.millrace.core.api;

import com.google.protobuf.ByteString;
import io.millrace.proto.Change;
import io.millrace.proto.Command;
import io.millrace.proto.CommandResult;
import io.millrace.proto.Extent;
import io.millrace.proto.Garbage;
import io.millrace.proto.Inode;
import io.millrace.proto.LinkRecord;
import io.millrace.proto.QuotaStatus;
import io.millrace.proto.TaskRecord;
import io.millrace.proto.TrashRecord;
import io.millrace.proto.TrashedEntry;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.Consumer;

/**
 * The tree of names and inodes of one shard. Every change is a {@link Command} that goes through
 * the journal and is applied in order; reads see all commands whose result was handed out. Safe for
 * many threads. Reads may block on the disk (RocksDB through JNI: call from platform threads, H28).
 *
 * <p>Names are bytes. Reads that name an inode or a directory that is gone throw ESTALE.
 */
public interface Namespace extends AutoCloseable {

  /**
   * Hands a command to the journal. The result comes exactly once, on the journal's thread, which
   * must not be blocked; failures of the command are in {@link CommandResult#getErrno}, with
   * nothing changed. A command with a (session, sequence) that was applied before is not applied
   * again: its first result comes (H6).
   *
   * @param sync the result waits until the command, and every block committed to the block store
   *     before it, survives power loss; else it survives the death of the process (H13)
   */
  void submit(Command command, boolean sync, Consumer<CommandResult> result);

  /**
   * As {@link #submit} with sync, for a command whose blocks the caller has made survive power loss
   * ({@link BlockStore#sync}): only the log is left to sync, and changes of names go on meanwhile.
   */
  void submitStored(Command command, Consumer<CommandResult> result);

  /** {@link #submit} and wait. Never on the journal's thread. */
  CommandResult apply(Command command, boolean sync);

  /** Empty: no such entry. A regular lookup; "." and ".." are the caller's. */
  Optional<Inode> lookup(long dir, ByteString name);

  /**
   * @throws FsException ESTALE the inode is gone
   */
  Inode inode(long ino);

  /**
   * Entries in the order of their names, each with parent, name and cookie set.
   *
   * @param afterName exclusive start; empty: from the beginning
   * @return whether the directory ended before {@code limit} entries were handed out
   */
  boolean list(long dir, ByteString afterName, int limit, Consumer<Inode> entries);

  /**
   * The name that has this cookie in the directory (H5), or had it until a while ago; empty where
   * nobody remembers.
   */
  Optional<ByteString> nameAt(long dir, long cookie);

  /**
   * Extents that touch the range, sorted, clipped to whole extents (not to the range). A file that
   * one extent covers has it here too.
   */
  List<Extent> extents(long ino, long offset, long length);

  ByteString readlink(long ino);

  /** Empty: no such attribute. */
  Optional<ByteString> xattr(long ino, ByteString name);

  List<ByteString> xattrNames(long ino);

  /** Names from the root, each as bytes; empty for the root. @throws FsException ESTALE */
  List<ByteString> path(long ino);

  /** Walks an absolute path; no symbolic links are followed. Empty: no such entry. */
  Optional<Inode> resolve(ByteString path);

  /**
   * The key of the object that holds this inode's content in its link's bucket (for a directory:
   * the prefix, ending in a slash): from its own origin, else from the nearest ancestor that has
   * one (H3). @throws FsException EINVAL outside any link
   */
  String objectKey(long ino);

  /**
   * As {@link #objectKey(long)}, for the inode as the caller saw it: where it was renamed since,
   * this may be its key before or after. For GETs that name an etag, which tells.
   */
  default String objectKey(Inode inode) {
    return objectKey(inode.getIno());
  }

  /** The key it will have once its renames were exported: from names alone. */
  String targetKey(long ino);

  long inodes();

  Optional<LinkRecord> link(int id);

  List<LinkRecord> links();

  /** The quota with this id, or that took its place; empty: none limits what carries it. */
  Optional<QuotaStatus> quota(int id);

  /** All quotas with what they count now, without their paths. */
  List<QuotaStatus> quotas();

  /** Bytes that a quota and those around it have left; empty: they set no limit. */
  OptionalLong quotaRoom(int id);

  /** Directories whose deletions are kept, or were until lately. */
  List<TrashRecord> trashes();

  /** Where something in the trash was, without its path; empty: it is not in the trash. */
  Optional<TrashedEntry> trashed(long ino);

  Optional<TaskRecord> task(long id);

  List<TaskRecord> tasks();

  /** Rows of the link's queue of changes with seq &gt; {@code afterSeq}, in order. */
  List<Change> changes(int link, long afterSeq, int limit);

  /** The row of this inode, if it has one. */
  Optional<Change> changeOf(long ino);

  /** Number of rows in the link's queue. */
  long pendingChanges(int link);

  /**
   * The rename, not exported yet, whose file or directory still has its content under this key or a
   * prefix of it (H3).
   */
  Optional<Change> waitingRename(int link, String key);

  /** Whether a deleted file's key is remembered, so that an import must not bring it back (S8). */
  boolean tombstone(int link, String key);

  /**
   * Whether the block may be needed: an extent of its inode shows some of it, or the object of the
   * bucket has its bytes. False where the inode is gone.
   */
  boolean needs(BlockId block);

  /** The highest inode number that was given out in this shard. */
  long lastInode();

  /** Blocks that no inode refers to any more; forgotten with ForgetGarbage after the drop. */
  List<Garbage> garbage(int limit);

  /** Inodes without a name that are kept for a session that has them open. */
  List<Long> orphans();

  /** Sessions that were opened and not closed: id and client. */
  List<Session> sessions();

  /** A session as the namespace keeps it. */
  record Session(long id, int number, String client) {}

  @Override
  void close();
}
