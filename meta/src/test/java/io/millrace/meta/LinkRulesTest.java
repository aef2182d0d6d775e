package io.millrace.meta;

import static io.millrace.meta.NamespaceFixture.ROOT;
import static io.millrace.meta.NamespaceFixture.bytes;
import static io.millrace.meta.NamespaceFixture.entry;
import static io.millrace.meta.NamespaceFixture.extent;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.millrace.core.api.Errno;
import io.millrace.proto.Change;
import io.millrace.proto.ChangeKind;
import io.millrace.proto.Command;
import io.millrace.proto.ContentClass;
import io.millrace.proto.ImportBatch;
import io.millrace.proto.ImportDirectory;
import io.millrace.proto.Inode;
import io.millrace.proto.MarkExported;
import io.millrace.proto.ResolveChange;
import io.millrace.proto.SetAttr;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What changes below a link leave in its queue, and what exports take out of it. */
class LinkRulesTest {
  private static final String E1 = NamespaceFixture.etag("1");
  private static final String E2 = NamespaceFixture.etag("2");
  private static final long V = 1L << 32;
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

  private List<Change> changes() {
    return fs.namespace.changes(link, 0, 100);
  }

  private List<String> rows() {
    return changes().stream().map(c -> c.getKind() + " " + c.getKey()).toList();
  }

  private long written(String name, long size) {
    long file = fs.file(root, name);
    fs.ok(fs.committing(file, extent(0, size, V, 0)));
    return file;
  }

  @Test
  void H15_writtenFileIsDirtyUntilItsExportWasVerified() {
    long file = written("a", 10);
    assertEquals(ContentClass.DIRTY, fs.inode(file).getContentClass());
    assertEquals(1, fs.namespace.pendingChanges(link));
    long first = changes().getFirst().getFirstNs();
    fs.ok(fs.committing(file, extent(10, 5, V, 10)));
    assertEquals(1, changes().size());
    assertEquals(first, changes().getFirst().getFirstNs());
    assertEquals(changes().getFirst(), fs.namespace.changeOf(file).orElseThrow());
    assertTrue(fs.exported(file, E1));
    Inode clean = fs.inode(file);
    assertEquals(ContentClass.CLEAN, clean.getContentClass());
    assertEquals(clean.getContentSeq(), clean.getExportedSeq());
    assertEquals(V, clean.getObject().getStream());
    assertEquals(List.of(), rows());
    assertTrue(fs.namespace.changeOf(file).isEmpty());
  }

  @Test
  void S19_fileChangedDuringItsUploadStaysDirty() {
    long file = written("a", 10);
    long seq = fs.inode(file).getContentSeq();
    fs.ok(fs.committing(file, extent(0, 4, V, 4L << 20)));
    MarkExported.Builder mark =
        MarkExported.newBuilder()
            .setIno(file)
            .setContentSeq(seq)
            .setObject(NamespaceFixture.object(E1, 10).toBuilder().setStream(V))
            .setKey("p/a");
    assertFalse(fs.ok(fs.command().setMarkExported(mark)).getExisted());
    Inode inode = fs.inode(file);
    assertEquals(ContentClass.DIRTY, inode.getContentClass());
    assertEquals(bytes(E1), inode.getObject().getEtag());
    assertEquals(1, changes().size());
  }

  @Test
  void S18_partsOfTheOldObjectMoveToTheNewOne() {
    fs.importInto(link, root, entry("a", E1, 100));
    long file = fs.at("/data/a").getIno();
    fs.ok(fs.committing(file, extent(10, 5, V, 0)));
    long seq = fs.inode(file).getContentSeq();
    fs.ok(fs.committing(file, extent(50, 5, V, 4L << 20)));
    long stream = 2L << 32;
    MarkExported.Builder mark =
        MarkExported.newBuilder()
            .setIno(file)
            .setContentSeq(seq)
            .setObject(NamespaceFixture.object(E2, 100).toBuilder().setStream(stream))
            .setKey("p/a");
    fs.ok(fs.command().setMarkExported(mark));
    assertEquals(
        List.of(
            extent(0, 10, stream, 0),
            extent(10, 5, V, 0),
            extent(15, 35, stream, 15),
            extent(50, 5, V, 4L << 20),
            extent(55, 45, stream, 55)),
        fs.namespace.extents(file, 0, 100));
    mark.setContentSeq(fs.inode(file).getContentSeq());
    mark.setObject(mark.getObject().toBuilder().setStream(3L << 32));
    assertTrue(fs.ok(fs.command().setMarkExported(mark)).getExisted());
    assertEquals(3L << 32, fs.inode(file).getVersion());
    assertEquals(List.of(extent(0, 100, 3L << 32, 0)), fs.namespace.extents(file, 0, 100));
    assertEquals(4, fs.namespace.garbage(10).size());
  }

  @Test
  void H03_S09_renamedFileKeepsItsOldKeyUntilExported() {
    fs.importInto(link, root, entry("a", E1, 10));
    long file = fs.at("/data/a").getIno();
    fs.ok(fs.renaming(root, "a", root, "b", 0));
    assertEquals("p/a", fs.key(file));
    assertEquals("p/b", fs.namespace.targetKey(file));
    assertEquals(List.of("CHANGE_CONTENT "), rows());
    assertEquals(ContentClass.CLEAN, fs.inode(file).getContentClass());
    assertEquals(
        "TOMBSTONE", fs.importInto(link, root, entry("a", E1, 10)).getConflicts(0).getCode());
    assertEquals(1, fs.importInto(link, root, entry("b", E2, 10)).getFilesUnchanged());
    assertTrue(fs.exported(file, E2));
    assertEquals("p/b", fs.key(file));
    assertEquals(0, fs.inode(file).getOrigin().size());
    assertEquals(List.of(), rows());
    assertFalse(fs.namespace.tombstone(link, "p/a"));
  }

  @Test
  void S09_renameAndBackIsNothing() {
    fs.importInto(link, root, entry("a", E1, 10));
    fs.ok(fs.renaming(root, "a", root, "b", 0));
    fs.ok(fs.renaming(root, "b", root, "a", 0));
    assertEquals(List.of(), rows());
    assertFalse(fs.namespace.tombstone(link, "p/a"));
    assertEquals(1, fs.importInto(link, root, entry("a", E1, 10)).getFilesUnchanged());
  }

  @Test
  void S09_fileRenamedBeforeItsFirstExportHasOneRow() {
    long file = written("a", 10);
    fs.ok(fs.renaming(root, "a", root, "b", 0));
    assertEquals(List.of("CHANGE_CONTENT "), rows());
    assertEquals("p/b", fs.namespace.targetKey(file));
    assertEquals("p/b", fs.key(file));
    assertFalse(fs.namespace.tombstone(link, "p/a"));
  }

  @Test
  void H03_S09_directoryRenameIsOneStep() {
    fs.imported(
        ImportBatch.newBuilder()
            .setLink(link)
            .addDirectories(ImportDirectory.newBuilder().setIno(root))
            .addDirectories(
                ImportDirectory.newBuilder().setName(bytes("d")).addEntries(entry("f", E1, 10))));
    long dir = fs.at("/data/d").getIno();
    long file = fs.at("/data/d/f").getIno();
    fs.ok(fs.renaming(root, "d", root, "e", 0));
    fs.ok(fs.renaming(root, "e", root, "g", 0));
    assertEquals(List.of("CHANGE_MOVED_DIR p/d/"), rows());
    assertEquals("p/d/f", fs.key(file));
    assertEquals("p/g/f", fs.namespace.targetKey(file));
    assertEquals("p/d/", fs.key(dir));
    assertTrue(fs.namespace.tombstone(link, "p/d/f"));
    assertTrue(fs.exported(file, E1));
    assertEquals("p/g/f", fs.key(file));
    long seq = changes().getLast().getSeq();
    fs.ok(fs.command().setResolveChange(ResolveChange.newBuilder().setLink(link).setSeq(seq)));
    assertEquals("p/g/", fs.key(dir));
    assertEquals("p/g/f", fs.key(file));
    assertFalse(fs.namespace.tombstone(link, "p/d/f"));
    assertEquals(List.of(), rows());
  }

  @Test
  void S05_newFileMovedOverAnExportedOneOverwritesItsObject() {
    fs.importInto(link, root, entry("a", E1, 10));
    long file = written("a.tmp", 20);
    fs.ok(fs.renaming(root, "a.tmp", root, "a", 0));
    assertEquals(bytes(E1), fs.inode(file).getObject().getEtag());
    assertEquals(0, fs.inode(file).getObject().getStream());
    assertEquals(List.of("CHANGE_CONTENT "), rows());
    assertTrue(fs.exported(file, E2));
    assertEquals(V, fs.inode(file).getObject().getStream());
    fs.ok(fs.unlinking(root, "a", false));
    long again = fs.file(root, "a");
    assertEquals(bytes(E2), fs.inode(again).getObject().getEtag());
    assertEquals(List.of("CHANGE_CONTENT "), rows());
    assertFalse(fs.namespace.tombstone(link, "p/a"));
  }

  @Test
  void H23_renameAcrossALinkIsRefused() {
    fs.importInto(link, root, entry("a", E1, 10));
    long file = fs.at("/data/a").getIno();
    assertEquals(Errno.EXDEV, fs.errno(fs.renaming(root, "a", ROOT, "a", 0)));
    assertEquals(Errno.EXDEV, fs.errno(fs.linking(file, ROOT, "a")));
    fs.file(ROOT, "out");
    assertEquals(Errno.EXDEV, fs.errno(fs.renaming(ROOT, "out", root, "in", 0)));
    fs.ok(fs.renaming(ROOT, "data", ROOT, "data2", 0)); // the root itself may move
    assertEquals("p/a", fs.key(file));
    fs.ok(fs.unlinking(root, "a", false));
    assertEquals(Errno.EBUSY, fs.errno(fs.removingDir(ROOT, "data2")));
  }

  @Test
  void S10_emptyDirectoriesAreExported() {
    long dir = fs.dir(root, "d");
    assertEquals(dir, changes().getFirst().getIno());
    assertTrue(fs.exported(dir, E1));
    assertEquals(List.of(), rows());
    fs.ok(fs.removingDir(root, "d"));
    assertEquals(List.of("CHANGE_DELETED p/d/"), rows());
  }

  @Test
  void S17_attributesOfAnExportedFileAreAChange() {
    fs.importInto(link, root, entry("a", E1, 10));
    long file = fs.at("/data/a").getIno();
    fs.ok(fs.command().setSetAttr(SetAttr.newBuilder().setIno(file).setMode(0600)));
    assertEquals(List.of("CHANGE_ATTR "), rows());
    assertEquals(ContentClass.CLEAN, fs.inode(file).getContentClass());
    fs.ok(fs.resizing(file, 5));
    assertEquals(List.of("CHANGE_CONTENT "), rows());
    assertEquals(ContentClass.DIRTY, fs.inode(file).getContentClass());
  }

  @Test
  void S14_hardLinkKeepsTheObjectItsContentIsIn() {
    fs.importInto(link, root, entry("a", E1, 10));
    long file = fs.at("/data/a").getIno();
    fs.ok(fs.linking(file, root, "b"));
    fs.ok(fs.unlinking(root, "a", false));
    assertEquals("p/a", fs.key(file));
    assertEquals("p/b", fs.namespace.targetKey(file));
    assertEquals(List.of("CHANGE_CONTENT "), rows());
  }

  @Test
  void S06_forgottenFileLeavesNothingInTheQueue() {
    fs.importInto(link, root, entry("a", E1, 10));
    var unlink = fs.unlinking(root, "a", false);
    fs.ok(unlink.setUnlink(unlink.getUnlink().toBuilder().setForget(true)));
    assertEquals(List.of(), rows());
    assertFalse(fs.namespace.tombstone(link, "p/a"));
  }

  /** The export that runs carries the mode from before; the next one must bring the new one. */
  @Test
  void S15_attributesThatChangeDuringAnExportAreNotForgotten() {
    long file = written("f", 10);
    long running = changes().getFirst().getSeq();
    fs.ok(fs.command().setSetAttr(SetAttr.newBuilder().setIno(file).setMode(0600)));
    fs.ok(exportDone(file, running));
    assertEquals(ContentClass.CLEAN, fs.inode(file).getContentClass());
    assertEquals(List.of(ChangeKind.CHANGE_ATTR), changes().stream().map(Change::getKind).toList());
    fs.ok(exportDone(file, changes().getFirst().getSeq()));
    assertEquals(List.of(), changes());
  }

  private Command.Builder exportDone(long file, long change) {
    Inode inode = fs.inode(file);
    return fs.command()
        .setMarkExported(
            MarkExported.newBuilder()
                .setIno(file)
                .setContentSeq(inode.getContentSeq())
                .setObject(
                    NamespaceFixture.object(E1, inode.getSize()).toBuilder()
                        .setStream(inode.getVersion()))
                .setKey(fs.namespace.targetKey(file))
                .setChange(change));
  }
}
