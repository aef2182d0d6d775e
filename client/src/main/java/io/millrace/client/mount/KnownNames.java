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
import java.util.Arrays;
import java.util.HashSet;
import java.util.Iterator;
import java.util.LinkedHashMap;

/**
 * Which names can exist in a few small directories, as hashes: a lookup of any other name needs no
 * request. Each create of a file begins with such a lookup. A directory gets here when several
 * lookups in it found nothing: then it is listed once, under its lease.
 *
 * <p>Any thread. Invariant: the hashes of a directory contain those of all its names as long as its
 * lease holds; names that went stay, which costs a request, never truth. Any notice about the
 * directory throws it out.
 */
final class KnownNames {
  private static final int DIRECTORIES_MAX = 64;
  private static final int NAMES_MAX = 4096;
  private static final int LISTED_MAX = 1024;
  private static final int MISSES_MIN = 2;

  /** One directory; {@code names} is null until the listing is here. */
  private static final class Directory {
    private HashSet<Long> names;
    private HashSet<Long> addedMeanwhile = new HashSet<>();
    private int misses;
    private boolean asked;
    private boolean tooLarge;
    private long since;
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
    if (known == null || known.names == null) {
      return false;
    }
    if (!notices.isFresh(dir, known.since)) {
      directories.remove(dir);
      return false;
    }
    return !known.names.contains(hash(name, 0, name.length));
  }

  /** The node was asked for a name in vain, at {@code since}. */
  void missed(long dir, long since) {
    synchronized (this) {
      Directory known = directories.computeIfAbsent(dir, k -> new Directory());
      shrink();
      if (known.asked || known.tooLarge || ++known.misses < MISSES_MIN) {
        return;
      }
      known.asked = true;
      known.since = since;
    }
    list(dir);
  }

  private void shrink() {
    Iterator<Long> eldest = directories.keySet().iterator();
    while (directories.size() > DIRECTORIES_MAX) {
      eldest.next();
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
    if (known == null || !known.asked || known.names != null) {
      return;
    }
    if (!page.getEnd()) {
      known.tooLarge = true;
      known.addedMeanwhile.clear();
      return;
    }
    known.names = known.addedMeanwhile;
    known.addedMeanwhile = new HashSet<>();
    for (Inode entry : page.getEntriesList()) {
      byte[] name = entry.getName().toByteArray();
      known.names.add(hash(name, 0, name.length));
    }
  }

  /** This client made the name: told before the kernel is. */
  synchronized void added(long dir, byte[] name) {
    Directory known = directories.get(dir);
    if (known == null || known.tooLarge || !known.asked) {
      return;
    }
    HashSet<Long> names = known.names == null ? known.addedMeanwhile : known.names;
    names.add(hash(name, 0, name.length));
    if (names.size() > NAMES_MAX) {
      known.names = null;
      known.addedMeanwhile.clear();
      known.tooLarge = true;
    }
  }

  synchronized void drop(long dir) {
    directories.remove(dir);
  }

  synchronized void clear() {
    directories.clear();
  }

  private static long hash(byte[] name, int from, int to) {
    long high = Arrays.hashCode(name);
    long h = 0xCBF29CE484222325L;
    for (int i = from; i < to; i++) {
      h = (h ^ name[i]) * 0x100000001B3L;
    }
    return h ^ high << 32;
  }
}
