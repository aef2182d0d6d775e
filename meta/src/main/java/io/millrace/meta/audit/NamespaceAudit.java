package io.millrace.meta.audit;

import io.millrace.core.api.BlockId;
import io.millrace.core.api.Errno;
import io.millrace.core.api.FsException;
import io.millrace.core.api.Namespace;
import io.millrace.meta.NamespaceConfig;
import io.millrace.meta.row.Counters;
import io.millrace.meta.row.GarbageRow;
import io.millrace.meta.row.InodeState;
import io.millrace.meta.row.Keys;
import io.millrace.meta.row.SessionRow;
import io.millrace.meta.store.RocksStore;
import io.millrace.meta.store.StoreConfig;
import io.millrace.meta.tree.StreamUse;
import io.millrace.proto.Extent;
import io.millrace.proto.Garbage;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BiConsumer;
import java.util.function.Consumer;

/**
 * Looks through a namespace that no node runs on, and repairs it. Opening it replays its log, as a
 * node's start would. Memory does not grow with the number of files. One thread.
 */
public final class NamespaceAudit implements AutoCloseable {
  private final RocksStore store;

  /**
   * @throws FsException EBUSY a node has it open; ENOENT there is none; EIO
   */
  public NamespaceAudit(Path directory) {
    if (!Files.exists(directory.resolve("CURRENT"))) {
      throw new FsException(Errno.ENOENT, "no namespace here", "directory", directory);
    }
    NamespaceConfig sizes = NamespaceConfig.of(directory, () -> {});
    store =
        new RocksStore(
            new StoreConfig(directory, sizes.blockCacheBytes(), sizes.writeBufferBytes()));
  }

  /** A piece of a file's content; clean: the bucket's object has these bytes. */
  public record Content(long ino, Extent extent, boolean clean) {}

  /** How many inodes there are. Findings and the content of all files go to the two. */
  public long run(Consumer<Finding> findings, Consumer<Content> content) {
    if (store.get(Keys.counters()) == null) {
      throw new FsException(Errno.EIO, "the namespace has lost its counters");
    }
    try (var rows = store.snapshot()) {
      var view = new AuditView(rows, findings);
      BiConsumer<InodeState, Extent> each =
          (file, extent) ->
              content.accept(
                  new Content(
                      file.ino, extent, file.object != null && extent.getVersion() == file.stream));
      var quotas = new QuotaAudit(view);
      var inodes = new InodeAudit(view, new ExtentAudit(view, each), quotas);
      new EntryAudit(view, quotas, inodes::file).run();
      inodes.run();
      quotas.run();
      new OwnerAudit(view).run(inodes.count(), inodes.highestLocal());
      return inodes.count();
    }
  }

  /** Whether a file shows the block, or could: its inode can't be read. */
  public boolean needs(BlockId id) {
    try (var rows = store.snapshot()) {
      var view = new AuditView(rows, finding -> {});
      InodeState row = view.row(id.ino());
      boolean unreadable =
          store.get(Keys.inode(id.ino())) != null && (row == null || view.inode(id.ino()) == null);
      return unreadable || StreamUse.needed(view.tree, id);
    }
  }

  public boolean hasInode(long ino) {
    return store.get(Keys.inode(ino)) != null;
  }

  public long lastInode() {
    return Counters.decode(store.get(Keys.counters())).lastInode;
  }

  public List<Namespace.Session> sessions() {
    var sessions = new ArrayList<Namespace.Session>();
    try (var row = store.scan(Keys.sessions(), Keys.after(Keys.sessions()))) {
      while (row.next()) {
        sessions.add(SessionRow.decode(row.key(), row.value()));
      }
    }
    return sessions;
  }

  /** What a node would drop next. */
  public void garbage(Consumer<Garbage> each) {
    try (var row = store.scan(Keys.garbage(), Keys.after(Keys.garbage()))) {
      while (row.next()) {
        each.accept(GarbageRow.decode(row.key(), row.value()));
      }
    }
  }

  /** Repairs what can be repaired, each in a synced step; the others are left. */
  public void repair(List<Finding> findings) {
    for (Finding finding : findings) {
      if (finding.repairable()) {
        new RepairDesk(store).run(finding.repair());
      }
    }
  }

  @Override
  public void close() {
    store.close();
  }
}
