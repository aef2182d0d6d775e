package io.millrace.meta.row;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.util.Arrays;

/**
 * Keys of all rows: a type byte, then fixed-width big-endian numbers, then bytes. FORMATS.md,
 * "Namespace". Type bytes are for ever.
 */
public final class Keys {
  private static final int ENTRY = 'e';
  private static final int INODE = 'i';
  private static final int COOKIE = 'k';
  private static final int NAME = 'n';
  private static final int EXTENT = 'x';
  private static final int STREAM = 'b';
  private static final int XATTR = 'a';
  private static final int TARGET = 'y';
  private static final int SESSION = 's';
  private static final int REPLY = 'r';
  private static final int LINK = 'l';
  private static final int LINK_COUNTS = 'm';
  private static final int TASK = 't';
  private static final int CHANGE = 'q';
  private static final int TOMBSTONE = 'd';
  private static final int GARBAGE = 'g';
  private static final int ORPHAN = 'o';
  private static final int COUNTERS = 'c';
  private static final int QUOTA = 'u';
  private static final int QUOTA_USAGE = 'v';
  private static final int QUOTA_WORK = 'w';
  private static final int TRASH = 'p';
  private static final int TRASHED = 'h';

  private Keys() {}

  public static byte[] entry(long dir, byte[] name) {
    return start(ENTRY, 9 + name.length).u64(dir).rest(name).take();
  }

  public static byte[] entries(long dir) {
    return start(ENTRY, 9).u64(dir).take();
  }

  /** The name in an entry's key. */
  public static byte[] nameOf(byte[] entryKey) {
    return Arrays.copyOfRange(entryKey, 9, entryKey.length);
  }

  public static byte[] inode(long ino) {
    return start(INODE, 9).u64(ino).take();
  }

  public static byte[] cookie(long dir, long cookie) {
    return start(COOKIE, 17).u64(dir).u64(cookie).take();
  }

  public static byte[] name(long ino, long dir, byte[] name) {
    return start(NAME, 17 + name.length).u64(ino).u64(dir).rest(name).take();
  }

  public static byte[] names(long ino) {
    return start(NAME, 9).u64(ino).take();
  }

  public static byte[] extent(long ino, long fileOffset) {
    return start(EXTENT, 17).u64(ino).u64(fileOffset).take();
  }

  public static byte[] extents(long ino) {
    return start(EXTENT, 9).u64(ino).take();
  }

  public static byte[] stream(long ino, long version, long streamOffset) {
    return start(STREAM, 25).u64(ino).u64(version).u64(streamOffset).take();
  }

  public static byte[] streams(long ino, long version) {
    return start(STREAM, 17).u64(ino).u64(version).take();
  }

  public static byte[] streams(long ino) {
    return start(STREAM, 9).u64(ino).take();
  }

  public static byte[] xattr(long ino, byte[] name) {
    return start(XATTR, 9 + name.length).u64(ino).rest(name).take();
  }

  public static byte[] xattrs(long ino) {
    return start(XATTR, 9).u64(ino).take();
  }

  public static byte[] target(long ino) {
    return start(TARGET, 9).u64(ino).take();
  }

  public static byte[] session(long id) {
    return start(SESSION, 9).u64(id).take();
  }

  public static byte[] sessions() {
    return all(SESSION);
  }

  public static byte[] reply(long session, int slot) {
    return start(REPLY, 11).u64(session).u16(slot).take();
  }

  public static byte[] replies(long session) {
    return start(REPLY, 9).u64(session).take();
  }

  public static byte[] link(int id) {
    return start(LINK, 5).u32(id).take();
  }

  public static byte[] links() {
    return all(LINK);
  }

  public static byte[] linkCounts(int id) {
    return start(LINK_COUNTS, 5).u32(id).take();
  }

  public static byte[] task(long id) {
    return start(TASK, 9).u64(id).take();
  }

  public static byte[] tasks() {
    return all(TASK);
  }

  public static byte[] change(int link, long seq) {
    return start(CHANGE, 13).u32(link).u64(seq).take();
  }

  public static byte[] changes(int link) {
    return start(CHANGE, 5).u32(link).take();
  }

  public static byte[] tombstone(int link, byte[] objectKey) {
    return start(TOMBSTONE, 5 + objectKey.length).u32(link).rest(objectKey).take();
  }

  public static byte[] tombstones(int link) {
    return start(TOMBSTONE, 5).u32(link).take();
  }

  public static byte[] garbage(long seq) {
    return start(GARBAGE, 9).u64(seq).take();
  }

  public static byte[] garbage() {
    return all(GARBAGE);
  }

  public static byte[] orphan(long ino) {
    return start(ORPHAN, 9).u64(ino).take();
  }

  public static byte[] orphans() {
    return all(ORPHAN);
  }

  public static byte[] counters() {
    return all(COUNTERS);
  }

  public static byte[] quota(int id) {
    return start(QUOTA, 5).u32(id).take();
  }

  public static byte[] quotas() {
    return all(QUOTA);
  }

  public static byte[] quotaUsage(int id) {
    return start(QUOTA_USAGE, 5).u32(id).take();
  }

  public static byte[] quotaUsages() {
    return all(QUOTA_USAGE);
  }

  /** A directory whose entries are still to be counted. */
  public static byte[] quotaWork(int id, long dir) {
    return start(QUOTA_WORK, 13).u32(id).u64(dir).take();
  }

  public static byte[] quotaWork(int id) {
    return start(QUOTA_WORK, 5).u32(id).take();
  }

  public static byte[] quotaWork() {
    return all(QUOTA_WORK);
  }

  public static byte[] trash(long root) {
    return start(TRASH, 9).u64(root).take();
  }

  public static byte[] trashes() {
    return all(TRASH);
  }

  /** Where something in the trash was. */
  public static byte[] trashed(long ino) {
    return start(TRASHED, 9).u64(ino).take();
  }

  public static byte[] trashed() {
    return all(TRASHED);
  }

  /** Entries of all directories, by directory. */
  public static byte[] entries() {
    return all(ENTRY);
  }

  public static byte[] inodes() {
    return all(INODE);
  }

  public static byte[] cookies() {
    return all(COOKIE);
  }

  public static byte[] names() {
    return all(NAME);
  }

  public static byte[] extents() {
    return all(EXTENT);
  }

  public static byte[] streams() {
    return all(STREAM);
  }

  public static byte[] xattrs() {
    return all(XATTR);
  }

  public static byte[] targets() {
    return all(TARGET);
  }

  public static byte[] replies() {
    return all(REPLY);
  }

  public static byte[] linkCounts() {
    return all(LINK_COUNTS);
  }

  public static byte[] changes() {
    return all(CHANGE);
  }

  public static byte[] tombstones() {
    return all(TOMBSTONE);
  }

  /** Whether rows of this type exist at all. */
  public static boolean isKnown(byte[] key) {
    return key.length > 0 && "eiknxbaysrlmtqdgocuvwph".indexOf(key[0]) >= 0;
  }

  /** The first key after all keys that begin with this prefix. */
  public static byte[] after(byte[] prefix) {
    byte[] next = prefix.clone();
    for (int i = next.length - 1; i >= 0; i--) {
      if (++next[i] != 0) {
        return Arrays.copyOf(next, i + 1);
      }
    }
    throw new IllegalArgumentException("no key follows");
  }

  private static byte[] all(int type) {
    return new byte[] {(byte) type};
  }

  private static Maker start(int type, int length) {
    return new Maker(length).u8(type);
  }

  /** A key of known length being filled: no copy at its end. */
  private static final class Maker {
    private static final VarHandle LONG =
        MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.BIG_ENDIAN);
    private final byte[] key;
    private int at;

    Maker(int length) {
      key = new byte[length];
    }

    Maker u8(int value) {
      key[at++] = (byte) value;
      return this;
    }

    Maker u16(int value) {
      return u8(value >>> 8).u8(value);
    }

    Maker u32(int value) {
      return u16(value >>> 16).u16(value);
    }

    Maker u64(long value) {
      LONG.set(key, at, value);
      at += Long.BYTES;
      return this;
    }

    Maker rest(byte[] value) {
      System.arraycopy(value, 0, key, at, value.length);
      at += value.length;
      return this;
    }

    byte[] take() {
      return key;
    }
  }
}
