package io.millrace.meta.audit;

import io.millrace.meta.audit.Finding.Kind;
import io.millrace.meta.row.EntryRow;
import io.millrace.meta.row.InodeRow;
import io.millrace.meta.row.InodeState;
import io.millrace.meta.row.Keys;
import io.millrace.meta.row.RowWriter;
import io.millrace.meta.store.Rows;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;

/**
 * Checks inode rows: each is reached by its names, counts them right, and has what its type needs.
 * Directories known to lead to the root are remembered, a bounded number of them.
 */
final class InodeAudit {
  private static final int REMEMBERED_MAX = 1 << 16;
  private static final int ORPHAN_FORMAT = 1;
  private static final long ROOT = io.millrace.core.api.Ino.ROOT;

  private final AuditView view;
  private final ExtentAudit extents;
  private final QuotaAudit quotas;
  private final Map<Long, Boolean> rooted =
      new LinkedHashMap<>() {
        private static final long serialVersionUID = 1;

        @Override
        protected boolean removeEldestEntry(Map.Entry<Long, Boolean> eldest) {
          return size() > REMEMBERED_MAX;
        }
      };
  private long count;
  private long highest;

  InodeAudit(AuditView view, ExtentAudit extents, QuotaAudit quotas) {
    this.quotas = quotas;
    this.view = view;
    this.extents = extents;
  }

  long count() {
    return count;
  }

  long highestLocal() {
    return highest;
  }

  void run() {
    view.each(
        Keys.inodes(),
        (key, value) -> {
          long ino = AuditView.u64(key, 1);
          count++;
          highest = Math.max(highest, io.millrace.core.api.Ino.local(ino));
          row(InodeRow.decode(ino, value));
        });
    if (view.row(ROOT) == null) {
      view.report(Kind.ENTRY_IN_NO_DIRECTORY, 0, "the root directory is lost", null);
    }
  }

  private void row(InodeState row) {
    if (!row.standalone) {
      located(row);
    } else if (row.isDirectory()) {
      directory(row);
    } else {
      names(row);
      file(row);
    }
  }

  private void located(InodeState row) {
    byte[] value = view.rows.get(Keys.entry(row.parent, row.name));
    InodeState entry = value == null ? null : EntryRow.decode(value, row.parent, row.name);
    if (entry == null || entry.ino != row.ino || entry.standalone) {
      view.report(
          Kind.INODE_WITHOUT_ENTRY,
          row.ino,
          "its entry %s in %d is gone, and its attributes with it"
              .formatted(AuditView.text(row.name), row.parent),
          null);
    }
  }

  private void directory(InodeState dir) {
    try (Rows.Cursor any =
        view.rows.scan(Keys.entries(dir.ino), Keys.after(Keys.entries(dir.ino)))) {
      if (!any.next()) {
        EntryAudit.count(view, dir, 0, 0);
      }
    }
    xattrs(dir);
    quotas.inode(dir);
    if (dir.ino != ROOT) {
      reach(dir);
    }
  }

  private boolean isNamed(InodeState dir) {
    byte[] value = view.rows.get(Keys.entry(dir.parent, dir.name));
    return value != null && EntryRow.decode(value, dir.parent, dir.name).ino == dir.ino;
  }

  private void reach(InodeState dir) {
    if (!isNamed(dir)) {
      view.report(
          Kind.UNREACHABLE,
          dir.ino,
          "no entry leads to the directory",
          desk -> desk.reattach(desk.tree().directory(dir.ino)));
      return;
    }
    var climbed = new HashSet<Long>();
    InodeState at = dir;
    while (at != null && at.ino != ROOT && !rooted.containsKey(at.ino)) {
      if (!climbed.add(at.ino)) {
        loop(dir, at, climbed);
        return;
      }
      at = view.row(at.parent);
      if (at != null && (!at.standalone || !at.isDirectory())) {
        return; // a finding of the entry's
      }
      if (at != null && at.ino != ROOT && !isNamed(at)) {
        return; // that one is the finding
      }
    }
    if (at != null) {
      climbed.forEach(ino -> rooted.put(ino, true));
    }
  }

  /** Told once, for the lowest number of the loop: it is cut out. */
  private void loop(InodeState from, InodeState in, Set<Long> climbed) {
    long lowest = in.ino;
    for (InodeState at = view.row(in.parent); at.ino != in.ino; at = view.row(at.parent)) {
      lowest = Math.min(lowest, at.ino);
    }
    if (lowest != from.ino) {
      return;
    }
    view.report(
        Kind.UNREACHABLE,
        from.ino,
        "directories form a loop of " + climbed.size(),
        desk -> {
          InodeState dir = desk.tree().directory(from.ino);
          InodeState parent = desk.tree().directory(dir.parent);
          desk.tree().removeName(parent, dir);
          desk.tree().save(parent);
          desk.reattach(dir);
        });
  }

  private void names(InodeState file) {
    long[] names = {0};
    view.each(Keys.names(file.ino), (key, value) -> names[0]++);
    if (file.orphan) {
      if (view.rows.get(Keys.orphan(file.ino)) == null) {
        view.report(
            Kind.ORPHAN_ROW,
            file.ino,
            "without a name, and nobody's",
            desk ->
                desk.batch()
                    .put(Keys.orphan(file.ino), new RowWriter().u8(ORPHAN_FORMAT).u64(0).take()));
      }
    } else if (names[0] == 0) {
      view.report(
          Kind.UNREACHABLE,
          file.ino,
          "no entry leads to the file",
          desk -> {
            InodeState lost = desk.tree().existing(file.ino);
            lost.nlink = 1;
            desk.reattach(lost);
          });
    } else if (file.nlink != names[0]) {
      view.report(
          Kind.NLINK,
          file.ino,
          "counts %d names; has %d".formatted(file.nlink, names[0]),
          desk -> {
            InodeState wrong = desk.tree().existing(file.ino);
            wrong.nlink = (int) names[0];
            desk.tree().save(wrong);
          });
    }
  }

  /** What a file of any type needs, wherever its attributes are. */
  void file(InodeState raw) {
    InodeState file = raw;
    if (file.link != 0 && view.links.get(file.link) == null) {
      file.forgetLink();
    }
    xattrs(file);
    quotas.inode(file);
    if (file.isRegular()) {
      extents.file(file);
    }
    if (file.isSymlink() && view.rows.get(Keys.target(file.ino)) == null) {
      view.report(Kind.SYMLINK_TARGET, file.ino, "a symbolic link without a target", null);
    }
    if (file.changeSeq != 0 && view.rows.get(Keys.change(file.link, file.changeSeq)) == null) {
      view.report(
          Kind.CHANGE_ROW,
          file.ino,
          "waits in the queue of link %d as %d, which has no such row: touch the file"
              .formatted(file.link, file.changeSeq),
          null);
    }
  }

  private void xattrs(InodeState inode) {
    boolean any;
    try (Rows.Cursor row =
        view.rows.scan(Keys.xattrs(inode.ino), Keys.after(Keys.xattrs(inode.ino)))) {
      any = row.next();
    }
    if (any && !inode.hasXattrs) {
      view.report(
          Kind.XATTR_FLAG,
          inode.ino,
          "has extended attributes and says none",
          desk -> {
            InodeState wrong = desk.tree().existing(inode.ino);
            wrong.hasXattrs = true;
            desk.tree().save(wrong);
          });
    }
  }
}
