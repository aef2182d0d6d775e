package io.millrace.meta.machine;

import io.millrace.core.api.Errno;
import io.millrace.core.api.FsException;
import io.millrace.core.api.Ino;
import io.millrace.meta.op.CollectOps;
import io.millrace.meta.op.CommitContentOp;
import io.millrace.meta.op.CountQuotaOp;
import io.millrace.meta.op.CreateOp;
import io.millrace.meta.op.FallocateOp;
import io.millrace.meta.op.ImportOp;
import io.millrace.meta.op.LinkOp;
import io.millrace.meta.op.LinkOps;
import io.millrace.meta.op.MarkExportedOp;
import io.millrace.meta.op.MkdirOp;
import io.millrace.meta.op.PurgeTrashOp;
import io.millrace.meta.op.PutTaskOp;
import io.millrace.meta.op.QuotaOps;
import io.millrace.meta.op.RemoveXattrOp;
import io.millrace.meta.op.RenameOp;
import io.millrace.meta.op.ResolveChangeOp;
import io.millrace.meta.op.RmdirOp;
import io.millrace.meta.op.Scope;
import io.millrace.meta.op.SessionOps;
import io.millrace.meta.op.SetAttrOp;
import io.millrace.meta.op.SetXattrOp;
import io.millrace.meta.op.TrashOps;
import io.millrace.meta.op.UnlinkOp;
import io.millrace.meta.row.Counters;
import io.millrace.meta.row.InodeState;
import io.millrace.meta.row.Keys;
import io.millrace.meta.row.Mode;
import io.millrace.meta.row.SessionRow;
import io.millrace.meta.store.RocksStore;
import io.millrace.meta.store.RowBatch;
import io.millrace.meta.tree.KeyPrefixes;
import io.millrace.meta.tree.Links;
import io.millrace.meta.tree.Quotas;
import io.millrace.meta.tree.RemovedCookies;
import io.millrace.meta.tree.Trashes;
import io.millrace.meta.tree.TreeWriter;
import io.millrace.proto.Command;
import io.millrace.proto.CommandResult;
import java.lang.System.Logger.Level;

/**
 * Applies commands in order, deterministically: same commands, same rows. Knows no clock, no chance
 * and no journal; whichever journal there is calls {@link #apply} for each command and {@link
 * #write} for each batch, from one thread.
 *
 * <p>Invariant: after a write, or a failed one, no state lives outside the store but caches that
 * were loaded from it.
 */
public final class StateMachine {
  private static final System.Logger LOG = System.getLogger(StateMachine.class.getName());
  private static final int ROOT_MODE = Mode.DIRECTORY | 0755;
  private static final int COMMAND_FORMAT = 1;

  private final RocksStore store;
  private final RowBatch batch;
  private final TreeWriter tree;
  private final RemovedCookies removed = new RemovedCookies();

  /** What readers go by; replaced after a batch that changed links was written. */
  private volatile Links links;

  private volatile Quotas quotas;

  private volatile Trashes trashes;

  private final KeyPrefixes prefixes = new KeyPrefixes();
  private boolean movesKeys;

  public StateMachine(RocksStore store, int shard) {
    this.store = store;
    this.batch = new RowBatch(store);
    links = Links.load(store);
    quotas = Quotas.load(store);
    trashes = Trashes.load(store);
    byte[] counters = store.get(Keys.counters());
    tree =
        new TreeWriter(
            batch,
            shard,
            links,
            quotas,
            trashes,
            counters == null ? new Counters() : Counters.decode(counters),
            removed);
    if (counters == null) {
      format(shard);
    }
  }

  /** Makes the first rows; the first shard has the root. */
  private void format(int shard) {
    if (shard == Ino.shard(Ino.ROOT)) {
      InodeState root = tree.newInode(ROOT_MODE, 0, 0, 0);
      tree.save(root);
    }
    write(true);
  }

  /** Index of the last command whose effects are written. */
  public long applied() {
    return Counters.decode(store.get(Keys.counters())).applied;
  }

  public Links links() {
    return links;
  }

  public Quotas quotas() {
    return quotas;
  }

  public Trashes trashes() {
    return trashes;
  }

  public RemovedCookies removed() {
    return removed;
  }

  /** What readers may keep of the keys of directories. */
  public KeyPrefixes prefixes() {
    return prefixes;
  }

  /** Applies a command to the batch. A command that fails leaves nothing but its reply. */
  public CommandResult apply(long index, Command command) {
    Links linksBefore = tree.links();
    Quotas quotasBefore = tree.quotas();
    Trashes trashesBefore = tree.trashes();
    Counters before = tree.counters().copy();
    batch.mark();
    tree.beginCommand();
    movesKeys |= movesKeys(command);
    CommandResult result;
    try {
      CommandResult earlier = earlierReply(command);
      if (earlier != null) {
        tree.counters().applied = index;
        return earlier;
      }
      result = run(command).setApplied(index).build();
    } catch (FsException e) {
      result =
          undone(
              linksBefore, quotasBefore, trashesBefore, before, e.errno(), e.getMessage(), index);
    } catch (RuntimeException e) {
      LOG.log(Level.ERROR, "command failed: " + command.getOpCase(), e);
      result =
          undone(
              linksBefore,
              quotasBefore,
              trashesBefore,
              before,
              Errno.EIO,
              "command failed: " + e,
              index);
    }
    tree.counters().applied = index;
    keepReply(command, result);
    return result;
  }

  private CommandResult undone(
      Links linksBefore,
      Quotas quotasBefore,
      Trashes trashesBefore,
      Counters before,
      Errno errno,
      String message,
      long index) {
    batch.rollback();
    tree.reset(linksBefore, quotasBefore, trashesBefore, before);
    return CommandResult.newBuilder()
        .setErrno(errno.code())
        .setMessage(message)
        .setApplied(index)
        .build();
  }

  /** Whether the prefix of a directory in its bucket may be another after it. */
  private static boolean movesKeys(Command command) {
    return switch (command.getOpCase()) {
      case RMDIR,
          RENAME,
          PUT_LINK,
          REMOVE_LINK,
          IMPORT_BATCH,
          MARK_EXPORTED,
          RESOLVE_CHANGE,
          RESTORE_TRASH,
          OP_NOT_SET ->
          true;
      case CREATE,
          MKDIR,
          UNLINK,
          LINK,
          SET_ATTR,
          SET_XATTR,
          REMOVE_XATTR,
          COMMIT_CONTENT,
          OPEN_SESSION,
          CLOSE_SESSION,
          REAP_ORPHAN,
          PUT_TASK,
          FORGET_GARBAGE,
          FALLOCATE,
          PUT_QUOTA,
          REMOVE_QUOTA,
          COUNT_QUOTA,
          PUT_TRASH,
          PURGE_TRASH ->
          false;
    };
  }

  /** The first answer to a command that comes again (H6); null for one that is new. */
  private CommandResult earlierReply(Command command) {
    if (command.getFormat() > COMMAND_FORMAT) {
      throw new FsException(Errno.EPROTO, "command of a newer format");
    }
    long session = command.getSession();
    if (session == 0) {
      return null;
    }
    if (batch.get(Keys.session(session)) == null) {
      throw new FsException(
          Errno.ENOTCONN, "session is gone", "session", Long.toHexString(session));
    }
    byte[] kept = batch.get(Keys.reply(session, SessionRow.slot(command.getSequence())));
    if (kept == null || SessionRow.replySequence(kept) < command.getSequence()) {
      return null;
    }
    if (SessionRow.replySequence(kept) > command.getSequence()) {
      throw new FsException(
          Errno.EPROTO,
          "reply is no longer kept",
          "session",
          Long.toHexString(session),
          "sequence",
          command.getSequence());
    }
    return SessionRow.replyResult(kept);
  }

  private void keepReply(Command command, CommandResult result) {
    long session = command.getSession();
    if (session == 0 || batch.get(Keys.session(session)) == null) {
      return;
    }
    byte[] slot = Keys.reply(session, SessionRow.slot(command.getSequence()));
    byte[] kept = batch.get(slot);
    if (kept == null || SessionRow.replySequence(kept) < command.getSequence()) {
      batch.put(slot, SessionRow.reply(command.getSequence(), result));
    }
  }

  private CommandResult.Builder run(Command command) {
    Scope scope = Scope.of(tree, command);
    return switch (command.getOpCase()) {
      case CREATE -> CreateOp.apply(scope, command.getCreate());
      case MKDIR -> MkdirOp.apply(scope, command.getMkdir());
      case UNLINK -> UnlinkOp.apply(scope, command.getUnlink());
      case RMDIR -> RmdirOp.apply(scope, command.getRmdir());
      case RENAME -> RenameOp.apply(scope, command.getRename());
      case LINK -> LinkOp.apply(scope, command.getLink());
      case SET_ATTR -> SetAttrOp.apply(scope, command.getSetAttr());
      case SET_XATTR -> SetXattrOp.apply(scope, command.getSetXattr());
      case REMOVE_XATTR -> RemoveXattrOp.apply(scope, command.getRemoveXattr());
      case COMMIT_CONTENT -> CommitContentOp.apply(scope, command.getCommitContent());
      case OPEN_SESSION -> SessionOps.open(scope, command.getOpenSession());
      case CLOSE_SESSION -> SessionOps.close(scope, command.getCloseSession());
      case REAP_ORPHAN -> CollectOps.reap(scope, command.getReapOrphan());
      case PUT_LINK -> LinkOps.put(scope, command.getPutLink());
      case REMOVE_LINK -> LinkOps.remove(scope, command.getRemoveLink());
      case PUT_TASK -> PutTaskOp.apply(scope, command.getPutTask());
      case IMPORT_BATCH -> ImportOp.apply(scope, command.getImportBatch());
      case MARK_EXPORTED -> MarkExportedOp.apply(scope, command.getMarkExported());
      case RESOLVE_CHANGE -> ResolveChangeOp.apply(scope, command.getResolveChange());
      case FORGET_GARBAGE -> CollectOps.forget(scope, command.getForgetGarbage());
      case FALLOCATE -> FallocateOp.apply(scope, command.getFallocate());
      case PUT_QUOTA -> QuotaOps.put(scope, command.getPutQuota());
      case REMOVE_QUOTA -> QuotaOps.remove(scope, command.getRemoveQuota());
      case COUNT_QUOTA -> CountQuotaOp.apply(scope, command.getCountQuota());
      case PUT_TRASH -> TrashOps.put(scope, command.getPutTrash());
      case RESTORE_TRASH -> TrashOps.restore(scope, command.getRestoreTrash());
      case PURGE_TRASH -> PurgeTrashOp.apply(scope, command.getPurgeTrash());
      case OP_NOT_SET -> throw new FsException(Errno.EPROTO, "command without an operation");
    };
  }

  /**
   * Writes what was applied since the last write, with the applied index, at once.
   *
   * @throws FsException ENOSPC, EIO: none of it counts, as if it had not been applied
   */
  public void write(boolean sync) {
    batch.put(Keys.counters(), tree.counters().encode());
    try {
      store.write(batch.serialized(), sync);
    } catch (FsException e) {
      batch.clear();
      links = Links.load(store);
      quotas = Quotas.load(store);
      trashes = Trashes.load(store);
      byte[] counters = store.get(Keys.counters());
      tree.reset(
          links, quotas, trashes, counters == null ? new Counters() : Counters.decode(counters));
      throw e;
    }
    batch.clear();
    links = tree.links();
    quotas = tree.quotas();
    trashes = tree.trashes();
    if (movesKeys) {
      movesKeys = false;
      prefixes.forgetAll();
    }
  }

  /** On return all that was written survives power loss. */
  public void sync() {
    store.sync();
  }
}
