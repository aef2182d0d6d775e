package io.millrace.link;

import io.millrace.proto.Inode;
import io.millrace.proto.LinkRecord;
import java.util.Map;
import java.util.OptionalLong;

/**
 * What an export writes into the object's metadata to know its own write again when the reply was
 * lost (H20): it names the link, the inode and its content.
 */
record ExportId(String text) {
  static final String METADATA_KEY = "millrace-export";

  static ExportId of(LinkRecord link, Inode inode) {
    return new ExportId(owner(link, inode.getIno()) + Long.toHexString(inode.getContentSeq()));
  }

  /**
   * Whether this link wrote the object from this inode after the last export that it knows of: then
   * the reply was lost. An older one of ours is a change like any other: somebody has restored it.
   */
  static boolean unconfirmed(LinkRecord link, Inode inode, Map<String, String> metadata) {
    String text = metadata.getOrDefault(METADATA_KEY, "");
    String owner = owner(link, inode.getIno());
    if (!text.startsWith(owner)) {
      return false;
    }
    try {
      return Long.parseUnsignedLong(text.substring(owner.length()), 16) > inode.getExportedSeq();
    } catch (NumberFormatException e) {
      return false;
    }
  }

  /**
   * The inode that this link wrote the object from, whichever content; empty: somebody else did.
   */
  static OptionalLong writer(LinkRecord link, Map<String, String> metadata) {
    String[] parts = metadata.getOrDefault(METADATA_KEY, "").split("-", -1);
    if (parts.length != 3 || !parts[0].equals(Long.toHexString(link.getCreatedNs()))) {
      return OptionalLong.empty();
    }
    try {
      return OptionalLong.of(Long.parseUnsignedLong(parts[1], 16));
    } catch (NumberFormatException e) {
      return OptionalLong.empty();
    }
  }

  boolean in(Map<String, String> metadata) {
    return text.equals(metadata.get(METADATA_KEY));
  }

  private static String owner(LinkRecord link, long ino) {
    return Long.toHexString(link.getCreatedNs()) + "-" + Long.toHexString(ino) + "-";
  }
}
