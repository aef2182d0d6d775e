package io.millrace.meta.audit;

import io.millrace.meta.audit.Finding.Kind;
import io.millrace.meta.row.EntryRow;
import io.millrace.meta.row.InodeRow;
import io.millrace.meta.row.InodeState;
import io.millrace.meta.row.Keys;
import java.util.Arrays;
import java.util.function.Consumer;

/**
 * Checks directory entries: each has its inode, which knows of it, and its cookie; directories
 * count them right. Entries come by directory, so the counts of one directory are all it keeps.
 */
final class EntryAudit {
  private final AuditView view;
  private final QuotaAudit quotas;
  private final Consumer<InodeState> inlineFile;
  private InodeState dir;
  private long dirIno;
  private long children;
  private long subdirs;
  private long highestCookie;

  /**
   * @param inlineFile gets each file whose attributes are in its entry
   */
  EntryAudit(AuditView view, QuotaAudit quotas, Consumer<InodeState> inlineFile) {
    this.view = view;
    this.quotas = quotas;
    this.inlineFile = inlineFile;
  }

  void run() {
    view.each(Keys.entries(), this::entry);
    leaveDirectory();
    view.each(Keys.cookies(), this::cookie);
  }

  private void entry(byte[] key, byte[] value) {
    long in = AuditView.u64(key, 1);
    if (in != dirIno) {
      leaveDirectory();
      enterDirectory(in);
    }
    children++;
    InodeState entry = EntryRow.decode(value, in, Keys.nameOf(key));
    if (dir == null) {
      return;
    }
    highestCookie = Math.max(highestCookie, entry.cookie);
    InodeState row = view.row(entry.ino);
    if (row != null && row.standalone && row.isDirectory()) {
      subdirs++;
    }
    checkCookie(entry);
    if (entry.standalone) {
      reference(entry, row);
      if (row != null && row.standalone) {
        quotas.entry(dir, row);
      }
    } else {
      inline(entry, row);
      quotas.entry(dir, entry);
      inlineFile.accept(entry);
    }
  }

  private void enterDirectory(long ino) {
    InodeState row = view.row(ino);
    boolean directory = row != null && row.standalone && row.isDirectory();
    dir = directory ? row : null;
    dirIno = ino;
    children = 0;
    subdirs = 0;
    highestCookie = 0;
    if (!directory) {
      view.report(
          Kind.ENTRY_IN_NO_DIRECTORY,
          ino,
          "entries of an inode that is no directory: its attributes are lost",
          null);
    }
  }

  private void leaveDirectory() {
    if (dir == null) {
      return;
    }
    count(view, dir, children, subdirs);
    if (highestCookie >= dir.nextCookie) {
      long next = highestCookie + 1;
      long ino = dirIno;
      view.report(
          Kind.COOKIE_SEQUENCE,
          ino,
          "next cookie " + dir.nextCookie + " was given out already",
          desk -> {
            InodeState wrong = desk.tree().directory(ino);
            wrong.nextCookie = next;
            desk.tree().save(wrong);
          });
    }
    dir = null;
  }

  static void count(AuditView view, InodeState dir, long children, long subdirs) {
    if (dir.children != children || dir.subdirs != subdirs) {
      long ino = dir.ino;
      view.report(
          Kind.CHILD_COUNT,
          ino,
          "counts %d entries, %d directories; has %d, %d"
              .formatted(dir.children, dir.subdirs, children, subdirs),
          desk -> {
            InodeState wrong = desk.tree().directory(ino);
            wrong.children = children;
            wrong.subdirs = subdirs;
            desk.tree().save(wrong);
          });
    }
  }

  private void checkCookie(InodeState entry) {
    byte[] key = Keys.cookie(entry.parent, entry.cookie);
    byte[] named = view.rows.get(key);
    if (named == null) {
      view.report(
          Kind.ENTRY_WITHOUT_COOKIE,
          entry.ino,
          "no row for cookie " + entry.cookie,
          desk -> desk.batch().put(key, entry.name));
    } else if (!Arrays.equals(named, entry.name)) {
      view.report(
          Kind.ENTRY_WITHOUT_COOKIE,
          entry.ino,
          "cookie " + entry.cookie + " is that of " + AuditView.text(named) + "; rename the file",
          null);
    }
  }

  private void inline(InodeState entry, InodeState row) {
    Finding.Repair locate =
        desk -> desk.batch().put(Keys.inode(entry.ino), InodeRow.located(entry.parent, entry.name));
    if (row == null) {
      view.report(
          Kind.ENTRY_WITHOUT_INODE,
          entry.ino,
          "entry " + AuditView.text(entry.name) + " in " + entry.parent + " has no inode row",
          locate);
    } else if (row.standalone) {
      view.report(
          Kind.ENTRY_NOT_KNOWN_TO_INODE, entry.ino, "attributes in two places: which hold?", null);
    } else if (!isAt(row, entry)) {
      boolean twice = holds(row.parent, row.name, entry.ino);
      view.report(
          Kind.ENTRY_NOT_KNOWN_TO_INODE,
          entry.ino,
          twice ? "two entries with attributes: which hold?" : "inode row names another place",
          twice ? null : locate);
    }
  }

  private void reference(InodeState entry, InodeState row) {
    if (row == null || !row.standalone) {
      view.report(
          Kind.ENTRY_WITHOUT_INODE,
          entry.ino,
          "entry " + AuditView.text(entry.name) + " in " + entry.parent + " stands for nothing",
          row != null ? null : desk -> dropEntry(desk, entry));
    } else if (row.isDirectory()) {
      directory(entry, row);
    } else if (view.rows.get(Keys.name(entry.ino, entry.parent, entry.name)) == null) {
      view.report(
          Kind.ENTRY_NOT_KNOWN_TO_INODE,
          entry.ino,
          "inode does not know its name " + AuditView.text(entry.name),
          desk ->
              desk.batch().put(Keys.name(entry.ino, entry.parent, entry.name), InodeState.NONE));
    }
  }

  private void directory(InodeState entry, InodeState row) {
    if (isAt(row, entry) && row.cookie == entry.cookie) {
      return;
    }
    boolean twice = !isAt(row, entry) && holds(row.parent, row.name, entry.ino);
    view.report(
        Kind.ENTRY_NOT_KNOWN_TO_INODE,
        entry.ino,
        twice ? "a directory with two names: which holds?" : "directory row names another place",
        twice
            ? null
            : desk -> {
              InodeState wrong = desk.tree().directory(entry.ino);
              wrong.parent = entry.parent;
              wrong.name = entry.name;
              wrong.cookie = entry.cookie;
              desk.tree().save(wrong);
            });
  }

  private static boolean isAt(InodeState row, InodeState entry) {
    return row.parent == entry.parent && Arrays.equals(row.name, entry.name);
  }

  private boolean holds(long parent, byte[] name, long ino) {
    byte[] value = view.rows.get(Keys.entry(parent, name));
    return value != null && EntryRow.decode(value, parent, name).ino == ino;
  }

  /** Counts follow: the repair of the directory's is a finding of the next look. */
  private static void dropEntry(RepairDesk desk, InodeState entry) {
    desk.batch().delete(Keys.entry(entry.parent, entry.name));
    desk.batch().delete(Keys.cookie(entry.parent, entry.cookie));
    InodeState dir = desk.tree().directory(entry.parent);
    dir.children--;
    desk.tree().save(dir);
  }

  private void cookie(byte[] key, byte[] name) {
    long in = AuditView.u64(key, 1);
    long cookie = AuditView.u64(key, 9);
    byte[] entry = view.rows.get(Keys.entry(in, name));
    if (entry == null || EntryRow.decode(entry, in, name).cookie != cookie) {
      view.report(
          Kind.COOKIE_WITHOUT_ENTRY,
          in,
          "cookie " + cookie + " names " + AuditView.text(name) + ", which is not there",
          desk -> desk.batch().delete(key));
    }
  }
}
