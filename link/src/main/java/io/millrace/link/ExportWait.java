package io.millrace.link;

import com.google.protobuf.ByteString;
import io.millrace.core.api.Errno;
import io.millrace.core.api.FsException;
import io.millrace.proto.AdminReply;
import io.millrace.proto.Change;
import io.millrace.proto.ChangeKind;
import io.millrace.proto.FileState;
import io.millrace.proto.Inode;
import io.millrace.proto.LinkRecord;
import io.millrace.proto.WaitExported;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * Waits until what was changed below a path is in the bucket (S28). Looks at one row after the
 * other and holds none: a row that has gone was exported, one that moved to the end of the queue
 * was changed again, and counts by the content that was exported of it.
 */
final class ExportWait {
  private static final long LOOK_EVERY_MS = 20;
  private static final int LISTED_MAX = 1000;

  private final LinkParts parts;
  private final FileStates states;

  ExportWait(LinkParts parts, FileStates states) {
    this.parts = parts;
    this.states = states;
  }

  AdminReply await(LinkRecord link, WaitExported request) {
    long timeout =
        request.getTimeoutMs() == 0
            ? Long.MAX_VALUE / 4
            : TimeUnit.MILLISECONDS.toNanos(request.getTimeoutMs());
    long end = System.nanoTime() + timeout;
    var below = new ChangePaths(parts.namespace(), link, List.of(request.getPath()));
    long last = lastSeq(link);
    long seq = 0;
    while (seq < last) {
      List<Change> page = parts.namespace().changes(link.getId(), seq, 256);
      if (page.isEmpty()) {
        break;
      }
      for (Change change : page) {
        seq = change.getSeq();
        if (seq <= last && counts(link, change) && below.contains(change) && !gone(change, end)) {
          return timedOut(link, below, last);
        }
      }
    }
    return AdminReply.getDefaultInstance();
  }

  private static boolean counts(LinkRecord link, Change change) {
    return change.getKind() != ChangeKind.CHANGE_DELETED || link.getExportDeleted();
  }

  private long lastSeq(LinkRecord link) {
    long last = 0;
    for (List<Change> page = parts.namespace().changes(link.getId(), last, 1000);
        !page.isEmpty();
        page = parts.namespace().changes(link.getId(), last, 1000)) {
      last = page.getLast().getSeq();
    }
    return last;
  }

  /** False: not by {@code end}. */
  private boolean gone(Change change, long end) {
    long wanted = contentSeq(change);
    while (waiting(change, wanted)) {
      if (System.nanoTime() - end >= 0) {
        return false;
      }
      try {
        Thread.sleep(LOOK_EVERY_MS);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new FsException(e, Errno.EINTR, "interrupted while waiting for the export");
      }
    }
    return true;
  }

  private boolean waiting(Change change, long wanted) {
    boolean there =
        parts.namespace().changes(change.getLink(), change.getSeq() - 1, 1).stream()
            .anyMatch(row -> row.getSeq() == change.getSeq());
    if (there || change.getKind() != ChangeKind.CHANGE_CONTENT) {
      return there;
    }
    try {
      Inode now = parts.namespace().inode(change.getIno());
      return now.getExportedSeq() < wanted && parts.namespace().changeOf(now.getIno()).isPresent();
    } catch (FsException e) {
      return false; // deleted meanwhile
    }
  }

  private long contentSeq(Change change) {
    try {
      return parts.namespace().inode(change.getIno()).getContentSeq();
    } catch (FsException e) {
      return 0;
    }
  }

  private AdminReply timedOut(LinkRecord link, ChangePaths below, long last) {
    AdminReply.Builder reply = AdminReply.newBuilder().setTimedOut(true);
    for (Change change : parts.namespace().changes(link.getId(), 0, LISTED_MAX)) {
      if (change.getSeq() <= last && counts(link, change) && below.contains(change)) {
        reply.addStates(state(change, below));
      }
    }
    if (!link.getExportNew() && !link.getExportChanged()) {
      reply.setNote("automatic export is off for this link: `millrace export` brings changes out");
    }
    return reply.build();
  }

  private FileState state(Change change, ChangePaths below) {
    try {
      return states.of(parts.namespace().inode(change.getIno()));
    } catch (FsException e) {
      return FileState.newBuilder()
          .setPath(ByteString.copyFromUtf8(below.shown(change)))
          .setState("dirty")
          .build();
    }
  }
}
