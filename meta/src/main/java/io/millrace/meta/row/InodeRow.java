package io.millrace.meta.row;

/**
 * Value of an inode row: where the entry with the attributes is, or the attributes themselves
 * (directories with their counters and place; files with several names; orphans). FORMATS.md,
 * "Namespace".
 */
public final class InodeRow {
  private static final int LOCATED = 0x11;
  private static final int DIRECTORY = 0x12;
  private static final int STANDALONE = 0x13;

  private InodeRow() {}

  public static byte[] located(long dir, byte[] name) {
    return new RowWriter(11 + name.length).u8(LOCATED).varint(dir).rest(name).take();
  }

  public static byte[] standalone(InodeState inode) {
    var row = new RowWriter();
    if (inode.isDirectory()) {
      row.u8(DIRECTORY)
          .varint(inode.parent)
          .bytes(inode.name)
          .varint(inode.cookie)
          .varint(inode.children)
          .varint(inode.subdirs)
          .varint(inode.nextCookie);
    } else {
      row.u8(STANDALONE);
    }
    Attributes.write(row, inode);
    return row.take();
  }

  /** Of a located one: number, parent and name only, and {@code standalone} is false. */
  public static InodeState decode(long ino, byte[] value) {
    var row = new RowReader(value);
    var inode = new InodeState();
    inode.ino = ino;
    int format = row.format(LOCATED, DIRECTORY, STANDALONE);
    if (format == LOCATED) {
      inode.parent = row.varint();
      inode.name = row.rest();
      return inode;
    }
    inode.standalone = true;
    if (format == DIRECTORY) {
      inode.parent = row.varint();
      inode.name = row.bytes();
      inode.cookie = row.varint();
      inode.children = row.varint();
      inode.subdirs = row.varint();
      inode.nextCookie = row.varint();
    }
    Attributes.read(row, inode);
    return inode;
  }
}
