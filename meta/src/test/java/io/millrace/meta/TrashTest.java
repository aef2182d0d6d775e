package io.millrace.meta;

import static io.millrace.meta.NamespaceFixture.ROOT;
import static io.millrace.meta.NamespaceFixture.bytes;
import static io.millrace.meta.NamespaceFixture.entry;
import static io.millrace.meta.NamespaceFixture.etag;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.millrace.core.api.Errno;
import io.millrace.proto.Command;
import io.millrace.proto.CommandResult;
import io.millrace.proto.Inode;
import io.millrace.proto.PurgeTrash;
import io.millrace.proto.PutTrash;
import io.millrace.proto.RestoreTrash;
import io.millrace.proto.TrashRecord;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What the trash takes, gives back and lets go. */
class TrashTest {
  private static final long HOUR = 3_600_000_000_000L;
  @TempDir Path directory;
  private NamespaceFixture fs;
  private QuotaFixture quotas;
  private long dir;
  private String bin;

  @BeforeEach
  void open() {
    fs = new NamespaceFixture(directory.resolve("meta"));
    quotas = new QuotaFixture(fs);
    dir = fs.dir(ROOT, "d");
    bin = "/.trash/d-" + dir + "/2023-11-14-22/";
  }

  @AfterEach
  void close() {
    assertEquals(List.of(), quotas.audit(false));
    fs.close();
  }

  private void set(long root, boolean off) {
    fs.ok(
        fs.command()
            .setPutTrash(
                PutTrash.newBuilder()
                    .setTrash(
                        TrashRecord.newBuilder().setRoot(root).setKeepSeconds(60).setOff(off))));
  }

  private Command.Builder restoring(long ino) {
    return fs.command().setRestoreTrash(RestoreTrash.newBuilder().setIno(ino));
  }

  private CommandResult purge(long root, long before) {
    return fs.ok(
        fs.command()
            .setPurgeTrash(
                PurgeTrash.newBuilder().setRoot(root).setBeforeNs(before).setEntriesMax(2)));
  }

  private String place(long ino, String name) {
    return bin + ino + "-" + name;
  }

  @Test
  void lastNameGoesThereAndComesBackWhereItWas() {
    set(dir, false);
    long sub = fs.dir(dir, "sub");
    long file = quotas.written(sub, "f", 30);
    fs.ok(fs.linking(file, sub, "g"));
    fs.ok(fs.unlinking(sub, "g", false));
    assertFalse(fs.namespace.trashed(file).isPresent(), "it has another name");
    CommandResult unlinked = fs.ok(fs.unlinking(sub, "f", true));
    assertEquals(1, unlinked.getReplaced().getNlink());
    assertFalse(fs.exists("/d/sub/f"));
    assertEquals(file, fs.at(place(file, "f")).getIno());
    assertEquals(List.of(), fs.namespace.orphans());
    assertEquals(Errno.EBUSY, fs.errno(fs.renaming(ROOT, ".trash", ROOT, "x", 0)));
    fs.ok(fs.removingDir(dir, "sub"));
    fs.reopen();
    assertEquals(Errno.ENOENT, fs.errno(restoring(file)), "its directory is in the trash");
    fs.ok(restoring(sub));
    fs.ok(restoring(file));
    assertEquals(file, fs.at("/d/sub/f").getIno());
    assertEquals(30, fs.namespace.extents(file, 0, 30).getFirst().getLength());
    assertEquals(Errno.ENOENT, fs.errno(restoring(file)));
    assertTrue(fs.namespace.trashed(sub).isEmpty());
  }

  @Test
  void whatIsReplacedGoesThereToo() {
    set(dir, false);
    long old = fs.file(dir, "f");
    fs.file(dir, "new");
    fs.ok(fs.renaming(dir, "new", dir, "f", 0));
    assertEquals(old, fs.at(place(old, "f")).getIno());
    assertEquals(Errno.EEXIST, fs.errno(restoring(old)));
    long other = fs.dir(ROOT, "other");
    fs.ok(
        fs.command()
            .setRestoreTrash(
                RestoreTrash.newBuilder().setIno(old).setDir(other).setName(bytes("back"))));
    assertEquals(old, fs.at("/other/back").getIno());
  }

  @Test
  void nearestDirectoryAboveDecidesAlsoAfterItMoved() {
    long sub = fs.dir(dir, "sub");
    set(dir, false);
    long first = fs.file(sub, "f");
    fs.ok(fs.unlinking(sub, "f", false));
    assertTrue(fs.namespace.trashed(first).isPresent());
    fs.ok(fs.renaming(dir, "sub", ROOT, "sub", 0));
    long second = fs.file(sub, "f");
    fs.ok(fs.unlinking(sub, "f", false));
    assertTrue(fs.namespace.trashed(second).isEmpty());
    fs.ok(fs.renaming(ROOT, "sub", dir, "sub", 0));
    set(dir, true);
    long third = fs.file(sub, "f");
    fs.ok(fs.unlinking(sub, "f", false));
    assertTrue(fs.namespace.trashed(third).isEmpty());
    assertTrue(fs.namespace.trashed(first).isPresent(), "what was kept stays its time");
  }

  @Test
  void aTrashOfYourOwnIsLeftAlone() {
    long own = fs.dir(ROOT, ".trash");
    var put = PutTrash.newBuilder().setTrash(TrashRecord.newBuilder().setRoot(dir));
    assertEquals(Errno.EEXIST, fs.errno(fs.command().setPutTrash(put)));
    assertEquals(List.of(), fs.namespace.trashes());
    fs.ok(fs.renaming(ROOT, ".trash", ROOT, "mine", 0));
    set(dir, false);
    assertEquals(own, fs.at("/mine").getIno());
  }

  @Test
  void whatLeftTheTrashWithItsDirectoryStaysWhereItIs() {
    set(dir, false);
    long sub = fs.dir(dir, "sub");
    fs.ok(fs.removingDir(dir, "sub"));
    long home = fs.at("/.trash/d-" + dir).getIno();
    fs.ok(fs.renaming(home, "2023-11-14-22", dir, "hour", 0));
    fs.ok(fs.renaming(ROOT, "d", fs.dir(ROOT, "e"), "d", 0));
    assertEquals(Errno.ENOENT, fs.errno(restoring(sub)), "it is not in the trash any more");
    assertEquals(sub, fs.at("/e/d/hour/" + sub + "-sub").getIno());
  }

  @Test
  void aDirectoryWithTrashThatIsMovedThereIsInTheTrash() {
    set(dir, false);
    long sub = fs.dir(dir, "sub");
    fs.ok(fs.removingDir(dir, "sub"));
    set(ROOT, false);
    long own = fs.dir(ROOT, "own");
    set(own, false);
    long in = fs.dir(own, "in");
    fs.ok(fs.renaming(ROOT, "own", fs.at(bin + sub + "-sub").getIno(), "own", 0));
    var into = RestoreTrash.newBuilder().setIno(sub).setDir(in).setName(bytes("sub"));
    assertEquals(Errno.ENOENT, fs.errno(fs.command().setRestoreTrash(into)), "a loop it would be");
    long file = fs.file(own, "f");
    fs.ok(fs.unlinking(own, "f", false));
    assertTrue(fs.namespace.trashed(file).isEmpty(), "what is deleted in the trash is gone");
  }

  @Test
  void purgeTakesWholeHoursAndTheOpenOnesLive() {
    set(dir, false);
    for (int i = 0; i < 5; i++) {
      fs.file(dir, "f" + i);
      fs.ok(fs.unlinking(dir, "f" + i, false));
    }
    long emptied = fs.dir(dir, "s");
    fs.ok(fs.removingDir(dir, "s"));
    long before = fs.now;
    assertEquals(0, purge(dir, before).getPurgedCount(), "its hour has not passed");
    fs.now += HOUR;
    long young = fs.file(dir, "young");
    fs.ok(fs.unlinking(dir, "young", false));
    assertTrue(purge(dir, before + HOUR).getExisted());
    while (purge(dir, before + HOUR).getExisted()) {
      fs.now++;
    }
    assertEquals(
        5, fs.namespace.orphans().size(), "until the node knows that nobody has them open");
    assertTrue(fs.namespace.trashed(young).isPresent());
    assertTrue(fs.namespace.trashed(emptied).isEmpty());
    set(dir, true);
    while (purge(dir, before + 3 * HOUR).getExisted()) {
      fs.now++;
    }
    assertEquals(List.of(), fs.namespace.trashes());
    assertEquals(List.of(), fs.names(fs.at("/.trash").getIno()));
  }

  @Test
  void deletedInTheTrashIsGone() {
    set(ROOT, false);
    long file = fs.file(dir, "f");
    fs.ok(fs.unlinking(dir, "f", false));
    Inode kept = fs.inode(file);
    fs.ok(fs.unlinking(kept.getParent(), kept.getName().toStringUtf8(), false));
    assertTrue(fs.namespace.trashed(file).isEmpty());
    assertEquals(Errno.ESTALE, fs.errno(fs.resizing(file, 0)));
    long moved = fs.file(dir, "g");
    fs.ok(fs.unlinking(dir, "g", false));
    Inode there = fs.inode(moved);
    fs.ok(fs.renaming(there.getParent(), there.getName().toStringUtf8(), dir, "g", 0));
    assertTrue(fs.namespace.trashed(moved).isEmpty());
  }

  @Test
  void trashCountsInNoQuotaAndComingBackDoes() {
    set(dir, false);
    int all = quotas.set(ROOT, 0, 0);
    quotas.countAll();
    int quota = quotas.set(dir, 100, 0);
    long file = quotas.written(dir, "f", 80);
    fs.ok(fs.unlinking(dir, "f", false));
    assertEquals("0 bytes, 0 files", quotas.count(quota));
    assertEquals("0 bytes, 1 files", quotas.count(all));
    quotas.written(dir, "g", 30);
    assertEquals(Errno.EDQUOT, fs.errno(restoring(file)));
    fs.ok(fs.resizing(fs.at("/d/g").getIno(), 20));
    fs.ok(restoring(file));
    assertEquals("100 bytes, 2 files", quotas.count(quota));
    assertEquals(Errno.EINVAL, fs.errno(quotas.putting(0, fs.at("/.trash").getIno(), 1, 1)));
  }

  @Test
  void S08_whatABucketHasIsDeletedThereToo() {
    int link = fs.link(dir);
    set(dir, false);
    fs.importInto(link, dir, entry("cold", etag("a"), 60));
    long cold = fs.at("/d/cold").getIno();
    fs.ok(fs.unlinking(dir, "cold", false));
    assertTrue(fs.namespace.trashed(cold).isEmpty(), "the bucket has it, or versions of it");
    assertTrue(fs.namespace.tombstone(link, "p/cold"));
    long fresh = quotas.written(dir, "fresh", 10);
    assertEquals(2, fs.namespace.pendingChanges(link));
    fs.ok(fs.unlinking(dir, "fresh", false));
    assertEquals(1, fs.namespace.pendingChanges(link));
    assertEquals(0, fs.inode(fresh).getLink());
    fs.ok(restoring(fresh));
    assertEquals(link, fs.inode(fresh).getLink());
    assertEquals("p/fresh", fs.key(fresh));
    assertEquals(2, fs.namespace.pendingChanges(link));
  }

  @Test
  void directoryThatGoesLeavesItsTrash() {
    set(dir, false);
    long file = fs.file(dir, "f");
    fs.ok(fs.unlinking(dir, "f", false));
    fs.ok(fs.removingDir(ROOT, "d"));
    assertTrue(fs.namespace.trashes().getFirst().getOff());
    assertEquals(file, fs.at(place(file, "f")).getIno());
  }
}
