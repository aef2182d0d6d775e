package io.millrace.meta;

import static io.millrace.meta.NamespaceFixture.ROOT;
import static io.millrace.meta.NamespaceFixture.bytes;
import static io.millrace.meta.NamespaceFixture.entry;
import static io.millrace.meta.NamespaceFixture.etag;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.millrace.core.api.Errno;
import io.millrace.meta.audit.Finding;
import io.millrace.meta.row.Keys;
import io.millrace.meta.row.QuotaCount;
import io.millrace.meta.store.RocksStore;
import io.millrace.meta.store.RowBatch;
import io.millrace.meta.store.StoreConfig;
import io.millrace.proto.Create;
import io.millrace.proto.Fallocate;
import io.millrace.proto.OpenSession;
import io.millrace.proto.ReapOrphan;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What counts in a quota, what it refuses, and how it comes and goes. */
class QuotaTest {
  private static final long NONE = 0;
  @TempDir Path directory;
  private NamespaceFixture fs;
  private QuotaFixture quotas;
  private long dir;

  @BeforeEach
  void open() {
    fs = new NamespaceFixture(directory.resolve("meta"));
    quotas = new QuotaFixture(fs);
    dir = fs.dir(ROOT, "d");
  }

  @AfterEach
  void close() {
    assertEquals(List.of(), quotas.audit(false));
    fs.close();
  }

  @Test
  void everyChangeCounts() {
    int quota = quotas.set(dir, 1000, 5);
    assertFalse(quotas.of(quota).getQuota().getCounting());
    long sub = fs.dir(dir, "sub");
    long file = quotas.written(sub, "f", 400);
    assertEquals("400 bytes, 2 files", quotas.count(quota));
    assertNull(quotas.append(file, 600));
    assertEquals(Errno.EDQUOT, quotas.append(file, 1));
    assertEquals(1000, fs.inode(file).getSize());
    assertEquals(Errno.EDQUOT, fs.errno(fs.resizing(file, 1001)));
    assertEquals(Errno.EDQUOT, fs.errno(allocating(file, 1001)));
    fs.ok(fs.resizing(file, 10));
    assertEquals("10 bytes, 2 files", quotas.count(quota));
    fs.ok(allocating(file, 20));
    fs.ok(fs.linking(file, dir, "again"));
    assertEquals("20 bytes, 2 files", quotas.count(quota));
    fs.ok(fs.unlinking(dir, "again", false));
    fs.dir(dir, "b");
    fs.file(dir, "c");
    fs.file(dir, "e");
    assertEquals(Errno.EDQUOT, fs.errno(fs.creating(dir, "g")));
    assertEquals(Errno.EDQUOT, fs.errno(fs.makingDir(sub, "g")));
    fs.ok(fs.removingDir(dir, "b"));
    fs.ok(fs.unlinking(sub, "f", false));
    assertEquals("0 bytes, 3 files", quotas.count(quota));
    fs.reopen();
    assertEquals("0 bytes, 3 files", quotas.count(quota));
  }

  private io.millrace.proto.Command.Builder allocating(long ino, long length) {
    return fs.command().setFallocate(Fallocate.newBuilder().setIno(ino).setLength(length));
  }

  @Test
  void openFilesWithoutANameCountUntilTheyAreFreed() {
    int quota = quotas.set(dir, 1000, 0);
    long file = quotas.written(dir, "f", 700);
    fs.ok(fs.unlinking(dir, "f", true));
    assertEquals("700 bytes, 1 files", quotas.count(quota));
    assertEquals(Errno.EDQUOT, quotas.append(file, 301));
    assertNull(quotas.append(file, 300));
    fs.ok(fs.command().setReapOrphan(ReapOrphan.newBuilder().addIno(file)));
    assertEquals("0 bytes, 0 files", quotas.count(quota));
  }

  @Test
  void unnamedFileCountsWhereItIsMadeThenWhereItIsNamed() {
    long other = fs.dir(ROOT, "other");
    int quota = quotas.set(dir, NONE, 1);
    int second = quotas.set(other, NONE, 1);
    long session =
        fs.ok(fs.command().setOpenSession(OpenSession.getDefaultInstance())).getSession();
    var create = Create.newBuilder().setDir(dir).setMode(0100644).setUnnamed(true);
    long file =
        fs.ok(fs.command().setSession(session).setSequence(1).setCreate(create))
            .getInode()
            .getIno();
    assertEquals("0 bytes, 1 files", quotas.count(quota));
    fs.ok(fs.linking(file, other, "f"));
    assertEquals("0 bytes, 0 files", quotas.count(quota));
    assertEquals("0 bytes, 1 files", quotas.count(second));
  }

  @Test
  void H23_namesStayInTheirQuota() {
    long other = fs.dir(ROOT, "other");
    int quota = quotas.set(dir, NONE, NONE);
    long file = fs.file(dir, "f");
    fs.dir(dir, "s");
    long outside = fs.file(other, "o");
    assertEquals(Errno.EXDEV, fs.errno(fs.renaming(dir, "f", other, "f", 0)));
    assertEquals(Errno.EXDEV, fs.errno(fs.renaming(other, "o", dir, "o", 0)));
    assertEquals(Errno.EXDEV, fs.errno(fs.renaming(dir, "s", other, "s", 0)));
    assertEquals(Errno.EXDEV, fs.errno(fs.renaming(dir, "f", other, "o", 2)));
    assertEquals(Errno.EXDEV, fs.errno(fs.linking(file, other, "f")));
    assertEquals(Errno.EXDEV, fs.errno(fs.linking(outside, dir, "o")));
    fs.ok(fs.renaming(ROOT, "d", other, "d", 0)); // the root itself may move about outside
    assertEquals("0 bytes, 2 files", quotas.count(quota));
  }

  @Test
  void quotasInsideOneAnotherBothCount() {
    int outer = quotas.set(dir, 1000, 0);
    long sub = fs.dir(dir, "sub");
    int inner = quotas.set(sub, 500, 0);
    quotas.written(sub, "f", 400);
    quotas.written(dir, "g", 550);
    assertEquals("400 bytes, 1 files", quotas.count(inner));
    assertEquals("950 bytes, 3 files", quotas.count(outer));
    assertEquals(50, fs.namespace.quotaRoom(inner).orElseThrow());
    assertEquals(Errno.EDQUOT, quotas.append(fs.at("/d/sub/f").getIno(), 51));
    quotas.remove(inner);
    assertEquals("950 bytes, 3 files", quotas.count(outer));
    assertNull(quotas.append(fs.at("/d/sub/f").getIno(), 50));
    fs.ok(fs.renaming(sub, "f", dir, "f", 0));
    assertEquals("1000 bytes, 3 files", quotas.count(outer));
    quotas.remove(outer);
    assertNull(quotas.append(fs.at("/d/f").getIno(), 50));
    assertTrue(fs.namespace.quotas().isEmpty());
  }

  @Test
  void whatWasThereBeforeIsCountedInSteps() {
    long sub = fs.dir(dir, "sub");
    for (int i = 0; i < 10; i++) {
      quotas.written(i % 2 == 0 ? dir : sub, "f" + i, 10);
    }
    int inner = quotas.set(sub, NONE, NONE);
    quotas.step(inner, 3);
    int outer = quotas.set(dir, 100, 0);
    assertTrue(quotas.of(outer).getQuota().getCounting());
    assertTrue(quotas.step(outer, 2));
    fs.reopen();
    fs.ok(fs.renaming(dir, "f8", dir, "a", 0)); // behind the count's back
    quotas.countAll();
    assertFalse(quotas.of(outer).getQuota().getCounting());
    assertEquals("50 bytes, 5 files", quotas.count(inner));
    assertEquals("100 bytes, 11 files", quotas.count(outer));
    assertEquals(Errno.EDQUOT, quotas.append(fs.at("/d/a").getIno(), 1));
  }

  @Test
  void aRemovedQuotaLeavesItsCountToTheOneAround() {
    long sub = fs.dir(dir, "sub");
    long below = fs.dir(sub, "below");
    for (int i = 0; i < 6; i++) {
      quotas.written(i % 2 == 0 ? sub : below, "f" + i, 10);
    }
    int outer = quotas.set(ROOT, NONE, NONE);
    int middle = quotas.set(dir, NONE, NONE);
    int inner = quotas.set(sub, NONE, NONE);
    quotas.step(inner, 2);
    quotas.countAll(middle);
    quotas.countAll(outer);
    quotas.remove(inner);
    assertEquals(List.of(), quotas.audit(false));
    quotas.remove(middle);
    assertTrue(quotas.of(outer).getQuota().getCounting());
    assertEquals(List.of(), quotas.audit(false));
    quotas.countAll();
    assertEquals("60 bytes, 9 files", quotas.count(outer));
    assertEquals(outer, fs.at("/d/sub/below/f1").getQuota());
  }

  @Test
  void aQuotaRemovedWhileItCountsLeavesNothing() {
    long sub = fs.dir(dir, "sub");
    quotas.written(sub, "f", 10);
    int outer = quotas.set(dir, NONE, NONE);
    int inner = quotas.set(sub, NONE, NONE);
    quotas.countAll(outer);
    quotas.remove(inner);
    quotas.remove(outer);
    assertEquals(List.of(), quotas.audit(false));
    assertEquals(0, fs.at("/d/sub/f").getQuota());
    int again = quotas.set(dir, NONE, NONE);
    quotas.countAll();
    assertEquals("10 bytes, 2 files", quotas.count(again));
  }

  @Test
  void aFileCountsWhereItsLastNameIs() {
    long other = fs.dir(ROOT, "other");
    long left = quotas.written(dir, "f", 10);
    fs.ok(fs.linking(left, other, "f"));
    long stayed = quotas.written(dir, "g", 5);
    fs.ok(fs.linking(stayed, other, "g"));
    int quota = quotas.set(dir, NONE, NONE);
    quotas.countAll();
    fs.ok(fs.unlinking(dir, "f", false));
    fs.ok(fs.unlinking(other, "g", false));
    assertEquals("5 bytes, 1 files", quotas.count(quota));
    assertEquals(0, fs.inode(left).getQuota());
    assertEquals(List.of(), quotas.audit(false));
  }

  @Test
  void tenThousandQuotasAreTheLimit() {
    for (int i = 0; i < 10_000; i++) {
      quotas.set(fs.dir(dir, "q" + i), 0, 1);
    }
    long one = fs.dir(dir, "one");
    assertEquals(Errno.ENOSPC, fs.errno(quotas.putting(0, one, 0, 1)));
    quotas.remove(fs.at("/d/q0").getQuota());
    quotas.set(one, 0, 1);
  }

  @Test
  void quotaGoesWithItsDirectory() {
    int outer = quotas.set(ROOT, NONE, NONE);
    quotas.countAll();
    int quota = quotas.set(dir, NONE, NONE);
    long file = quotas.written(dir, "f", 9);
    fs.ok(fs.unlinking(dir, "f", true));
    fs.ok(fs.removingDir(ROOT, "d"));
    assertEquals(1, fs.namespace.quotas().size());
    assertEquals(outer, fs.namespace.quota(quota).orElseThrow().getQuota().getId());
    assertEquals("9 bytes, 1 files", quotas.count(outer));
    fs.ok(fs.command().setReapOrphan(ReapOrphan.newBuilder().addIno(file)));
    assertEquals("0 bytes, 0 files", quotas.count(outer));
  }

  @Test
  void limitsChangeAndMayLieBelowTheCount() {
    int quota = quotas.set(dir, 100, 0);
    long file = quotas.written(dir, "f", 100);
    fs.ok(quotas.putting(quota, dir, 50, 1));
    assertEquals(Errno.EDQUOT, quotas.append(file, 1));
    fs.ok(fs.resizing(file, 60));
    assertEquals(Errno.EDQUOT, quotas.append(file, 1));
    assertEquals(Errno.EDQUOT, fs.errno(fs.creating(dir, "g")));
    assertEquals(Errno.EEXIST, fs.errno(quotas.putting(0, dir, 1, 1)));
    fs.ok(quotas.putting(quota, dir, 0, 0));
    assertNull(quotas.append(file, 1 << 20));
  }

  @Test
  void importCountsAndStopsAtTheLimit() {
    int quota = quotas.set(dir, 100, 3);
    int link = fs.link(dir);
    var result =
        fs.importInto(
            link,
            dir,
            entry("a", etag("a"), 60),
            entry("b", etag("b"), 50),
            entry("c", etag("c"), 40),
            entry("e", etag("e"), 0),
            entry("f", etag("f"), 0));
    assertEquals(3, result.getFilesCreated());
    assertEquals(
        List.of("b QUOTA", "f QUOTA"),
        result.getConflictsList().stream()
            .map(c -> c.getName().toStringUtf8() + " " + c.getCode())
            .toList());
    assertEquals("100 bytes, 3 files", quotas.count(quota));
    var changed = fs.importInto(link, dir, entry("a", etag("a2"), 60), entry("c", etag("c2"), 41));
    assertEquals(1, changed.getFilesReplaced());
    assertEquals(bytes("c"), changed.getConflicts(0).getName());
    assertEquals("100 bytes, 3 files", quotas.count(quota));
  }

  @Test
  void fsckFindsAndRepairsAWrongCount() {
    int quota = quotas.set(dir, NONE, NONE);
    quotas.written(dir, "f", 5);
    fs.namespace.close();
    try (var store = new RocksStore(new StoreConfig(fs.directory, 8L << 20, 8L << 20))) {
      var batch = new RowBatch(store);
      batch.put(Keys.quotaUsage(quota), new QuotaCount(6, 9).encode());
      store.write(batch.serialized(), true);
    }
    fs.open();
    assertEquals(
        List.of(Finding.Kind.QUOTA_COUNT), quotas.audit(true).stream().map(Finding::kind).toList());
    assertEquals("5 bytes, 1 files", quotas.count(quota));
  }
}
