package io.millrace.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.millrace.cli.fsck.DamagedStore;
import io.millrace.cli.fsck.StoreCheck;
import io.millrace.meta.row.Keys;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What {@code millrace fsck} says, and how it ends. */
class FsckCommandTest {
  @TempDir private Path directory;
  private DamagedStore store;
  private final StringWriter out = new StringWriter();

  @BeforeEach
  void make() {
    store = new DamagedStore(directory);
  }

  private int fsck(String... options) {
    var arguments = new java.util.ArrayList<>(java.util.List.of("fsck", "--dir"));
    arguments.add(directory.toString());
    arguments.addAll(java.util.List.of(options));
    out.getBuffer().setLength(0);
    return Main.commandLine()
        .setOut(new PrintWriter(out))
        .setErr(new PrintWriter(out, true))
        .execute(arguments.toArray(String[]::new));
  }

  @Test
  void saysWhatIsWrongAndMendsItWhenAsked() throws Exception {
    assertEquals(0, fsck(), out.toString());
    assertTrue(out.toString().contains("0 findings"), out.toString());
    store.damage(db -> db.delete(Keys.inode(store.file)));
    assertEquals(1, fsck(), out.toString());
    assertTrue(out.toString().contains("ENTRY_WITHOUT_INODE inode " + store.file), out.toString());
    assertEquals(0, fsck("--repair"), out.toString());
    assertTrue(out.toString().contains("found: ENTRY_WITHOUT_INODE"), out.toString());
    assertEquals(0, fsck("--deep", "--json"), out.toString());
    var document = new ObjectMapper().readTree(out.toString());
    assertEquals(0, document.get("findings").size());
    assertTrue(document.get("inodes").asLong() > 5);
  }

  @Test
  void refusesAStoreInUse() {
    try (var _ = new StoreCheck(directory)) {
      assertEquals(1, fsck());
    }
    assertTrue(out.toString().contains("a node runs on " + directory), out.toString());
  }

  @Test
  void refusesADirectoryWithoutAStore(@TempDir Path empty) {
    directory = empty;
    assertEquals(2, fsck());
    assertTrue(out.toString().contains("no store in " + empty), out.toString());
  }
}
