package io.millrace.meta.audit;

import io.millrace.meta.audit.Finding.Kind;
import io.millrace.meta.row.ChangeRow;
import io.millrace.meta.row.Counters;
import io.millrace.meta.row.EntryRow;
import io.millrace.meta.row.GarbageRow;
import io.millrace.meta.row.InodeState;
import io.millrace.meta.row.Keys;
import io.millrace.meta.row.LinkCounts;
import io.millrace.meta.row.MessageRow;
import io.millrace.meta.row.RowReader;
import io.millrace.meta.row.SessionRow;
import io.millrace.meta.store.Rows;
import io.millrace.meta.tree.Removal;
import io.millrace.meta.tree.StreamUse;
import io.millrace.proto.Change;
import io.millrace.proto.ChangeKind;
import io.millrace.proto.Garbage;
import io.millrace.proto.LinkRecord;
import io.millrace.proto.TaskRecord;
import io.millrace.proto.TrashRecord;
import java.util.function.BiPredicate;

/** Checks rows that belong to another row: it is there, and counts them right. */
final class OwnerAudit {
  private final AuditView view;
  private int lastSession;
  private long lastTask;
  private long lastGarbage;
  private int lastLink;

  OwnerAudit(AuditView view) {
    this.view = view;
  }

  void run(long inodes, long highestInode) {
    names();
    owned(Keys.extents(), (file, key) -> file.isRegular() && file.version == 0);
    owned(Keys.streams(), (file, key) -> file.isRegular() && file.version == 0);
    owned(Keys.xattrs(), (file, key) -> true);
    owned(Keys.targets(), (file, key) -> file.isSymlink());
    owned(Keys.trashed(), (inode, key) -> !inode.orphan);
    trashes();
    orphans();
    sessions();
    garbage();
    links();
    view.each(
        Keys.tasks(),
        (key, value) -> {
          MessageRow.decode(value, TaskRecord.parser());
          lastTask = Math.max(lastTask, AuditView.u64(key, 1));
        });
    counters(inodes, highestInode);
    unknown();
  }

  private void trashes() {
    for (TrashRecord trash : view.trashes.byRoot().values()) {
      InodeState bin = view.row(trash.getBin());
      if (bin == null || !bin.isDirectory()) {
        view.report(
            Kind.TRASH_BIN,
            trash.getRoot(),
            "what is deleted there has no place: its trash is gone",
            desk -> {
              desk.batch().delete(Keys.trash(trash.getRoot()));
              desk.tree().removeTrash(trash.getRoot());
            });
      }
    }
  }

  private void names() {
    view.each(
        Keys.names(),
        (key, value) -> {
          long ino = AuditView.u64(key, 1);
          long in = AuditView.u64(key, 9);
          byte[] name = new RowReader(key, 17).rest();
          byte[] entry = view.rows.get(Keys.entry(in, name));
          InodeState held = entry == null ? null : EntryRow.decode(entry, in, name);
          if (held == null || held.ino != ino || !held.standalone) {
            view.report(
                Kind.NAME_WITHOUT_ENTRY,
                ino,
                "name %s in %d has no entry".formatted(AuditView.text(name), in),
                desk -> desk.batch().delete(key));
          }
        });
  }

  /** Rows of a type begin with the inode they belong to. */
  private void owned(byte[] type, BiPredicate<InodeState, byte[]> fits) {
    long[] known = {0};
    view.each(
        type,
        (key, value) -> {
          long ino = AuditView.u64(key, 1);
          if (ino == known[0]) {
            return;
          }
          InodeState inode = view.inode(ino);
          if (inode != null && fits.test(inode, key)) {
            known[0] = ino;
          } else if (view.row(ino) == null) {
            view.report(
                Kind.ROW_WITHOUT_INODE,
                ino,
                "a row '" + (char) key[0] + "' of an inode that is gone",
                desk -> desk.batch().delete(key));
          } else if (inode != null) {
            known[0] = ino;
            view.report(
                Kind.ROW_WITHOUT_INODE,
                ino,
                "rows '" + (char) key[0] + "' do not suit the inode's type or version",
                null);
          }
        });
  }

  private void orphans() {
    view.each(
        Keys.orphans(),
        (key, value) -> {
          long ino = AuditView.u64(key, 1);
          long session = Removal.orphanSession(value);
          InodeState row = view.row(ino);
          if (row == null || !row.orphan) {
            view.report(
                Kind.ORPHAN_ROW,
                ino,
                row == null ? "an orphan that is gone" : "an orphan that has a name",
                desk -> desk.batch().delete(key));
          } else if (session != 0 && view.rows.get(Keys.session(session)) == null) {
            view.report(
                Kind.ORPHAN_ROW,
                ino,
                "without a name, kept for a session that is gone",
                desk -> {
                  InodeState orphan = desk.tree().existing(ino);
                  desk.batch().delete(key);
                  orphan.orphan = false;
                  orphan.nlink = 1;
                  desk.reattach(orphan);
                });
          }
        });
  }

  private void sessions() {
    view.each(
        Keys.sessions(),
        (key, value) ->
            lastSession = Math.max(lastSession, SessionRow.decode(key, value).number()));
    long[] known = {0};
    view.each(
        Keys.replies(),
        (key, value) -> {
          long session = AuditView.u64(key, 1);
          SessionRow.replyResult(value);
          if (session != known[0] && view.rows.get(Keys.session(session)) == null) {
            view.report(
                Kind.REPLY_WITHOUT_SESSION,
                0,
                "a reply kept for session " + Long.toHexString(session) + ", which is gone",
                desk -> desk.batch().delete(key));
          } else {
            known[0] = session;
          }
        });
  }

  private void garbage() {
    view.each(
        Keys.garbage(),
        (key, value) -> {
          Garbage garbage = GarbageRow.decode(key, value);
          lastGarbage = Math.max(lastGarbage, garbage.getSeq());
          long to =
              garbage.getWholeVersion()
                  ? Long.MAX_VALUE
                  : garbage.getStreamOffset() + garbage.getLength();
          if (StreamUse.shown(
              view.tree, garbage.getIno(), garbage.getVersion(), garbage.getStreamOffset(), to)) {
            view.report(
                Kind.GARBAGE_IN_USE,
                garbage.getIno(),
                "version " + garbage.getVersion() + " is to be dropped, and the file shows it",
                desk -> desk.batch().delete(key));
          }
        });
  }

  private void links() {
    view.each(
        Keys.links(),
        (key, value) -> {
          LinkRecord link = MessageRow.decode(value, LinkRecord.parser());
          lastLink = Math.max(lastLink, link.getId());
          InodeState root = view.row(link.getRoot());
          if (root == null || !root.isDirectory() || root.link != link.getId()) {
            view.report(
                Kind.LINK_ROOT,
                link.getRoot(),
                "is not the root of link " + link.getId() + ": link rm it",
                null);
          }
          linkCounts(link.getId());
        });
    view.each(Keys.changes(), this::change);
  }

  private void linkCounts(int link) {
    long[] rows = {0, 0, 0};
    view.each(
        Keys.changes(link),
        (key, value) -> {
          rows[0]++;
          rows[2] = Math.max(rows[2], AuditView.u64(key, 5));
        });
    view.each(Keys.tombstones(link), (key, value) -> rows[1]++);
    LinkCounts counts = LinkCounts.decode(view.rows.get(Keys.linkCounts(link)));
    if (counts.pending() != rows[0]
        || counts.tombstones() != rows[1]
        || counts.lastSeq() < rows[2]) {
      var right = new LinkCounts(Math.max(counts.lastSeq(), rows[2]), rows[0], rows[1]);
      view.report(
          Kind.LINK_COUNT,
          0,
          "link %d says %s; is %s".formatted(link, counts, right),
          desk -> desk.batch().put(Keys.linkCounts(link), right.encode()));
    }
  }

  private void change(byte[] key, byte[] value) {
    Change change = ChangeRow.decode(key, value);
    boolean gone =
        change.getKind() != ChangeKind.CHANGE_DELETED && view.row(change.getIno()) == null;
    if (gone || view.links.get(change.getLink()) == null) {
      view.report(
          Kind.CHANGE_ROW,
          0,
          "change %d of link %d is of an inode or link that is gone"
              .formatted(change.getSeq(), change.getLink()),
          desk -> desk.batch().delete(key));
    }
  }

  private void counters(long inodes, long highestInode) {
    Counters are = Counters.decode(view.rows.get(Keys.counters()));
    boolean right =
        are.inodes == inodes
            && are.lastInode >= highestInode
            && are.lastSession >= lastSession
            && are.lastTask >= lastTask
            && are.lastGarbage >= lastGarbage
            && are.lastLink >= lastLink;
    if (!right) {
      view.report(
          Kind.COUNTER,
          0,
          "counts %d inodes, the last is %d; has %d, the last is %d"
              .formatted(are.inodes, are.lastInode, inodes, highestInode),
          desk -> {
            Counters wrong = desk.counters();
            wrong.inodes = inodes;
            wrong.lastInode = Math.max(wrong.lastInode, highestInode);
            wrong.lastSession = Math.max(wrong.lastSession, lastSession);
            wrong.lastTask = Math.max(wrong.lastTask, lastTask);
            wrong.lastGarbage = Math.max(wrong.lastGarbage, lastGarbage);
            wrong.lastLink = Math.max(wrong.lastLink, lastLink);
          });
    }
  }

  private void unknown() {
    for (int type = 0; type < 0xff; type++) {
      byte[] prefix = {(byte) type};
      if (!Keys.isKnown(prefix)) {
        try (Rows.Cursor row = view.rows.scan(prefix, Keys.after(prefix))) {
          if (row.next()) {
            view.report(Kind.UNKNOWN_ROW, 0, "rows of type " + type + ": a newer version's?", null);
          }
        }
      }
    }
  }
}
