package io.millrace.meta.tree;

import io.millrace.meta.row.Keys;
import io.millrace.meta.row.MessageRow;
import io.millrace.meta.store.Rows;
import io.millrace.proto.LinkRecord;
import java.util.Collections;
import java.util.Map;
import java.util.TreeMap;

/**
 * The links that exist. An inode whose link is not among them belongs to none: so a link of a
 * million files is removed in one step. Immutable.
 */
public record Links(Map<Integer, LinkRecord> byId) {

  public static Links load(Rows rows) {
    var links = new TreeMap<Integer, LinkRecord>();
    try (Rows.Cursor row = rows.scan(Keys.links(), Keys.after(Keys.links()))) {
      while (row.next()) {
        LinkRecord link = MessageRow.decode(row.value(), LinkRecord.parser());
        links.put(link.getId(), link);
      }
    }
    return new Links(Collections.unmodifiableMap(links));
  }

  /** Null for none. */
  public LinkRecord get(int id) {
    return byId.get(id);
  }

  public Links with(LinkRecord link) {
    var more = new TreeMap<>(byId);
    more.put(link.getId(), link);
    return new Links(Collections.unmodifiableMap(more));
  }

  public Links without(int id) {
    var fewer = new TreeMap<>(byId);
    fewer.remove(id);
    return new Links(Collections.unmodifiableMap(fewer));
  }
}
