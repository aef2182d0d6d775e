package io.millrace.meta.op;

import com.google.protobuf.ByteString;
import io.millrace.core.api.Errno;
import io.millrace.meta.row.InodeState;
import io.millrace.meta.row.Keys;
import io.millrace.meta.row.Mode;
import io.millrace.meta.tree.ObjectNames;
import io.millrace.meta.tree.TreeWriter;
import io.millrace.proto.ContentClass;
import io.millrace.proto.ImportDirectory;
import io.millrace.proto.ImportEntry;
import io.millrace.proto.LinkRecord;
import io.millrace.proto.ObjectVersion;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Map;

/**
 * One directory's part of an import. New names are found without asking for each: nothing can exist
 * in an empty directory, nor beyond the last name of one that is being filled in order.
 */
final class ImportEntries {
  private static final long CONTENT_VERSION = 1; // of every imported object (H1)

  private final ImportOp run;
  private final Scope scope;
  private final TreeWriter tree;
  private final LinkRecord link;
  private final int index;
  private final InodeState dir;
  private final List<ImportEntry> entries;
  private boolean changed;
  private ByteString lastName;

  ImportEntries(ImportOp run, int index, InodeState dir, ImportDirectory given) {
    this.run = run;
    this.index = index;
    this.dir = dir;
    scope = run.scope();
    tree = scope.tree();
    link = run.link();
    entries = sorted(given.getEntriesList());
  }

  private static List<ImportEntry> sorted(List<ImportEntry> entries) {
    Comparator<ByteString> order = ByteString.unsignedLexicographicalComparator();
    for (int i = 1; i < entries.size(); i++) {
      if (order.compare(entries.get(i - 1).getName(), entries.get(i).getName()) > 0) {
        return entries.stream().sorted(Comparator.comparing(ImportEntry::getName, order)).toList();
      }
    }
    return entries;
  }

  void run() {
    lastName = lastName();
    for (ImportEntry entry : entries) {
      if (EntryName.fault(entry.getName(), Errno.EINVAL) != null) {
        run.conflict(index, entry.getName(), "NAME");
      } else {
        place(entry, entry.getName().toByteArray());
      }
    }
    if (changed) {
      scope.touch(dir);
    }
  }

  /** Null: the directory has no entry. */
  private ByteString lastName() {
    if (dir.children == 0) {
      return null;
    }
    byte[] all = Keys.entries(dir.ino);
    Map.Entry<byte[], byte[]> last = tree.rows().floor(all, Keys.after(all));
    return last == null ? null : ByteString.copyFrom(Keys.nameOf(last.getKey()));
  }

  private boolean mayExist(ByteString name) {
    return lastName != null
        && ByteString.unsignedLexicographicalComparator().compare(name, lastName) <= 0;
  }

  private void place(ImportEntry entry, byte[] name) {
    InodeState there = mayExist(entry.getName()) ? tree.lookup(dir.ino, name) : null;
    if (there != null && there.isDirectory()) {
      run.conflict(index, entry.getName(), "TYPE");
      byte[] shown = ObjectNames.shadowed(name);
      if (shown.length <= EntryName.MAX_BYTES) {
        placeFile(entry, shown, tree.lookup(dir.ino, shown));
      }
    } else {
      placeFile(entry, name, there);
    }
  }

  private void placeFile(ImportEntry entry, byte[] name, InodeState there) {
    if (there == null) {
      if (!scope.quota().fits(dir.quota, entry.getSize(), 1)) {
        run.conflict(index, entry.getName(), "QUOTA");
      } else if (run.isBuried(dir, name, false)) {
        run.conflict(index, entry.getName(), "TOMBSTONE");
      } else {
        create(entry, name);
        run.result().setFilesCreated(run.result().getFilesCreated() + 1);
      }
    } else if (there.isDirectory()) {
      run.conflict(index, entry.getName(), "TYPE");
    } else if (isUnchanged(entry, there)) {
      run.result().setFilesUnchanged(run.result().getFilesUnchanged() + 1);
    } else if (there.contentClass != ContentClass.CLEAN || there.object == null) {
      run.conflict(index, entry.getName(), "DIRTY");
    } else if (!scope.quota().fits(dir.quota, entry.getSize() - there.size, 0)) {
      run.conflict(index, entry.getName(), "QUOTA");
    } else {
      replace(entry, name, there);
    }
  }

  /** A file whose rename is not exported yet is not what the bucket has under this key. */
  private boolean isUnchanged(ImportEntry entry, InodeState there) {
    boolean elsewhere =
        there.origin.length > 0 && !Arrays.equals(there.origin, tree.derivedKey(there));
    return elsewhere || (there.object != null && isSame(entry.getObject(), there.object));
  }

  private static boolean isSame(ObjectVersion a, ObjectVersion b) {
    if (!a.getEtag().isEmpty() && !b.getEtag().isEmpty()) {
      return a.getEtag().equals(b.getEtag()) && a.getSize() == b.getSize();
    }
    return a.getSize() == b.getSize()
        && a.getMtimeNs() == b.getMtimeNs()
        && a.getVersionId().equals(b.getVersionId());
  }

  /**
   * A new inode under the same name (H1). The old one stays for who has it open, and counts in no
   * quota: no user keeps it.
   */
  private void replace(ImportEntry entry, byte[] name, InodeState old) {
    scope.queue().drop(old);
    old.origin = tree.objectKey(old);
    scope.quota().released(old);
    scope.removal().dropName(dir, old, true, 0, scope.now());
    run.result().addReplaced(old.toProto().toBuilder().setParent(dir.ino).setName(entry.getName()));
    run.result().setFilesReplaced(run.result().getFilesReplaced() + 1);
    create(entry, name);
  }

  private void create(ImportEntry entry, byte[] name) {
    int type = entry.getMode() & Mode.TYPE;
    int mode =
        entry.getMode() == 0
            ? Mode.REGULAR | (link.getFileMode() & Mode.PERMISSIONS)
            : (type == 0 ? Mode.REGULAR : type) | (entry.getMode() & Mode.PERMISSIONS);
    InodeState file =
        tree.newInode(
            mode,
            entry.hasUid() ? entry.getUid() : link.getUid(),
            entry.hasGid() ? entry.getGid() : link.getGid(),
            scope.now());
    file.mtime = entry.getMtimeNs();
    file.atime = entry.getMtimeNs();
    file.size = entry.getSize();
    file.link = link.getId();
    file.object = entry.getObject();
    file.stream = CONTENT_VERSION;
    file.version = file.size == 0 || !file.isRegular() ? 0 : CONTENT_VERSION;
    file.exportedSeq = file.contentSeq;
    file.contentClass = ContentClass.CLEAN;
    if (file.isSymlink()) {
      byte[] target = entry.getTarget().toByteArray();
      file.size = target.length;
      tree.batch().put(Keys.target(file.ino), target);
    }
    scope.quota().made(file, dir);
    tree.addName(dir, name, file);
    if (run.movesWait()) {
      byte[] key = tree.targetKey(file);
      if (!Arrays.equals(key, tree.derivedKey(file))) {
        file.origin = key; // it was never where its directory's other objects still are (H3)
        tree.save(file);
      }
    }
    if (!mayExist(entry.getName())) {
      lastName = entry.getName(); // twice in one batch
    }
    changed = true;
  }
}
