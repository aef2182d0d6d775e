package io.millrace.cli.fsck;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.millrace.core.api.BlockId;
import io.millrace.core.api.BlockStore.Kind;
import io.millrace.core.api.Errno;
import io.millrace.core.api.FsException;
import io.millrace.meta.audit.Finding;
import io.millrace.meta.row.Counters;
import io.millrace.meta.row.EntryRow;
import io.millrace.meta.row.ExtentRow;
import io.millrace.meta.row.GarbageRow;
import io.millrace.meta.row.InodeRow;
import io.millrace.meta.row.InodeState;
import io.millrace.meta.row.Keys;
import io.millrace.meta.row.RowWriter;
import io.millrace.proto.Extent;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.EnumSet;
import java.util.Set;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.rocksdb.RocksDBException;

/** Damages a store on purpose, row by row, and shows what fsck says and mends. */
class FsckTest {
  private static final byte[] FILE = "file".getBytes(StandardCharsets.US_ASCII);
  private static final byte[] SUB = "sub".getBytes(StandardCharsets.US_ASCII);

  @TempDir private Path directory;
  private DamagedStore store;

  @BeforeEach
  void make() {
    store = new DamagedStore(directory);
  }

  private Set<Finding.Kind> kinds(CheckReport report) {
    var kinds = EnumSet.noneOf(Finding.Kind.class);
    report.findings().forEach(each -> kinds.add(each.kind()));
    return kinds;
  }

  private void assertFoundAndMended(Finding.Kind... expected) {
    try (var check = new StoreCheck(directory)) {
      var report = check.check(true);
      assertTrue(kinds(report).containsAll(Set.of(expected)), report.findings().toString());
      var after = check.repair(true);
      assertEquals(java.util.List.of(), after.findings());
    }
  }

  private CheckReport assertFoundAndRefused(Finding.Kind expected) {
    try (var check = new StoreCheck(directory)) {
      var found = check.check(true);
      assertTrue(kinds(found).contains(expected), found.findings().toString());
      var after = check.repair(true);
      assertTrue(kinds(after).contains(expected), after.findings().toString());
      after.findings().forEach(each -> assertFalse(each.detail().isEmpty()));
      return after;
    }
  }

  @Test
  void wholeStoreHasNoFindings() {
    try (var check = new StoreCheck(directory)) {
      var report = check.check(true);
      assertEquals(java.util.List.of(), report.findings());
      assertEquals(store.inodes, report.inodes);
      assertEquals(store.blocksInUse, report.blocks);
      assertEquals(0, report.reclaimableBlocks);
    }
  }

  @Test
  void refusesAStoreInUseAndADirectoryThatIsNone(@TempDir Path empty) {
    try (var _ = new StoreCheck(directory)) {
      var busy = assertThrows(FsException.class, () -> new StoreCheck(directory));
      assertEquals(Errno.EBUSY, busy.errno());
    }
    var none = assertThrows(FsException.class, () -> new StoreCheck(empty));
    assertEquals(Errno.ENOENT, none.errno());
    assertFalse(Files.exists(empty.resolve("blocks")));
  }

  @Test
  void wrongCountsAreSetRight() throws RocksDBException {
    store.damage(
        db -> {
          InodeState dir = InodeRow.decode(store.dir, db.get(Keys.inode(store.dir)));
          dir.children = 7;
          dir.subdirs = 9;
          dir.nextCookie = 1;
          db.put(Keys.inode(store.dir), InodeRow.standalone(dir));
          InodeState linked = InodeRow.decode(store.linked, db.get(Keys.inode(store.linked)));
          linked.nlink = 5;
          db.put(Keys.inode(store.linked), InodeRow.standalone(linked));
          Counters counters = Counters.decode(db.get(Keys.counters()));
          counters.inodes = 1;
          counters.lastInode = 2;
          counters.lastSession = 0;
          db.put(Keys.counters(), counters.encode());
        });
    assertFoundAndMended(
        Finding.Kind.CHILD_COUNT,
        Finding.Kind.COOKIE_SEQUENCE,
        Finding.Kind.NLINK,
        Finding.Kind.COUNTER);
    assertEquals(2, store.inode(store.linked).getNlink());
    assertEquals(store.lastInode, store.counters().lastInode);
  }

  @Test
  void lostIndexRowsAreMadeAgain() throws RocksDBException {
    store.damage(
        db -> {
          db.delete(Keys.inode(store.file));
          db.delete(Keys.cookie(store.dir, store.cookieOf(db, store.dir, SUB)));
          db.put(Keys.cookie(store.dir, 1000), FILE);
          db.delete(Keys.name(store.linked, 1, "other".getBytes(StandardCharsets.US_ASCII)));
        });
    assertFoundAndMended(
        Finding.Kind.ENTRY_WITHOUT_INODE,
        Finding.Kind.ENTRY_WITHOUT_COOKIE,
        Finding.Kind.COOKIE_WITHOUT_ENTRY,
        Finding.Kind.ENTRY_NOT_KNOWN_TO_INODE);
    assertEquals(store.file, store.resolve("/dir/file").orElseThrow().getIno());
  }

  @Test
  void whatHasNoNameGetsOne() throws RocksDBException {
    store.damage(
        db -> {
          db.delete(Keys.entry(store.dir, SUB));
          db.delete(Keys.name(store.linked, 1, "other".getBytes(StandardCharsets.US_ASCII)));
          db.delete(Keys.name(store.linked, 1, "linked".getBytes(StandardCharsets.US_ASCII)));
          db.delete(Keys.entry(1, "other".getBytes(StandardCharsets.US_ASCII)));
          db.delete(Keys.entry(1, "linked".getBytes(StandardCharsets.US_ASCII)));
        });
    assertFoundAndMended(Finding.Kind.UNREACHABLE, Finding.Kind.CHILD_COUNT);
    String found = "/lost+found/#" + Long.toHexString(store.sub);
    assertEquals(store.sub, store.resolve(found).orElseThrow().getIno());
    assertTrue(store.resolve(found + "/inner").isPresent());
    assertTrue(store.resolve("/lost+found/#" + Long.toHexString(store.linked)).isPresent());
  }

  @Test
  void aLoopOfDirectoriesIsCutAndFound() throws RocksDBException {
    store.damage(
        db -> {
          InodeState dir = InodeRow.decode(store.dir, db.get(Keys.inode(store.dir)));
          db.delete(Keys.entry(1, dir.name));
          db.delete(Keys.cookie(1, dir.cookie));
          InodeState sub = InodeRow.decode(store.sub, db.get(Keys.inode(store.sub)));
          dir.parent = store.sub;
          dir.cookie = sub.nextCookie++;
          sub.children++;
          sub.subdirs++;
          db.put(Keys.inode(store.dir), InodeRow.standalone(dir));
          db.put(Keys.inode(store.sub), InodeRow.standalone(sub));
          db.put(Keys.entry(store.sub, dir.name), EntryRow.reference(dir.cookie, store.dir));
          db.put(Keys.cookie(store.sub, dir.cookie), dir.name);
        });
    assertFoundAndMended(Finding.Kind.UNREACHABLE);
    String found = "/lost+found/#" + Long.toHexString(Math.min(store.dir, store.sub));
    assertTrue(store.resolve(found).isPresent());
  }

  @Test
  void rowsOfNothingGo() throws RocksDBException {
    long nobody = 4711;
    store.damage(
        db -> {
          var extent = Extent.newBuilder().setLength(5).setVersion(9).build();
          db.put(Keys.extent(nobody, 0), ExtentRow.byFile(extent));
          db.put(Keys.stream(nobody, 9, 0), ExtentRow.byStream(extent));
          db.put(Keys.xattr(nobody, FILE), new byte[] {1, 2});
          db.put(Keys.target(nobody), FILE);
          db.put(Keys.orphan(nobody), new RowWriter().u8(1).u64(5).take());
          db.put(Keys.name(nobody, 1, FILE), new byte[0]);
          Counters counters = Counters.decode(db.get(Keys.counters()));
          counters.lastInode = 5000;
          db.put(Keys.counters(), counters.encode());
        });
    assertFoundAndMended(
        Finding.Kind.ROW_WITHOUT_INODE, Finding.Kind.ORPHAN_ROW, Finding.Kind.NAME_WITHOUT_ENTRY);
  }

  @Test
  void extentsAreIndexedAgainAndContradictionsRefused() throws RocksDBException {
    store.damage(db -> db.delete(Keys.stream(store.pieces, store.version(2), 0)));
    assertFoundAndMended(Finding.Kind.EXTENT_INDEX);
    store.damage(
        db -> {
          var extent =
              Extent.newBuilder()
                  .setFileOffset(10)
                  .setLength(1L << 40)
                  .setVersion(store.version(2))
                  .build();
          db.put(Keys.extent(store.pieces, 10), ExtentRow.byFile(extent));
        });
    var kinds = kinds(assertFoundAndRefused(Finding.Kind.EXTENT_OVERLAP));
    assertTrue(kinds.contains(Finding.Kind.EXTENT_BEYOND_SIZE));
  }

  @Test
  void garbageThatAFileShowsIsTakenOffTheList() throws RocksDBException {
    store.damage(
        db -> db.put(Keys.garbage(99), GarbageRow.wholeVersion(store.file, store.version(1))));
    assertFoundAndMended(Finding.Kind.GARBAGE_IN_USE);
  }

  @Test
  void lostContentIsSaidNotGuessed() {
    store.blocks(blocks -> blocks.drop(blocks.blocksOf(store.file, store.version(1))));
    assertFoundAndRefused(Finding.Kind.CONTENT_MISSING);
  }

  @Test
  void theOnlyCopyMustNotBeDroppable() {
    var id = new BlockId(store.file, store.version(1), 0);
    store.blocks(blocks -> blocks.setKind(java.util.List.of(id), Kind.CLEAN));
    assertFoundAndMended(Finding.Kind.CONTENT_DROPPABLE);
  }

  @Test
  void damagedContentIsFoundByReadingIt() throws java.io.IOException {
    Path segment;
    try (var files = Files.list(directory.resolve("blocks").resolve("segments"))) {
      segment = files.filter(each -> size(each) > 0).findFirst().orElseThrow();
    }
    try (var channel = java.nio.channels.FileChannel.open(segment, StandardOpenOption.WRITE)) {
      channel.write(java.nio.ByteBuffer.wrap(new byte[] {77}), 64 + 3);
    }
    try (var check = new StoreCheck(directory)) {
      assertEquals(java.util.List.of(), check.check(false).findings());
    }
    assertFoundAndRefused(Finding.Kind.CONTENT_DAMAGED);
  }

  private static long size(Path file) {
    return file.toFile().length();
  }

  @Test
  void blocksThatNobodyNeedsAreCountedAndDropped() {
    store.putBlock(new BlockId(store.file, store.version(77), 0)); // a session that has ended
    store.putBlock(new BlockId(999_999, store.version(1), 0)); // no such inode
    store.putBlock(new BlockId(store.file, 5, 0)); // of no session: no collector takes it
    try (var check = new StoreCheck(directory)) {
      var report = check.check(false);
      assertEquals(Set.of(Finding.Kind.BLOCK_LEAKED), kinds(report));
      assertEquals(2, report.reclaimableBlocks);
      var after = check.repair(false);
      assertTrue(after.clean());
      assertEquals(0, after.reclaimableBlocks);
      assertEquals(store.blocksInUse, after.blocks);
    }
  }

  @Test
  void blocksOfALiveSessionAreLeftToIt() {
    store.openSession();
    store.putBlock(new BlockId(store.file, store.version(1), 9));
    try (var check = new StoreCheck(directory)) {
      assertEquals(1, check.check(false).reclaimableBlocks);
      assertEquals(1, check.repair(false).reclaimableBlocks);
    }
  }

  @Test
  void unreadableRowsAreNamedAndLeft() throws RocksDBException {
    store.damage(
        db -> {
          db.put(Keys.entry(store.dir, FILE), new byte[] {0x7f, 1});
          db.put(new byte[] {'Z', 1}, new byte[] {1});
        });
    var kinds = kinds(assertFoundAndRefused(Finding.Kind.DAMAGED_ROW));
    assertTrue(kinds.contains(Finding.Kind.UNKNOWN_ROW));
  }
}
