package io.millrace.meta;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.ByteString;
import io.millrace.core.api.Errno;
import io.millrace.core.api.FsException;
import io.millrace.proto.Command;
import io.millrace.proto.Inode;
import io.millrace.proto.PurgeTrash;
import io.millrace.proto.PutTrash;
import io.millrace.proto.QuotaStatus;
import io.millrace.proto.ReapOrphan;
import io.millrace.proto.RestoreTrash;
import io.millrace.proto.TrashRecord;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** After random operations each quota counts what a walk over the whole tree finds in it. */
class RandomQuotaTest {
  private static final int STEPS = 2000;
  private static final int STEPS_MAX = 40_000; // few seeds meet every refusal in the first steps
  private static final int CHECK_EVERY = 200;
  private static final int LOOK_EVERY = 20;
  private static final int NAMES = 6;
  @TempDir Path directory;

  @Test
  void countsEqualANaiveRecount() {
    long seed = Long.getLong("seed", System.nanoTime());
    try (var fs = new NamespaceFixture(directory.resolve("meta"))) {
      new Run(fs, new SplittableRandom(seed)).run();
    } catch (RuntimeException | AssertionError e) {
      throw new AssertionError("replay with -Dseed=" + seed, e);
    }
  }

  private static final class Run {
    private final NamespaceFixture fs;
    private final QuotaFixture quotas;
    private final SplittableRandom random;
    private final List<Long> dirs = new ArrayList<>(List.of(NamespaceFixture.ROOT));

    private int refused;
    private int crossed;
    private int restored;

    Run(NamespaceFixture fs, SplittableRandom random) {
      this.fs = fs;
      this.random = random;
      quotas = new QuotaFixture(fs);
    }

    void run() {
      for (int i = 1; i <= STEPS || (!metAll() && i <= STEPS_MAX); i++) {
        step();
        if (i % LOOK_EVERY == 0) {
          lookForDirs();
        }
        if (i % CHECK_EVERY == 0) {
          quotas.countAll();
          compare();
        }
      }
      assertEquals(List.of(), quotas.audit(false));
      String met = refused + " EDQUOT, " + crossed + " EXDEV, " + restored + " restored";
      assertTrue(metAll(), met);
    }

    private boolean metAll() {
      return refused > 0 && crossed > 0 && restored > 0;
    }

    private void step() {
      long dir = anyDir();
      String name = "n" + random.nextInt(NAMES);
      switch (random.nextInt(18)) {
        case 0, 1, 2 -> attempt(fs.creating(dir, name));
        case 3, 4 -> attempt(fs.makingDir(dir, name));
        case 5 -> attempt(fs.unlinking(dir, name, random.nextBoolean()));
        case 6 -> attempt(fs.removingDir(dir, name));
        case 7, 8 -> attempt(fs.renaming(dir, name, anyDir(), "n" + random.nextInt(NAMES), 0));
        case 9 -> attempt(fs.renaming(dir, name, anyDir(), "n" + random.nextInt(NAMES), 2));
        case 10 -> onFile(dir, name, this::link);
        case 11 -> onFile(dir, name, ino -> fs.resizing(ino, random.nextLong(300)));
        case 12 -> onFile(dir, name, this::append);
        case 13 -> reapSome();
        case 14 -> changeQuotas(dir);
        case 15 -> changeTrash(dir);
        case 16 -> restoreSome();
        default -> countSome();
      }
    }

    private Command.Builder append(long ino) {
      long size = fs.inode(ino).getSize();
      long length = 1 + random.nextLong(200);
      return fs.committing(ino, NamespaceFixture.extent(size, length, (1L << 32) + fs.now, 0));
    }

    private Command.Builder link(long ino) {
      return fs.linking(ino, anyDir(), "l" + random.nextInt(3));
    }

    private interface OnFile {
      Command.Builder command(long ino);
    }

    private void onFile(long dir, String name, OnFile op) {
      lookup(dir, name)
          .filter(inode -> (inode.getMode() & 0170000) == 0100000)
          .ifPresent(inode -> attempt(op.command(inode.getIno())));
    }

    private Optional<Inode> lookup(long dir, String name) {
      try {
        return fs.namespace.lookup(dir, ByteString.copyFromUtf8(name));
      } catch (FsException e) {
        return Optional.empty(); // the directory is gone
      }
    }

    private void attempt(Command.Builder command) {
      Errno errno = fs.errno(command);
      refused += errno == Errno.EDQUOT ? 1 : 0;
      crossed += errno == Errno.EXDEV ? 1 : 0;
    }

    private void reapSome() {
      for (long ino : fs.namespace.orphans()) {
        if (random.nextBoolean()) {
          fs.ok(fs.command().setReapOrphan(ReapOrphan.newBuilder().addIno(ino)));
        }
      }
    }

    private void changeQuotas(long dir) {
      List<QuotaStatus> all = fs.namespace.quotas();
      if (all.size() > 4 || (!all.isEmpty() && random.nextInt(4) == 0)) {
        quotas.remove(all.get(random.nextInt(all.size())).getQuota().getId());
      } else {
        attempt(quotas.putting(0, dir, random.nextInt(3) * 1500L, random.nextInt(3) * 12L));
      }
    }

    private void changeTrash(long dir) {
      if (random.nextInt(3) == 0) {
        purgeSome();
      } else {
        TrashRecord.Builder trash =
            TrashRecord.newBuilder().setRoot(dir).setKeepSeconds(1).setOff(random.nextInt(3) == 0);
        attempt(fs.command().setPutTrash(PutTrash.newBuilder().setTrash(trash)));
      }
      fs.now += random.nextInt(2) * 3_600_000_000_000L;
    }

    private void purgeSome() {
      for (TrashRecord trash : fs.namespace.trashes()) {
        attempt(
            fs.command()
                .setPurgeTrash(
                    PurgeTrash.newBuilder()
                        .setRoot(trash.getRoot())
                        .setBeforeNs(fs.now)
                        .setEntriesMax(1 + random.nextInt(4))));
      }
    }

    private void restoreSome() {
      walk(
          NamespaceFixture.ROOT,
          0,
          (parent, inode) -> {
            if (fs.namespace.trashed(inode.getIno()).isPresent() && random.nextInt(4) == 0) {
              var restore = RestoreTrash.newBuilder().setIno(inode.getIno());
              restored += fs.errno(fs.command().setRestoreTrash(restore)) == null ? 1 : 0;
            }
          },
          false);
    }

    private void countSome() {
      for (QuotaStatus status : fs.namespace.quotas()) {
        if (random.nextInt(3) == 0) {
          quotas.step(status.getQuota().getId(), 1 + random.nextInt(4));
        }
      }
      if (random.nextInt(20) == 0) {
        fs.reopen();
      }
    }

    /** It may be gone by now. */
    private long anyDir() {
      return dirs.get(random.nextInt(dirs.size()));
    }

    /** Rarely those of the trash, or a tree moved into it would be all that is left to work on. */
    private void lookForDirs() {
      boolean trashToo = random.nextInt(4) == 0;
      dirs.clear();
      dirs.add(NamespaceFixture.ROOT);
      fs.namespace.list(
          NamespaceFixture.ROOT,
          ByteString.EMPTY,
          Integer.MAX_VALUE,
          top -> {
            if (isDir(top) && (trashToo || !isTrash(top))) {
              dirs.add(top.getIno());
              walk(top.getIno(), 1, (parent, inode) -> dirs.add(inode.getIno()), true);
            }
          });
    }

    private interface Visit {
      void see(Inode parent, Inode inode);
    }

    private void walk(long dir, int depth, Visit visit, boolean dirsOnly) {
      Inode parent = fs.inode(dir);
      var entries = new ArrayList<Inode>();
      fs.namespace.list(dir, ByteString.EMPTY, Integer.MAX_VALUE, entries::add);
      for (Inode inode : entries) {
        boolean isDir = isDir(inode);
        if (isDir || !dirsOnly) {
          visit.see(parent, inode);
        }
        if (isDir && depth < 40) {
          walk(inode.getIno(), depth + 1, visit, dirsOnly);
        }
      }
    }

    private void compare() {
      var roots = new HashMap<Long, QuotaStatus>();
      fs.namespace.quotas().forEach(q -> roots.put(q.getQuota().getRoot(), q));
      var counts = new HashMap<Integer, long[]>();
      Set<Long> seen = new HashSet<>();
      walk(
          NamespaceFixture.ROOT,
          0,
          (parent, inode) -> {
            int carried = holder(inode, roots);
            boolean trash = parent.getIno() == NamespaceFixture.ROOT && isTrash(inode);
            boolean several = !isDir(inode) && inode.getNlink() > 1; // counts where it did
            if (!several && !trash) {
              assertEquals(parent.getQuota(), carried, "inode " + inode.getIno());
            }
            if (seen.add(inode.getIno())) {
              add(counts, carried, inode);
            }
          },
          false);
      fs.namespace.orphans().forEach(ino -> add(counts, fs.inode(ino).getQuota(), fs.inode(ino)));
      for (QuotaStatus status : roots.values()) {
        long[] right = counts.getOrDefault(status.getQuota().getId(), new long[2]);
        assertEquals(right[0] + " bytes, " + right[1] + " files", text(status));
      }
    }

    private static boolean isDir(Inode inode) {
      return (inode.getMode() & 0170000) == 0040000;
    }

    private static boolean isTrash(Inode inode) {
      return inode.getName().toStringUtf8().equals(".trash");
    }

    private static String text(QuotaStatus status) {
      return status.getBytes() + " bytes, " + status.getFiles() + " files";
    }

    private static int holder(Inode inode, Map<Long, QuotaStatus> roots) {
      QuotaStatus own = roots.get(inode.getIno());
      return own == null ? inode.getQuota() : own.getQuota().getParent();
    }

    private void add(Map<Integer, long[]> counts, int quota, Inode inode) {
      int at = quota;
      while (at != 0) {
        long[] count = counts.computeIfAbsent(at, id -> new long[2]);
        count[0] += inode.getSize();
        count[1]++;
        at = fs.namespace.quota(at).orElseThrow().getQuota().getParent();
      }
    }
  }
}
