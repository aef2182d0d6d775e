package io.millrace.link;

import io.millrace.proto.Inode;
import java.util.HashMap;
import java.util.Map;

/** A file's attributes as user metadata of its object (S15), as AWS DataSync and FSx write them. */
final class ObjectAttributes {
  static final String PERMISSIONS = "file-permissions";
  static final String OWNER = "file-owner";
  static final String GROUP = "file-group";
  static final String MTIME = "file-mtime";
  static final String ATIME = "file-atime";

  private ObjectAttributes() {}

  /** {@code kept} (S16) with this file's attributes over it. */
  static Map<String, String> over(Map<String, String> kept, Inode inode) {
    var metadata = new HashMap<String, String>(kept);
    metadata.put(PERMISSIONS, "0" + Integer.toOctalString(inode.getMode()));
    metadata.put(OWNER, Integer.toUnsignedString(inode.getUid()));
    metadata.put(GROUP, Integer.toUnsignedString(inode.getGid()));
    metadata.put(MTIME, inode.getMtimeNs() + "ns");
    metadata.put(ATIME, inode.getAtimeNs() + "ns");
    return metadata;
  }
}
