package io.millrace.client.mount;

import com.google.protobuf.ByteString;
import io.millrace.core.api.Errno;
import io.millrace.core.api.FsException;
import io.millrace.core.wire.NodeChannel;
import io.millrace.core.wire.NodeChannel.Reply;
import io.millrace.core.wire.Op;
import io.millrace.fuse.DetachedReply;
import io.millrace.fuse.DirectoryBuffer;
import io.millrace.fuse.EntryOut;
import io.millrace.fuse.FuseReply;
import io.millrace.fuse.FuseRequest;
import io.millrace.proto.Inode;
import io.millrace.proto.ReaddirReply;
import io.millrace.proto.ReaddirRequest;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Listings: pages of entries from the node, in the order of names, each named to the kernel by its
 * cookie (H5), so that a listing can go on anywhere, also in another process. A cursor keeps two
 * pages and the one fetched ahead, whatever the size of the directory. Any thread.
 */
final class Directories {
  private static final int PAGE_ENTRIES = 1024;
  private static final int SHARED_CURSORS = 64;

  /** Listings that keep pages; another one fetches its page again when it goes on (H5). */
  private static final int PAGED_CURSORS = 64;

  /** "." and ".." have the first two; an entry's is its cookie and these. */
  private static final long DOTS = 2;

  /** Entries from one request, asked for at {@code since}. */
  private static final class Page {
    private final ReaddirReply reply;
    private final long since;

    Page(ReaddirReply reply, long since) {
      this.reply = reply;
      this.since = since;
    }

    int size() {
      return reply.getEntriesCount();
    }

    Inode entry(int index) {
      return reply.getEntries(index);
    }

    /** Index after the entry with this cookie; -1: it isn't here. */
    int after(long cookie) {
      for (int i = 0; i < size(); i++) {
        if (entry(i).getCookie() == cookie) {
          return i + 1;
        }
      }
      return -1;
    }

    ByteString lastName() {
      return size() == 0 ? ByteString.EMPTY : entry(size() - 1).getName();
    }
  }

  /** Where one listing is. Guarded by itself. */
  private static final class Cursor {
    private Page previous;
    private Page current;
    private Page next;
    private boolean fetchingNext;
    private long resumeCookie;
    private int resumeIndex;

    synchronized void dropPages() {
      previous = current = next = null;
    }
  }

  private final MountContext context;
  private final EntryAnswers answers;
  private final ConcurrentHashMap<Long, Cursor> cursors = new ConcurrentHashMap<>();
  private final AtomicLong numbers;

  /** For mounts without OPENDIR: by directory, the least recently used goes. */
  private final Map<Long, Cursor> shared =
      new LinkedHashMap<>(16, 0.75f, true) {
        private static final long serialVersionUID = 1L;

        @Override
        protected boolean removeEldestEntry(Map.Entry<Long, Cursor> eldest) {
          return size() > SHARED_CURSORS;
        }
      };

  /** Those with pages, in the order of their last fetch that a reader waited for. */
  private final Map<Cursor, Boolean> paged = new LinkedHashMap<>(16, 0.75f, true);

  Directories(MountContext context, EntryAnswers answers) {
    this.context = context;
    this.answers = answers;
    this.numbers = new AtomicLong(context.session().ledger().generation() << 40);
  }

  void opendir(FuseRequest request) {
    if (cursors.mappingCount() >= context.config().openFilesMax()) {
      request.error(Errno.ENFILE.code());
      return;
    }
    long fh = numbers.incrementAndGet();
    cursors.put(fh, new Cursor());
    request.opened(fh, 0);
  }

  void releasedir(FuseRequest request, long fh) {
    Cursor closed = cursors.remove(fh);
    if (closed != null) {
      synchronized (paged) {
        paged.remove(closed);
      }
    }
    request.ok();
  }

  private void hasPages(Cursor cursor) {
    Cursor eldest = null;
    synchronized (paged) {
      paged.put(cursor, true);
      if (paged.size() > PAGED_CURSORS) {
        eldest = paged.keySet().iterator().next();
        paged.remove(eldest);
      }
    }
    if (eldest != null) {
      eldest.dropPages();
    }
  }

  private Cursor cursor(long dir, long fh) {
    Cursor own = fh == 0 ? null : cursors.get(fh);
    if (own != null) {
      return own;
    }
    synchronized (shared) {
      return shared.computeIfAbsent(dir, k -> new Cursor());
    }
  }

  void readdir(FuseRequest request, long dir, long fh, long offset) {
    Cursor cursor = cursor(dir, fh);
    DirectoryBuffer buffer = request.directoryBuffer();
    boolean here;
    synchronized (cursor) {
      if (offset == 0) {
        cursor.previous = cursor.current = cursor.next = null;
      }
      here = cursor.current != null && seek(cursor, offset);
    }
    if (here && give(request, dir, cursor, offset, buffer, null)) {
      return;
    }
    DetachedReply kernel = request.detach();
    kernel.answerWhenInterrupted();
    fetch(kernel, dir, cursor, offset, buffer);
  }

  /** Makes {@code current} the page that has what follows the offset. */
  private static boolean seek(Cursor cursor, long offset) {
    if (offset <= DOTS) {
      return offset == DOTS && cursor.resumeCookie == 0 && cursor.resumeIndex == 0;
    }
    long cookie = offset - DOTS;
    if (cursor.resumeCookie == cookie) {
      return cursor.resumeIndex < cursor.current.size()
          || cursor.current.reply.getEnd()
          || turn(cursor);
    }
    int index = cursor.current.after(cookie);
    if (index < 0 && cursor.previous != null) {
      index = cursor.previous.after(cookie);
      if (index >= 0) {
        cursor.next = null;
        cursor.current = cursor.previous;
        cursor.previous = null;
      }
    }
    if (index < 0) {
      return false;
    }
    cursor.resumeCookie = cookie;
    cursor.resumeIndex = index;
    return index < cursor.current.size() || cursor.current.reply.getEnd() || turn(cursor);
  }

  /** Goes on to the page fetched ahead. */
  private static boolean turn(Cursor cursor) {
    if (cursor.next == null) {
      return false;
    }
    cursor.previous = cursor.current;
    cursor.current = cursor.next;
    cursor.next = null;
    cursor.resumeIndex = 0;
    return true;
  }

  private ReaddirRequest.Builder page(long dir) {
    return ReaddirRequest.newBuilder().setDir(dir).setMaxEntries(PAGE_ENTRIES).setLease(true);
  }

  private void fetch(
      DetachedReply kernel, long dir, Cursor cursor, long offset, DirectoryBuffer buffer) {
    ReaddirRequest.Builder question = page(dir);
    if (offset > DOTS) {
      synchronized (cursor) {
        boolean atEnd =
            cursor.current != null
                && cursor.resumeCookie == offset - DOTS
                && cursor.resumeIndex >= cursor.current.size();
        if (atEnd) {
          question.setAfterName(cursor.current.lastName());
        } else {
          question.setAfterCookie(offset - DOTS);
        }
      }
    }
    long since = context.notices().now();
    new NodeAnswer(kernel) {
      @Override
      void answer(Reply reply, DetachedReply to) {
        var page = new Page(reply.as(ReaddirReply.class), since);
        reply.close();
        context.nodes().change(dir, NodeTable.DIRECTORY_LEASE, 0);
        synchronized (cursor) {
          cursor.previous = cursor.current;
          cursor.current = page;
          cursor.next = null;
          cursor.resumeCookie = Math.max(0, offset - DOTS);
          cursor.resumeIndex = 0;
        }
        hasPages(cursor);
        give(to, dir, cursor, offset, buffer, page);
      }

      @Override
      void abandoned() {
        buffer.close();
      }
    }.ask(context.channel(), Op.READDIR, question.build());
  }

  /**
   * No notice about the directory comes between judging its entries and the kernel's having them.
   *
   * @param fetched the page in question; null: one that was there
   * @return false where that was dropped meanwhile, and no answer was given
   */
  private boolean give(
      FuseReply kernel,
      long dir,
      Cursor cursor,
      long offset,
      DirectoryBuffer buffer,
      Page fetched) {
    var held = context.notices().enter(dir, dir);
    try {
      synchronized (cursor) {
        if (cursor.current == null) {
          if (fetched == null) {
            return false;
          }
          cursor.current = fetched;
        }
        if (dots(cursor.current.reply.getSelf(), dir, offset, buffer)) {
          fill(dir, cursor, buffer);
        }
      }
      kernel.directory(buffer);
    } finally {
      context.notices().exit(held);
    }
    fetchAhead(dir, cursor);
    return true;
  }

  private static boolean dots(Inode self, long dir, long offset, DirectoryBuffer buffer) {
    long parent = self.getParent() == 0 ? dir : self.getParent();
    int type = EntryAnswers.DIRECTORY;
    return (offset >= 1 || buffer.add(new byte[] {'.'}, 1, dir, type))
        && (offset >= DOTS || buffer.add(new byte[] {'.', '.'}, DOTS, parent, type));
  }

  private void fill(long dir, Cursor cursor, DirectoryBuffer buffer) {
    var entry = new EntryOut();
    do {
      Page page = cursor.current;
      boolean pageFresh = buffer.plus() && isFresh(dir, page.since);
      while (cursor.resumeIndex < page.size()) {
        Inode inode = page.entry(cursor.resumeIndex);
        if (!add(buffer, entry, inode, pageFresh, page.since)) {
          return;
        }
        cursor.resumeIndex++;
        cursor.resumeCookie = inode.getCookie();
      }
    } while (!cursor.current.reply.getEnd() && turn(cursor));
  }

  /** What changed since the page was fetched is listed by name only: a stat will ask. */
  private boolean add(
      DirectoryBuffer buffer, EntryOut entry, Inode inode, boolean pageFresh, long since) {
    byte[] name = inode.getName().toByteArray();
    long cookie = inode.getCookie() + DOTS;
    if (pageFresh) {
      answers.fillListed(entry, inode);
      if (isFresh(inode.getIno(), since)) {
        return buffer.add(name, cookie, entry);
      }
    }
    return buffer.add(name, cookie, inode.getIno(), inode.getMode());
  }

  private boolean isFresh(long ino, long since) {
    return context.notices().isFresh(ino, since) && context.own().isFresh(ino, since);
  }

  private void fetchAhead(long dir, Cursor cursor) {
    Page from;
    synchronized (cursor) {
      from = cursor.current;
      boolean wanted =
          from != null && !from.reply.getEnd() && cursor.next == null && !cursor.fetchingNext;
      if (!wanted || cursor.resumeIndex < from.size() / 2) {
        return;
      }
      cursor.fetchingNext = true;
    }
    long since = context.notices().now();
    var callback =
        new NodeChannel.Callback() {
          @Override
          public void done(Reply reply) {
            var page = new Page(reply.as(ReaddirReply.class), since);
            reply.close();
            fetchedAhead(cursor, from, page);
          }

          @Override
          public void failed(FsException failure) {
            fetchedAhead(cursor, from, null);
          }
        };
    try {
      var question = page(dir).setAfterName(from.lastName()).build();
      context.channel().call(Op.READDIR, question, null, callback);
    } catch (FsException e) {
      callback.failed(e);
    }
  }

  private static void fetchedAhead(Cursor cursor, Page from, Page page) {
    synchronized (cursor) {
      cursor.fetchingNext = false;
      if (cursor.current == from) {
        cursor.next = page;
      }
    }
  }
}
