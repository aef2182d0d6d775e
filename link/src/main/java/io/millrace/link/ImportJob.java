package io.millrace.link;

import com.google.protobuf.ByteString;
import io.millrace.core.api.Errno;
import io.millrace.core.api.FsException;
import io.millrace.proto.Change;
import io.millrace.proto.ChangeKind;
import io.millrace.proto.CommandResult;
import io.millrace.proto.ContentClass;
import io.millrace.proto.ImportConflict;
import io.millrace.proto.ImportDirectory;
import io.millrace.proto.ImportEntry;
import io.millrace.proto.ImportResult;
import io.millrace.proto.Inode;
import io.millrace.proto.LinkRecord;
import io.millrace.proto.NoticeItem;
import io.millrace.proto.NoticeKind;
import io.millrace.proto.TaskRecord;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;

/**
 * One import: pages of the listing come from one thread, this one makes batches of them, the
 * journal applies the batch before. So memory holds two pages and two batches, whatever the size of
 * the bucket.
 */
final class ImportJob implements Job, ImportScan.Findings {
  private final LinkParts parts;
  private final TaskRecord task;
  private final LinkRecord link;
  private final Inode root;
  private final TaskProgress progress;
  private final LinkBucket bucket;
  private final ImportConflicts conflicts;
  private final MissingObjects missing;

  private ImportBatchDraft applying;
  private CompletableFuture<CommandResult> result;

  /**
   * @param root the directory to import into
   */
  ImportJob(LinkParts parts, TaskRecord task, LinkRecord link, Inode root, TaskProgress progress) {
    this.parts = parts;
    this.task = task;
    this.link = link;
    this.root = root;
    this.progress = progress;
    this.bucket = parts.buckets().of(link.getId());
    this.conflicts = new ImportConflicts(parts, link, bucket);
    this.missing = new MissingObjects(parts, bucket);
  }

  @Override
  public void run() throws InterruptedException {
    String prefix = parts.namespace().objectKey(root.getIno());
    Set<String> moved = movedPrefixes();
    var scan =
        new ImportScan(
            parts.namespace(),
            this,
            moved::contains,
            parts.config().importBatchEntries(),
            root.getIno(),
            prefix);
    // With --delete the whole is compared again: what is missing shows only in a full pass.
    String after = task.getDeleteMissing() ? "" : progress.checkpoint().toStringUtf8();
    parts.ownWrites().importBegins();
    try (var pages = new ListPages(bucket, prefix, after)) {
      for (Optional<ListPages.Listed> page = pages.next(); page.isPresent(); page = pages.next()) {
        long asked = page.get().askedNanos();
        page.get().page().objects().forEach(object -> scan.object(object, asked));
        if (Thread.interrupted()) {
          throw new InterruptedException();
        }
      }
      scan.end();
      awaitApplied();
    } finally {
      parts.ownWrites().importEnds();
    }
  }

  /** Prefixes that directories were renamed from, and whose objects still lie there (H3). */
  private Set<String> movedPrefixes() {
    var prefixes = new HashSet<String>();
    long seq = 0;
    while (true) {
      List<Change> changes = parts.namespace().changes(link.getId(), seq, 1000);
      if (changes.isEmpty()) {
        return prefixes;
      }
      for (Change change : changes) {
        if (change.getKind() == ChangeKind.CHANGE_MOVED_DIR) {
          prefixes.add(change.getKey());
        }
        seq = change.getSeq();
      }
    }
  }

  @Override
  public ImportBatchDraft full(ImportBatchDraft draft) {
    if (task.getDryRun()) {
      draft.parts.forEach(part -> progress.done(part.getEntriesCount(), 0));
      return new ImportBatchDraft();
    }
    awaitApplied();
    if (draft.size() > 0) {
      applying = draft;
      result = parts.ownWrites().alone(() -> submitted(draft));
    } else {
      progress.checkpoint(ByteString.copyFromUtf8(draft.doneUpTo));
    }
    return new ImportBatchDraft();
  }

  private CompletableFuture<CommandResult> submitted(ImportBatchDraft draft) {
    OwnWrites own = parts.ownWrites();
    if (!own.isEmpty()) {
      progress.skipped(
          draft.leaveOut(
              (key, asked) ->
                  own.writtenAt(link.getId(), key).stream().anyMatch(at -> at - asked >= 0)));
      own.forgetBefore(draft.oldestAsked());
    }
    return parts.writer().submit(draft.command(link.getId(), task.getRestoreDeleted()));
  }

  private void awaitApplied() {
    if (result == null) {
      return;
    }
    ImportResult imported;
    try {
      imported = NamespaceWriter.checked(result.get()).getImport();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new FsException(e, Errno.EINTR, "import interrupted");
    } catch (ExecutionException e) {
      throw new FsException(e, Errno.EIO, "the journal failed");
    }
    ImportBatchDraft draft = applying;
    applying = null;
    result = null;
    draft.applied(imported);
    progress.done(imported.getFilesCreated() + imported.getFilesReplaced(), 0);
    progress.skipped(imported.getFilesUnchanged());
    tell(draft, imported);
    imported.getConflictsList().forEach(conflict -> settle(draft, conflict));
    draft.lost().forEach(part -> lose(draft, part));
    draft.letGo();
    progress.checkpoint(ByteString.copyFromUtf8(draft.doneUpTo));
  }

  private void settle(ImportBatchDraft draft, ImportConflict conflict) {
    ImportDirectoryNode directory = draft.directory(conflict.getDirectory());
    String key = directory.prefix + KeyRules.keyPart(conflict.getName().toStringUtf8());
    if (conflict.getCode().equals("TOMBSTONE")) {
      progress.skipped(1); // S8: deleted here, and so it stays
      return;
    }
    Optional<ImportEntry> entry =
        draft.part(conflict.getDirectory()).getEntriesList().stream()
            .filter(e -> e.getName().equals(conflict.getName()))
            .findFirst();
    if (conflict.getCode().equals("DIRTY") && entry.isPresent()) {
      conflicts.imported(directory.ino, key, entry.get(), progress);
    } else if (conflict.getCode().equals("QUOTA")) {
      progress.failed(
          shown(key), "QUOTA", "its directory's quota is used up; `millrace quota show`");
    } else {
      progress.failed(shown(key), conflict.getCode(), "another kind of entry has this name here");
    }
  }

  private void lose(ImportBatchDraft draft, int part) {
    String prefix = draft.directories.get(part).prefix;
    for (ImportEntry entry : draft.parts.get(part).getEntriesList()) {
      String key = prefix + entry.getName().toStringUtf8();
      progress.failed(shown(key), "TYPE", "its directory could not be made: a file has that name");
    }
  }

  /** Clients may know these names as missing, or as other inodes. */
  private void tell(ImportBatchDraft draft, ImportResult imported) {
    var items = new ArrayList<NoticeItem>();
    for (int i = 0; i < draft.sent(); i++) {
      ImportDirectoryNode directory = draft.directory(i);
      if (directory.madeIn == draft) {
        ImportDirectoryNode parent = directory.parent;
        if (parent.madeIn != draft && parts.notifier().leased(parent.ino)) {
          items.add(changed(parent.ino, directory.name, 0));
        }
      } else if (parts.notifier().leased(directory.ino)) {
        ImportDirectory.Builder part = draft.part(i);
        for (ImportEntry entry : part.getEntriesList()) {
          items.add(changed(directory.ino, entry.getName(), 0));
        }
      }
    }
    for (Inode old : imported.getReplacedList()) {
      items.add(changed(old.getParent(), old.getName(), old.getIno()));
    }
    if (!items.isEmpty()) {
      parts.notifier().changed(items);
    }
  }

  private static NoticeItem changed(long dir, ByteString name, long ino) {
    NoticeKind kind = ino == 0 ? NoticeKind.ENTRY_CHANGED : NoticeKind.ENTRY_DELETED;
    return NoticeItem.newBuilder().setKind(kind).setDir(dir).setName(name).setIno(ino).build();
  }

  private String shown(String key) {
    String prefix = link.getPrefix();
    String below = key.startsWith(prefix) ? key.substring(prefix.length()) : key;
    return parts.shown(link.getRoot()) + "/" + below;
  }

  @Override
  public void unchanged() {
    progress.skipped(1);
  }

  @Override
  public void refused(String key, String code) {
    progress.failed(shown(key), code, "no path can hold this key; rename the object: " + key);
  }

  @Override
  public void renamed(String key, String name) {
    progress.noted(shown(key), "SHOWN_AS", name);
  }

  @Override
  public void missing(Inode entry) {
    if (task.getDeleteMissing() && !task.getDryRun()) {
      missing.remove(entry);
    }
  }

  @Override
  public void makeWay(Inode file) {
    boolean clean = file.getContentClass() == ContentClass.CLEAN;
    if (clean && !task.getDryRun()) {
      new EntryRemoval(parts).file(file);
    }
  }
}
