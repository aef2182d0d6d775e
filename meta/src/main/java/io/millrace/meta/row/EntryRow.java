package io.millrace.meta.row;

/**
 * Value of a directory entry: inline (the attributes of a file that has this one name) or a
 * reference to an inode row (H4). FORMATS.md, "Namespace".
 */
public final class EntryRow {
  private static final int INLINE = 0x11;
  private static final int REFERENCE = 0x12;

  private EntryRow() {}

  public static byte[] inline(InodeState file, RowWriter row) {
    row.u8(INLINE).varint(file.cookie).varint(file.ino);
    Attributes.write(row, file);
    return row.take();
  }

  public static byte[] reference(long cookie, long ino) {
    return new RowWriter(20).u8(REFERENCE).varint(cookie).varint(ino).take();
  }

  /** The inode as far as the entry tells: of a reference, its number and name only. */
  public static InodeState decode(byte[] value, long dir, byte[] name) {
    var row = new RowReader(value);
    var inode = new InodeState();
    inode.standalone = row.format(INLINE, REFERENCE) == REFERENCE;
    inode.parent = dir;
    inode.name = name;
    inode.cookie = row.varint();
    inode.ino = row.varint();
    if (!inode.standalone) {
      Attributes.read(row, inode);
    }
    return inode;
  }
}
