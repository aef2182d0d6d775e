package io.millrace.link;

import com.google.protobuf.ByteString;
import io.millrace.proto.ImportDirectory;

/**
 * A directory on the path that an import is at. Owned by the import's thread. Its inode is known
 * once the batch that makes it was applied.
 */
final class ImportDirectoryNode {
  final ImportDirectoryNode parent;
  final String prefix;
  final ByteString name;

  /** Entries that were there before; {@code null} where nothing can have been. */
  final ListOrderCursor before;

  /** Its keys lie where a directory was renamed from: they are the renamed one's (H3). */
  final boolean movedAway;

  long ino;

  /** The batch that makes it where it is missing; {@code null} for one found in the namespace. */
  ImportBatchDraft madeIn;

  /** The last batch that names it, and its part of that. */
  ImportBatchDraft draft;

  int index;
  ImportDirectory.Builder part;

  private ImportDirectoryNode(
      ImportDirectoryNode parent,
      String prefix,
      ByteString name,
      long ino,
      ListOrderCursor before,
      boolean movedAway) {
    this.parent = parent;
    this.prefix = prefix;
    this.name = name;
    this.ino = ino;
    this.before = before;
    this.movedAway = movedAway;
  }

  static ImportDirectoryNode found(
      ImportDirectoryNode parent,
      String prefix,
      ByteString name,
      long ino,
      ListOrderCursor before) {
    return new ImportDirectoryNode(parent, prefix, name, ino, before, false);
  }

  static ImportDirectoryNode missing(ImportDirectoryNode parent, String prefix, ByteString name) {
    return new ImportDirectoryNode(parent, prefix, name, 0, null, false);
  }

  static ImportDirectoryNode moved(ImportDirectoryNode parent, String prefix, ByteString name) {
    return new ImportDirectoryNode(parent, prefix, name, 0, null, true);
  }
}
