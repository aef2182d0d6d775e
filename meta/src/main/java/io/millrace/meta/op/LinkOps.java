package io.millrace.meta.op;

import io.millrace.core.api.Errno;
import io.millrace.core.api.FsException;
import io.millrace.meta.row.InodeState;
import io.millrace.meta.row.Keys;
import io.millrace.meta.row.MessageRow;
import io.millrace.meta.tree.TreeWriter;
import io.millrace.proto.CommandResult;
import io.millrace.proto.LinkRecord;
import io.millrace.proto.PutLink;
import io.millrace.proto.RemoveLink;

/** Bucket links begin, change and end. Link ids are never given twice. */
public final class LinkOps {
  private LinkOps() {}

  public static CommandResult.Builder put(Scope scope, PutLink op) {
    LinkRecord given = op.getLink();
    if (!given.getPrefix().isEmpty() && !given.getPrefix().endsWith("/")) {
      throw new FsException(
          Errno.EINVAL, "prefix must end in a slash", "prefix", given.getPrefix());
    }
    LinkRecord link = given.getId() == 0 ? made(scope, given) : changed(scope, given);
    scope.tree().batch().put(Keys.link(link.getId()), MessageRow.encode(link));
    scope.tree().putLink(link);
    return Scope.done().setLinkId(link.getId());
  }

  private static LinkRecord made(Scope scope, LinkRecord given) {
    TreeWriter tree = scope.tree();
    InodeState root = tree.directory(given.getRoot());
    if (root.link != 0) {
      throw new FsException(Errno.EEXIST, "directory is in a link already", "link", root.link);
    }
    if (root.children > 0) {
      throw new FsException(Errno.ENOTEMPTY, "directory is not empty", "inode", root.ino);
    }
    root.link = ++tree.counters().lastLink;
    LinkRecord.Builder link = given.toBuilder().setId(root.link);
    if (given.getCreatedNs() == 0) {
      link.setCreatedNs(scope.now());
    }
    root.ctime = scope.now();
    tree.save(root);
    return link.build();
  }

  private static LinkRecord changed(Scope scope, LinkRecord given) {
    LinkRecord before = existing(scope, given.getId());
    return given.toBuilder().setRoot(before.getRoot()).setCreatedNs(before.getCreatedNs()).build();
  }

  /** Inodes below keep its number, which stands for no link from now on. */
  public static CommandResult.Builder remove(Scope scope, RemoveLink op) {
    int id = existing(scope, op.getId()).getId();
    TreeWriter tree = scope.tree();
    tree.batch().delete(Keys.link(id));
    tree.batch().delete(Keys.linkCounts(id));
    tree.batch().deleteForEver(Keys.changes(id), Keys.after(Keys.changes(id)));
    tree.batch().deleteForEver(Keys.tombstones(id), Keys.after(Keys.tombstones(id)));
    tree.removeLink(id);
    return Scope.done().setLinkId(id);
  }

  private static LinkRecord existing(Scope scope, int id) {
    LinkRecord link = scope.tree().links().get(id);
    if (link == null) {
      throw new FsException(Errno.ENOENT, "no such link", "link", id);
    }
    return link;
  }
}
