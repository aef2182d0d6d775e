package io.millrace.meta.audit;

/**
 * Something in a store that breaks an invariant.
 *
 * @param ino 0: of no inode
 * @param path where it is, as far as names lead there
 * @param repair null: can't be repaired without guessing; {@code detail} says why
 */
public record Finding(Kind kind, long ino, String path, String detail, Repair repair) {

  /** Names are part of the JSON output: for ever. */
  public enum Kind {
    DAMAGED_ROW,
    UNKNOWN_ROW,
    ENTRY_IN_NO_DIRECTORY,
    ENTRY_WITHOUT_INODE,
    ENTRY_NOT_KNOWN_TO_INODE,
    ENTRY_WITHOUT_COOKIE,
    COOKIE_WITHOUT_ENTRY,
    COOKIE_SEQUENCE,
    CHILD_COUNT,
    INODE_WITHOUT_ENTRY,
    UNREACHABLE,
    NLINK,
    NAME_WITHOUT_ENTRY,
    ORPHAN_ROW,
    SYMLINK_TARGET,
    XATTR_FLAG,
    ROW_WITHOUT_INODE,
    EXTENT_OVERLAP,
    EXTENT_BEYOND_SIZE,
    EXTENT_INDEX,
    EXTENT_VERSION,
    REPLY_WITHOUT_SESSION,
    COUNTER,
    GARBAGE_IN_USE,
    LINK_ROOT,
    LINK_COUNT,
    CHANGE_ROW,
    QUOTA_ROOT,
    QUOTA_COUNT,
    QUOTA_MEMBER,
    TRASH_BIN,
    CONTENT_MISSING,
    CONTENT_SHORT,
    CONTENT_DROPPABLE,
    CONTENT_DAMAGED,
    BLOCK_LEAKED
  }

  /** Puts it right. */
  public interface Repair {
    void run(RepairDesk desk);
  }

  public boolean repairable() {
    return repair != null;
  }
}
