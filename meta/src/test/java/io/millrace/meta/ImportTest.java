package io.millrace.meta;

import static io.millrace.meta.NamespaceFixture.ROOT;
import static io.millrace.meta.NamespaceFixture.bytes;
import static io.millrace.meta.NamespaceFixture.entry;
import static io.millrace.meta.NamespaceFixture.extent;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.millrace.proto.ChangeKind;
import io.millrace.proto.ContentClass;
import io.millrace.proto.ImportBatch;
import io.millrace.proto.ImportDirectory;
import io.millrace.proto.ImportResult;
import io.millrace.proto.Inode;
import io.millrace.proto.RemoveLink;
import io.millrace.proto.ResolveChange;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Rules of import (semantics.md). */
class ImportTest {
  private static final String E1 = NamespaceFixture.etag("1");
  private static final String E2 = NamespaceFixture.etag("2");
  @TempDir Path directory;
  private NamespaceFixture fs;
  private long root;
  private int link;

  @BeforeEach
  void open() {
    fs = new NamespaceFixture(directory.resolve("meta"));
    root = fs.dir(ROOT, "data");
    link = fs.link(root);
  }

  @AfterEach
  void close() {
    fs.close();
  }

  private static ImportDirectory.Builder child(int parent, String name) {
    return ImportDirectory.newBuilder().setParent(parent).setName(bytes(name));
  }

  private ImportBatch.Builder batch() {
    return ImportBatch.newBuilder()
        .setLink(link)
        .addDirectories(ImportDirectory.newBuilder().setIno(root));
  }

  private static List<String> conflicts(ImportResult result) {
    return result.getConflictsList().stream()
        .map(c -> c.getName().toStringUtf8() + " " + c.getCode())
        .toList();
  }

  @Test
  void S01_newObjectsBecomeCleanFiles() {
    ImportResult result =
        fs.imported(
            batch()
                .addDirectories(child(0, "d").addEntries(entry("f", E1, 10)))
                .addDirectories(child(1, "e").addEntries(entry("g", E1 + "-3", 0))));
    assertEquals(2, result.getFilesCreated());
    assertEquals(List.of(false, true, true), result.getCreatedList());
    Inode file = fs.at("/data/d/f");
    assertEquals(0100644, file.getMode());
    assertEquals(10, file.getSize());
    assertEquals(ContentClass.CLEAN, file.getContentClass());
    assertEquals(bytes(E1), file.getObject().getEtag());
    assertEquals(file.getVersion(), file.getObject().getStream());
    assertEquals(bytes(E1 + "-3"), fs.at("/data/d/e/g").getObject().getEtag());
    assertEquals("p/d/e/g", fs.key(fs.at("/data/d/e/g").getIno()));
    assertEquals(0, fs.namespace.pendingChanges(link));
    assertEquals(extent(0, 10, 1, 0), fs.namespace.extents(file.getIno(), 0, 99).getFirst());
  }

  @Test
  void S02_unchangedListingWritesNothing() {
    fs.importInto(link, root, entry("a", E1, 10), entry("b", E2, 5));
    Inode before = fs.at("/data/a");
    Inode rootBefore = fs.inode(root);
    ImportResult again = fs.importInto(link, root, entry("a", E1, 10), entry("b", E2, 5));
    assertEquals(2, again.getFilesUnchanged());
    assertEquals(0, again.getFilesCreated());
    assertEquals(before, fs.at("/data/a"));
    assertEquals(rootBefore, fs.inode(root));
  }

  @Test
  void H01_S03_changedObjectIsANewInodeUnderTheSameName() {
    fs.importInto(link, root, entry("a", E1, 10));
    long old = fs.at("/data/a").getIno();
    ImportResult result = fs.importInto(link, root, entry("a", E2, 11));
    assertEquals(1, result.getFilesReplaced());
    assertEquals(old, result.getReplaced(0).getIno());
    assertEquals(bytes("a"), result.getReplaced(0).getName());
    assertNotEquals(old, fs.at("/data/a").getIno());
    assertEquals(bytes(E2), fs.at("/data/a").getObject().getEtag());
    assertEquals(bytes(E1), fs.inode(old).getObject().getEtag());
    assertEquals("p/a", fs.key(old));
    assertEquals(List.of(old), fs.namespace.orphans());
    assertEquals(1, fs.inode(root).getChildren());
  }

  @Test
  void S04_dirtyFileIsAConflictAndStaysAsItIs() {
    fs.importInto(link, root, entry("a", E1, 10));
    long file = fs.at("/data/a").getIno();
    fs.ok(fs.committing(file, extent(0, 20, 1L << 32, 0)));
    fs.file(root, "own");
    Inode before = fs.inode(file);
    ImportResult result = fs.importInto(link, root, entry("a", E2, 11), entry("own", E1, 1));
    assertEquals(List.of("a DIRTY", "own DIRTY"), conflicts(result));
    assertEquals(before, fs.inode(file));
    assertEquals(1, fs.importInto(link, root, entry("a", E1, 10)).getFilesUnchanged());
  }

  @Test
  void S08_deletedFileIsNotResurrected() {
    fs.importInto(link, root, entry("a", E1, 10), entry("b", E1, 10));
    fs.ok(fs.unlinking(root, "a", false));
    assertTrue(fs.namespace.tombstone(link, "p/a"));
    var change = fs.namespace.changes(link, 0, 10).getFirst();
    assertEquals(ChangeKind.CHANGE_DELETED, change.getKind());
    assertEquals("p/a", change.getKey());
    assertEquals(bytes(E1), change.getObject().getEtag());
    ImportResult result = fs.importInto(link, root, entry("a", E1, 10), entry("b", E1, 10));
    assertEquals(List.of("a TOMBSTONE"), conflicts(result));
    ResolveChange.Builder resolve =
        ResolveChange.newBuilder().setLink(link).setSeq(change.getSeq());
    fs.ok(fs.command().setResolveChange(resolve.clone().setKeepTombstone(true)));
    assertEquals(0, fs.namespace.pendingChanges(link));
    assertEquals(List.of("a TOMBSTONE"), conflicts(fs.importInto(link, root, entry("a", E1, 10))));
    ImportBatch.Builder restoring =
        ImportBatch.newBuilder()
            .setLink(link)
            .setRestoreDeleted(true)
            .addDirectories(
                ImportDirectory.newBuilder().setIno(root).addEntries(entry("a", E1, 10)));
    assertEquals(1, fs.imported(restoring).getFilesCreated());
    fs.ok(fs.unlinking(root, "b", false));
    long seq = fs.namespace.changes(link, 0, 10).getLast().getSeq();
    fs.ok(fs.command().setResolveChange(resolve.setSeq(seq)));
    assertEquals(1, fs.importInto(link, root, entry("b", E1, 10)).getFilesCreated());
  }

  @Test
  void S11_directoryWinsTheName() {
    fs.importInto(link, root, entry("a", E1, 10));
    long file = fs.at("/data/a").getIno();
    ImportResult result =
        fs.imported(batch().addDirectories(child(0, "a").addEntries(entry("b", E1, 1))));
    assertEquals(List.of("a TYPE"), conflicts(result));
    assertEquals(file, fs.at("/data/a.__object__").getIno());
    assertEquals("p/a", fs.key(file));
    assertEquals("p/a", fs.namespace.targetKey(file));
    assertEquals("p/a/b", fs.key(fs.at("/data/a/b").getIno()));
    ImportResult again = fs.importInto(link, root, entry("a", E1, 10));
    assertEquals(1, again.getFilesUnchanged());
    assertEquals(0, fs.namespace.pendingChanges(link));
  }

  @Test
  void S12_namesThatCannotBeAreReported() {
    ImportResult result =
        fs.imported(
            batch()
                .addDirectories(child(0, "..").addEntries(entry("x", E1, 1)))
                .addDirectories(
                    child(0, "d")
                        .addEntries(entry(".", E1, 1))
                        .addEntries(entry("", E1, 1))
                        .addEntries(entry("n".repeat(256), E1, 1))
                        .addEntries(entry("fine", E1, 1))));
    assertEquals(1, result.getFilesCreated());
    assertEquals(4, result.getConflictsCount());
    assertEquals(0, result.getDirectories(1));
  }

  @Test
  void unsortedAndDoubledNamesAreOneEntryEach() {
    ImportResult result =
        fs.importInto(link, root, entry("b", E1, 1), entry("a", E1, 1), entry("b", E1, 1));
    assertEquals(2, result.getFilesCreated());
    assertEquals(1, result.getFilesUnchanged());
    assertEquals(2, fs.inode(root).getChildren());
    assertEquals(List.of("a", "b"), fs.names(root));
  }

  @Test
  void S27_removedLinkLeavesOrdinaryFiles() {
    fs.importInto(link, root, entry("a", E1, 10));
    fs.ok(fs.unlinking(root, "a", false));
    fs.importInto(link, root, entry("b", E1, 10));
    fs.ok(fs.command().setRemoveLink(RemoveLink.newBuilder().setId(link)));
    Inode file = fs.at("/data/b");
    assertEquals(0, file.getLink());
    assertEquals(ContentClass.OWN, file.getContentClass());
    assertEquals(List.of(), fs.namespace.changes(link, 0, 10));
    assertEquals(List.of(), fs.namespace.links());
    fs.ok(fs.renaming(root, "b", ROOT, "out", 0));
    fs.reopen();
    assertEquals(0, fs.at("/out").getLink());
    assertEquals(link + 1, fs.link(root));
  }
}
