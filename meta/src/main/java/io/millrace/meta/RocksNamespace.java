package io.millrace.meta;

import com.google.protobuf.ByteString;
import io.millrace.core.api.BlockId;
import io.millrace.core.api.Errno;
import io.millrace.core.api.FsException;
import io.millrace.core.api.Ino;
import io.millrace.core.api.Namespace;
import io.millrace.meta.journal.Journal;
import io.millrace.meta.journal.LocalJournal;
import io.millrace.meta.machine.StateMachine;
import io.millrace.meta.row.ChangeRow;
import io.millrace.meta.row.Counters;
import io.millrace.meta.row.EntryRow;
import io.millrace.meta.row.GarbageRow;
import io.millrace.meta.row.InodeState;
import io.millrace.meta.row.Keys;
import io.millrace.meta.row.LinkCounts;
import io.millrace.meta.row.MessageRow;
import io.millrace.meta.row.QuotaCount;
import io.millrace.meta.row.RowReader;
import io.millrace.meta.row.SessionRow;
import io.millrace.meta.row.TrashedRow;
import io.millrace.meta.store.RocksStore;
import io.millrace.meta.store.Rows;
import io.millrace.meta.store.SnapshotRows;
import io.millrace.meta.tree.ExtentReader;
import io.millrace.meta.tree.KeyPrefixes;
import io.millrace.meta.tree.QuotaLedger;
import io.millrace.meta.tree.Quotas;
import io.millrace.meta.tree.StreamUse;
import io.millrace.meta.tree.TreeReader;
import io.millrace.proto.Change;
import io.millrace.proto.Command;
import io.millrace.proto.CommandResult;
import io.millrace.proto.Extent;
import io.millrace.proto.Garbage;
import io.millrace.proto.Inode;
import io.millrace.proto.LinkRecord;
import io.millrace.proto.QuotaRecord;
import io.millrace.proto.QuotaStatus;
import io.millrace.proto.TaskRecord;
import io.millrace.proto.TrashRecord;
import io.millrace.proto.TrashedEntry;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.function.BiFunction;
import java.util.function.Consumer;
import java.util.function.Function;

/**
 * The namespace of one shard over RocksDB. Changes go through the journal to the state machine;
 * reads go straight to what is written, on the caller's thread. What needs several rows that must
 * agree is read from a snapshot; the two gets of a lookup are repeated where a rename came between.
 */
public final class RocksNamespace implements Namespace {
  private static final int ATTEMPTS = 3;
  private static final byte SLASH = '/';

  private final int shard;
  private final RocksStore store;
  private final StateMachine machine;
  private final Journal journal;

  /**
   * @throws FsException EBUSY another process has the directory open; EIO
   */
  public RocksNamespace(NamespaceConfig config) {
    shard = config.shard();
    store = new RocksStore(config.store());
    try {
      machine = new StateMachine(store, config.shard());
      journal = new LocalJournal(machine, config.blockSync()).start();
    } catch (RuntimeException e) {
      store.close();
      throw e;
    }
  }

  @Override
  public void submit(Command command, boolean sync, Consumer<CommandResult> result) {
    // A number given twice after a power cut would give two blocks one name.
    journal.submit(command, sync || command.hasOpenSession(), result);
  }

  @Override
  public void submitStored(Command command, Consumer<CommandResult> result) {
    journal.submitStored(command, result);
  }

  @Override
  public CommandResult apply(Command command, boolean sync) {
    if (journal.isJournalThread()) {
      throw new IllegalStateException("the journal's thread can't wait for itself");
    }
    var result = new CompletableFuture<CommandResult>();
    submit(command, sync, result::complete);
    try {
      return result.get();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new FsException(e, Errno.EINTR, "interrupted; the command goes on");
    } catch (ExecutionException e) {
      throw new FsException(e, Errno.EIO, "command failed");
    }
  }

  @Override
  public Optional<Inode> lookup(long dir, ByteString name) {
    byte[] bytes = name.toByteArray();
    for (int i = 0; i < ATTEMPTS; i++) {
      byte[] entry = store.get(Keys.entry(dir, bytes));
      if (entry == null) {
        requireDirectory(dir);
        return Optional.empty();
      }
      InodeState found = live().resolved(EntryRow.decode(entry, dir, bytes));
      if (found != null) {
        return Optional.of(found.toProto());
      }
    }
    return withSnapshot(tree -> Optional.ofNullable(tree.lookup(dir, bytes)))
        .map(InodeState::toProto);
  }

  private void requireDirectory(long dir) {
    if (store.get(Keys.inode(dir)) == null) {
      throw new FsException(Errno.ESTALE, "directory is gone", "inode", dir);
    }
  }

  @Override
  public Inode inode(long ino) {
    InodeState found = live().inode(ino);
    if (found == null) {
      found = withSnapshot(tree -> tree.existing(ino));
    }
    return found.toProto();
  }

  private TreeReader live() {
    return new TreeReader(store, machine.links(), machine.quotas());
  }

  private <T> T withSnapshot(Function<TreeReader, T> read) {
    try (SnapshotRows rows = store.snapshot()) {
      return read.apply(new TreeReader(rows, machine.links(), machine.quotas()));
    }
  }

  @Override
  public boolean list(long dir, ByteString afterName, int limit, Consumer<Inode> entries) {
    byte[] prefix = Keys.entries(dir);
    byte[] start =
        afterName.isEmpty()
            ? prefix
            : Keys.entry(dir, Arrays.copyOf(afterName.toByteArray(), afterName.size() + 1));
    return withSnapshot(
        tree -> {
          tree.directory(dir);
          try (Rows.Cursor row = tree.rows().scan(start, Keys.after(prefix))) {
            for (int i = 0; i < limit; i++) {
              if (!row.next()) {
                return true;
              }
              byte[] name = Keys.nameOf(row.key());
              entries.accept(tree.resolved(EntryRow.decode(row.value(), dir, name)).toProto());
            }
            return !row.next();
          }
        });
  }

  @Override
  public Optional<ByteString> nameAt(long dir, long cookie) {
    byte[] name = store.get(Keys.cookie(dir, cookie));
    return name != null
        ? Optional.of(ByteString.copyFrom(name))
        : Optional.ofNullable(machine.removed().nameAt(dir, cookie));
  }

  @Override
  public List<Extent> extents(long ino, long offset, long length) {
    long end = offset + length < 0 ? Long.MAX_VALUE : offset + length;
    InodeState file = live().inode(ino);
    if (file != null && (file.version != 0 || file.size == 0)) {
      return ExtentReader.touching(store, file, offset, end);
    }
    return withSnapshot(
        tree -> ExtentReader.touching(tree.rows(), tree.existing(ino), offset, end));
  }

  @Override
  public ByteString readlink(long ino) {
    byte[] target = store.get(Keys.target(ino));
    if (target == null) {
      InodeState inode = withSnapshot(tree -> tree.existing(ino));
      throw new FsException(Errno.EINVAL, "not a symbolic link", "inode", inode.ino);
    }
    return ByteString.copyFrom(target);
  }

  @Override
  public Optional<ByteString> xattr(long ino, ByteString name) {
    byte[] value = store.get(Keys.xattr(ino, name.toByteArray()));
    return value == null
        ? Optional.empty()
        : Optional.of(ByteString.copyFrom(value, 1, value.length - 1));
  }

  @Override
  public List<ByteString> xattrNames(long ino) {
    byte[] prefix = Keys.xattrs(ino);
    return rows(
        prefix, Integer.MAX_VALUE, (key, value) -> ByteString.copyFrom(key, 9, key.length - 9));
  }

  /** Rows that begin with a prefix, from its start. */
  private <T> List<T> rows(byte[] prefix, int limit, BiFunction<byte[], byte[], T> decode) {
    return rowsFrom(prefix, prefix, limit, decode);
  }

  private <T> List<T> rowsFrom(
      byte[] start, byte[] prefix, int limit, BiFunction<byte[], byte[], T> decode) {
    var found = new ArrayList<T>();
    try (Rows.Cursor row = store.scan(start, Keys.after(prefix))) {
      while (found.size() < limit && row.next()) {
        found.add(decode.apply(row.key(), row.value()));
      }
    }
    return found;
  }

  @Override
  public List<ByteString> path(long ino) {
    return withSnapshot(tree -> tree.path(ino)).stream().map(ByteString::copyFrom).toList();
  }

  @Override
  public Optional<Inode> resolve(ByteString path) {
    return withSnapshot(
        tree -> {
          InodeState at = tree.existing(Ino.ROOT);
          int start = 0;
          while (at != null && start < path.size()) {
            int end = start;
            while (end < path.size() && path.byteAt(end) != SLASH) {
              end++;
            }
            if (end > start) {
              byte[] name = path.substring(start, end).toByteArray();
              at = at.isDirectory() ? tree.lookup(at.ino, name) : null;
            }
            start = end + 1;
          }
          return Optional.ofNullable(at).map(InodeState::toProto);
        });
  }

  @Override
  public String objectKey(long ino) {
    return withSnapshot(tree -> text(tree.objectKey(tree.existing(ino))));
  }

  @Override
  public String objectKey(Inode inode) {
    if (!KeyPrefixes.covers(inode)) {
      return objectKey(inode.getIno());
    }
    long dir = inode.getParent();
    int link = inode.getLink();
    return text(machine.prefixes().key(inode, () -> withSnapshot(tree -> tree.prefix(dir, link))));
  }

  @Override
  public String targetKey(long ino) {
    return withSnapshot(tree -> text(tree.targetKey(tree.existing(ino))));
  }

  private static String text(byte[] key) {
    try {
      return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(key)).toString();
    } catch (CharacterCodingException e) {
      throw new FsException(e, Errno.EINVAL, "name is not UTF-8: no object key can hold it");
    }
  }

  @Override
  public long inodes() {
    return Counters.decode(store.get(Keys.counters())).inodes;
  }

  @Override
  public Optional<LinkRecord> link(int id) {
    return Optional.ofNullable(machine.links().get(id));
  }

  @Override
  public List<LinkRecord> links() {
    return List.copyOf(machine.links().byId().values());
  }

  @Override
  public Optional<QuotaStatus> quota(int id) {
    Quotas quotas = machine.quotas();
    return Optional.ofNullable(quotas.get(quotas.live(id))).map(this::status);
  }

  @Override
  public List<QuotaStatus> quotas() {
    return machine.quotas().byId().values().stream()
        .filter(quota -> !quota.getRemoved())
        .map(this::status)
        .toList();
  }

  private QuotaStatus status(QuotaRecord quota) {
    QuotaCount count = QuotaCount.decode(store.get(Keys.quotaUsage(quota.getId())));
    return QuotaStatus.newBuilder()
        .setQuota(quota.toBuilder().setParent(machine.quotas().live(quota.getParent())))
        .setBytes(count.bytes())
        .setFiles(count.files())
        .build();
  }

  @Override
  public OptionalLong quotaRoom(int id) {
    long room = QuotaLedger.room(live(), id);
    return room < 0 ? OptionalLong.empty() : OptionalLong.of(room);
  }

  @Override
  public List<TrashRecord> trashes() {
    return machine.trashes().byRoot().values().stream()
        .filter(trash -> trash.getRoot() != 0)
        .toList();
  }

  @Override
  public Optional<TrashedEntry> trashed(long ino) {
    return Optional.ofNullable(store.get(Keys.trashed(ino)))
        .map(TrashedRow::decode)
        .map(
            row ->
                TrashedEntry.newBuilder()
                    .setDir(row.dir())
                    .setName(ByteString.copyFrom(row.name()))
                    .setDeletedNs(row.deletedNs())
                    .build());
  }

  @Override
  public Optional<TaskRecord> task(long id) {
    return Optional.ofNullable(store.get(Keys.task(id)))
        .map(value -> MessageRow.decode(value, TaskRecord.parser()));
  }

  @Override
  public List<TaskRecord> tasks() {
    return rows(
        Keys.tasks(),
        Integer.MAX_VALUE,
        (key, value) -> MessageRow.decode(value, TaskRecord.parser()));
  }

  @Override
  public List<Change> changes(int link, long afterSeq, int limit) {
    return rowsFrom(Keys.change(link, afterSeq + 1), Keys.changes(link), limit, ChangeRow::decode);
  }

  @Override
  public Optional<Change> changeOf(long ino) {
    return withSnapshot(
        tree -> {
          InodeState inode = tree.existing(ino);
          byte[] key = Keys.change(inode.link, inode.changeSeq);
          byte[] value = inode.changeSeq == 0 ? null : tree.rows().get(key);
          return Optional.ofNullable(value).map(row -> ChangeRow.decode(key, row));
        });
  }

  @Override
  public long pendingChanges(int link) {
    return LinkCounts.decode(store.get(Keys.linkCounts(link))).pending();
  }

  @Override
  public Optional<Change> waitingRename(int link, String key) {
    byte[] bytes = key.getBytes(StandardCharsets.UTF_8);
    return withSnapshot(tree -> Optional.ofNullable(tree.waitingRename(link, bytes)));
  }

  @Override
  public boolean tombstone(int link, String key) {
    return live().tombstone(link, key.getBytes(StandardCharsets.UTF_8));
  }

  @Override
  public boolean needs(BlockId block) {
    return withSnapshot(tree -> StreamUse.needed(tree, block));
  }

  @Override
  public long lastInode() {
    return Ino.of(shard, Math.max(1, Counters.decode(store.get(Keys.counters())).lastInode));
  }

  @Override
  public List<Garbage> garbage(int limit) {
    return rows(Keys.garbage(), limit, GarbageRow::decode);
  }

  @Override
  public List<Long> orphans() {
    return rows(Keys.orphans(), Integer.MAX_VALUE, (key, value) -> new RowReader(key, 1).u64());
  }

  @Override
  public List<Session> sessions() {
    return rows(Keys.sessions(), Integer.MAX_VALUE, SessionRow::decode);
  }

  /** A copy of the namespace as it is now, in a new directory. */
  public void checkpoint(Path directory) {
    store.checkpoint(directory);
  }

  RocksStore store() {
    return store;
  }

  @Override
  public void close() {
    journal.close();
    store.close();
  }
}
