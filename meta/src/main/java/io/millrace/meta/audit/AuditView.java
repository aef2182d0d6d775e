package io.millrace.meta.audit;

import io.millrace.core.api.FsException;
import io.millrace.meta.row.InodeRow;
import io.millrace.meta.row.InodeState;
import io.millrace.meta.row.Keys;
import io.millrace.meta.row.RowReader;
import io.millrace.meta.store.Rows;
import io.millrace.meta.tree.Links;
import io.millrace.meta.tree.Quotas;
import io.millrace.meta.tree.Trashes;
import io.millrace.meta.tree.TreeReader;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import java.util.function.BiConsumer;
import java.util.function.Consumer;

/** What the parts of an audit share: the rows, and where findings go. One thread. */
final class AuditView {
  final Rows rows;
  final Links links;
  final Quotas quotas;
  final Trashes trashes;
  final TreeReader tree;
  private final Consumer<Finding> findings;

  AuditView(Rows rows, Consumer<Finding> findings) {
    this.rows = rows;
    this.findings = findings;
    links = Links.load(rows);
    quotas = Quotas.load(rows);
    trashes = Trashes.load(rows);
    tree = new TreeReader(rows, links, quotas);
  }

  /** All rows of a type, in order; one that can't be read is a finding. */
  void each(byte[] prefix, BiConsumer<byte[], byte[]> look) {
    try (Rows.Cursor row = rows.scan(prefix, Keys.after(prefix))) {
      while (row.next()) {
        byte[] key = row.key();
        try {
          look.accept(key, row.value());
        } catch (FsException | IllegalArgumentException | ArithmeticException e) {
          report(
              Finding.Kind.DAMAGED_ROW,
              0,
              HexFormat.of().formatHex(key) + ": " + e.getMessage() + "; what it held is lost",
              null);
        }
      }
    }
  }

  static long u64(byte[] key, int at) {
    return new RowReader(key, at).u64();
  }

  /** The inode row as it is: of a located one only where it is. Null: none, or not readable. */
  InodeState row(long ino) {
    byte[] value = rows.get(Keys.inode(ino));
    try {
      return value == null ? null : InodeRow.decode(ino, value);
    } catch (FsException e) {
      return null;
    }
  }

  /** The inode with its attributes; null: gone, or its rows contradict each other. */
  InodeState inode(long ino) {
    try {
      return tree.inode(ino);
    } catch (FsException e) {
      return null;
    }
  }

  void report(Finding.Kind kind, long ino, String detail, Finding.Repair repair) {
    findings.accept(new Finding(kind, ino, ino == 0 ? "" : path(ino), detail, repair));
  }

  private String path(long ino) {
    try {
      var text = new StringBuilder();
      for (byte[] name : tree.path(ino)) {
        text.append('/').append(text(name));
      }
      return text.isEmpty() ? "/" : text.toString();
    } catch (FsException e) {
      return "";
    }
  }

  static String text(byte[] name) {
    return new String(name, StandardCharsets.UTF_8);
  }
}
