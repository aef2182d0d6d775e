package io.millrace.client.mount;

import io.millrace.client.Freshness;
import io.millrace.client.NodeSession;
import io.millrace.core.api.FsException;
import io.millrace.core.wire.NodeChannel;
import io.millrace.core.wire.NodeChannel.Reply;
import io.millrace.core.wire.Op;
import io.millrace.proto.Inode;
import io.millrace.proto.ReaddirReply;
import io.millrace.proto.ReaddirRequest;
import java.util.Iterator;
import java.util.LinkedHashMap;

/**
 * Which names can exist in a few directories that were small when first seen: a lookup of any other
 * name needs no request. Each create of a file begins with such a lookup. A directory gets here
 * when several lookups in it found nothing: then it is listed once, under its lease.
 *
 * <p>Any thread. Bounded in directories and bytes: the least recently used goes. Invariant: the
 * names of a directory contain those of all its names as long as its lease holds; names that went
 * stay, which costs a request, never truth. Any notice about the directory throws it out.
 */
final class KnownNames {
  private static final int DIRECTORIES_MAX = 64;
  private static final long BYTES_MAX = 8 << 20;
  private static final int LISTED_MAX = 1024;
  private static final int MISSES_MIN = 2;

  /** One directory; {@code names} is null until it is listed, and not whole until that is here. */
  private static final class Directory {
    private NameFilter names;
    private boolean whole;
    private int misses;
    private boolean tooLarge;
    private long since;

    void giveUp() {
      names = null;
      whole = false;
      tooLarge = true;
    }

    long bytes() {
      return names == null ? 0 : names.bytes();
    }
  }

  private final NodeSession session;
  private final Freshness notices;
  private final LinkedHashMap<Long, Directory> directories = new LinkedHashMap<>(16, 0.75f, true);

  KnownNames(NodeSession session, Freshness notices) {
    this.session = session;
    this.notices = notices;
  }

  /** True where the lease says that there is no such name. */
  synchronized boolean isAbsent(long dir, byte[] name) {
    Directory known = directories.get(dir);
    if (known == null || !known.whole) {
      return false;
    }
    if (!notices.isFresh(dir, known.since)) {
      directories.remove(dir);
      return false;
    }
    return !known.names.mayHave(hash(name));
  }

  /** The node was asked for a name in vain, at {@code since}. */
  void missed(long dir, long since) {
    synchronized (this) {
      Directory known = directories.computeIfAbsent(dir, k -> new Directory());
      shrink();
      if (known.names != null || known.tooLarge || ++known.misses < MISSES_MIN) {
        return;
      }
      known.names = new NameFilter();
      known.since = since;
    }
    list(dir);
  }

  private void shrink() {
    Iterator<Directory> eldest = directories.values().iterator();
    long bytes = directories.values().stream().mapToLong(Directory::bytes).sum();
    while (directories.size() > DIRECTORIES_MAX || (bytes > BYTES_MAX && directories.size() > 1)) {
      bytes -= eldest.next().bytes();
      eldest.remove();
    }
  }

  private void list(long dir) {
    var request =
        ReaddirRequest.newBuilder().setDir(dir).setMaxEntries(LISTED_MAX).setLease(true).build();
    var callback =
        new NodeChannel.Callback() {
          @Override
          public void done(Reply reply) {
            try (reply) {
              listed(dir, reply.as(ReaddirReply.class));
            }
          }

          @Override
          public void failed(FsException failure) {
            drop(dir);
          }
        };
    try {
      session.channel().call(Op.READDIR, request, null, callback);
    } catch (FsException e) {
      drop(dir);
    }
  }

  private synchronized void listed(long dir, ReaddirReply page) {
    Directory known = directories.get(dir);
    if (known == null || known.names == null || known.whole) {
      return;
    }
    if (!page.getEnd()) {
      known.giveUp();
      return;
    }
    for (Inode entry : page.getEntriesList()) {
      known.names.add(hash(entry.getName().toByteArray()));
    }
    known.whole = true;
  }

  /** This client made the name: told before the kernel is. */
  synchronized void added(long dir, byte[] name) {
    Directory known = directories.get(dir);
    if (known == null || known.names == null) {
      return;
    }
    long before = known.bytes();
    if (!known.names.add(hash(name))) {
      known.giveUp();
    } else if (known.bytes() > before) {
      shrink();
    }
  }

  synchronized void drop(long dir) {
    directories.remove(dir);
  }

  synchronized void clear() {
    directories.clear();
  }

  private static long hash(byte[] name) {
    long h = 0xCBF29CE484222325L;
    for (byte b : name) {
      h = (h ^ b) * 0x100000001B3L;
    }
    h = (h ^ h >>> 33) * 0xFF51AFD7ED558CCDL; // all bits of a name reach all bits of the hash
    h = (h ^ h >>> 33) * 0xC4CEB9FE1A85EC53L;
    return h ^ h >>> 33;
  }
}
