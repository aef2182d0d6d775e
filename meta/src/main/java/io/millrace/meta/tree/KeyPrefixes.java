package io.millrace.meta.tree;

import io.millrace.proto.Inode;
import java.util.Arrays;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReferenceArray;
import java.util.function.Supplier;

/**
 * Prefixes of directories in their buckets, so that the key of a file in a directory that was used
 * lately costs no walk up the tree. A fixed number of places. Any thread; {@link #forgetAll} is the
 * journal's.
 *
 * <p>Invariant: a prefix is given only where no command that may change one was written since the
 * epoch at which its making began. A command's result is handed out after the epoch has moved.
 */
public final class KeyPrefixes {
  private static final int PLACES = 1 << 10;
  private static final int PREFIX_MAX = 1 << 10;

  private static final class Known {
    final long dir;
    final int link;
    final long epoch;
    final byte[] prefix;

    Known(long dir, int link, long epoch, byte[] prefix) {
      this.dir = dir;
      this.link = link;
      this.epoch = epoch;
      this.prefix = prefix;
    }

    boolean is(long otherDir, int otherLink, long now) {
      return dir == otherDir && link == otherLink && epoch == now;
    }
  }

  private final AtomicReferenceArray<Known> places = new AtomicReferenceArray<>(PLACES);
  private final AtomicLong epoch = new AtomicLong();

  /** Something was written that may have moved a directory, its origin or its link. */
  public void forgetAll() {
    epoch.incrementAndGet();
  }

  /** Whether the key of this inode follows from its directory's prefix and what it says itself. */
  public static boolean covers(Inode file) {
    return file.getNlink() == 1
        && file.getLink() != 0
        && file.getParent() != 0
        && file.getOrigin().isEmpty();
  }

  /**
   * The key of a file that {@link #covers} allows.
   *
   * @param walk makes the prefix of its directory
   */
  public byte[] key(Inode file, Supplier<byte[]> walk) {
    byte[] prefix = prefix(file.getParent(), file.getLink(), walk);
    byte[] last = ObjectNames.ofFile(file.getName().toByteArray());
    byte[] key = Arrays.copyOf(prefix, prefix.length + last.length);
    System.arraycopy(last, 0, key, prefix.length, last.length);
    return key;
  }

  private byte[] prefix(long dir, int link, Supplier<byte[]> walk) {
    int place = (int) ((dir * 0x9E3779B97F4A7C15L) >>> 54) & (PLACES - 1);
    long now = epoch.get();
    Known known = places.get(place);
    if (known != null && known.is(dir, link, now)) {
      return known.prefix;
    }
    byte[] prefix = walk.get();
    if (prefix.length <= PREFIX_MAX) {
      places.set(place, new Known(dir, link, now, prefix));
    }
    return prefix;
  }
}
