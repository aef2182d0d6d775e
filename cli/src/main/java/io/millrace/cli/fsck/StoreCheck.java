package io.millrace.cli.fsck;

import io.millrace.blocks.BlockStoreConfig;
import io.millrace.blocks.DiskBlockStore;
import io.millrace.core.api.BlockId;
import io.millrace.core.api.BlockStore.Kind;
import io.millrace.core.api.BlockStore.Stored;
import io.millrace.core.api.Errno;
import io.millrace.core.api.FsException;
import io.millrace.core.api.Namespace;
import io.millrace.core.api.Pinned;
import io.millrace.meta.audit.Finding;
import io.millrace.meta.audit.NamespaceAudit;
import io.millrace.meta.audit.NamespaceAudit.Content;
import io.millrace.proto.Garbage;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * Looks through a store that no node runs on: its namespace, its blocks, and one against the other.
 * Opening it recovers what a killed node left, as a node's start would; nothing else changes
 * without {@link #repair}. One thread.
 */
public final class StoreCheck implements AutoCloseable {
  private static final int STEP_BLOCKS = 1024;
  private static final int GARBAGE_MAX = 1 << 20;
  private static final int ROUNDS_MAX = 4;
  private static final long L1_BYTES = 8L << 20;
  private static final long BUFFER_BYTES = 4L * BlockId.MAX_BYTES;

  private final DiskBlockStore blocks;
  private final NamespaceAudit namespace;

  /**
   * @throws FsException ENOENT no store there; EBUSY a node runs on it; EIO
   */
  public StoreCheck(Path directory) {
    Path blockDirectory = directory.resolve("blocks");
    if (!Files.exists(blockDirectory.resolve("format"))) {
      throw new FsException(Errno.ENOENT, "no store here", "directory", directory);
    }
    long capacity = Math.max(1L << 40, directory.toFile().getTotalSpace());
    blocks =
        new DiskBlockStore(
            BlockStoreConfig.of(
                List.of(new BlockStoreConfig.Directory(blockDirectory, capacity)),
                L1_BYTES,
                BUFFER_BYTES),
            InstantSource.system());
    boolean opened = false;
    try {
      namespace = new NamespaceAudit(directory.resolve("meta-0000"));
      opened = true;
    } finally {
      if (!opened) {
        blocks.close();
      }
    }
  }

  /**
   * @param deep also reads every block and compares its checksum
   */
  public CheckReport check(boolean deep) {
    var report = new CheckReport();
    report.inodes = namespace.run(report::add, content -> content(content, report));
    allBlocks(report, deep, false);
    return report;
  }

  /**
   * Repairs what can be repaired without guessing, and drops what nobody needs; a repair may show
   * what it hid, so it looks again.
   *
   * @return what is left
   */
  public CheckReport repair(boolean deep) {
    CheckReport report = check(deep);
    for (int round = 0; round < ROUNDS_MAX; round++) {
      List<Finding> repairable = report.findings().stream().filter(Finding::repairable).toList();
      if (repairable.isEmpty()) {
        break;
      }
      namespace.repair(repairable);
      report = check(deep);
    }
    if (report.clean()) {
      allBlocks(report, false, true); // while a file's rows are wrong its blocks stay
      return check(false);
    }
    return report;
  }

  private void content(Content content, CheckReport report) {
    if (content.clean()) {
      return;
    }
    long from = content.extent().getStreamOffset();
    long to = from + content.extent().getLength();
    for (long at = from / BlockId.MAX_BYTES; at * BlockId.MAX_BYTES < to; at++) {
      var id = new BlockId(content.ino(), content.extent().getVersion(), Math.toIntExact(at));
      block(id, Math.min(to - at * BlockId.MAX_BYTES, BlockId.MAX_BYTES), report);
    }
  }

  /** A block that is the only copy of its bytes. */
  private void block(BlockId id, long wantedBytes, CheckReport report) {
    List<Stored> at = blocks.list(id, 1);
    if (at.isEmpty() || !at.getFirst().id().equals(id)) {
      report.add(finding(Finding.Kind.CONTENT_MISSING, id, "is not there: its bytes are lost"));
      return;
    }
    Stored stored = at.getFirst();
    if (stored.length() < wantedBytes) {
      String what = "has %d bytes, the file shows %d".formatted(stored.length(), wantedBytes);
      report.add(finding(Finding.Kind.CONTENT_SHORT, id, what));
    }
    if (stored.kind() != Kind.DIRTY) {
      report.add(
          new Finding(
              Finding.Kind.CONTENT_DROPPABLE,
              id.ino(),
              "",
              named(id) + " is the only copy and marked as the bucket's",
              desk -> blocks.setKind(List.of(id), Kind.DIRTY)));
    }
  }

  private static Finding finding(Finding.Kind kind, BlockId id, String what) {
    return new Finding(kind, id.ino(), "", named(id) + " " + what, null);
  }

  private static String named(BlockId id) {
    return "block " + id.index() + " of version " + id.version();
  }

  private record Version(long ino, long version) {}

  private void allBlocks(CheckReport report, boolean deep, boolean drop) {
    Set<Version> garbage = garbage();
    Set<Integer> live = new HashSet<>();
    namespace.sessions().stream().map(Namespace.Session::number).forEach(live::add);
    BlockId from = BlockId.firstOf(1);
    List<Stored> step = blocks.list(from, STEP_BLOCKS);
    while (!step.isEmpty()) {
      var dropped = new ArrayList<BlockId>();
      for (Stored stored : step) {
        if (!namespace.needs(stored.id())) {
          unneeded(stored, garbage, live, report, dropped);
        } else if (!drop) {
          report.blocks++;
          report.bytes += stored.length();
          if (deep) {
            read(stored, report);
          }
        }
      }
      if (drop) {
        blocks.drop(dropped);
      }
      step = blocks.list(step.getLast().id().next(), STEP_BLOCKS);
    }
    if (drop) {
      blocks.sync();
    }
  }

  private Set<Version> garbage() {
    var versions = new HashSet<Version>();
    namespace.garbage(
        (Garbage each) -> {
          if (versions.size() < GARBAGE_MAX) {
            versions.add(new Version(each.getIno(), each.getVersion()));
          }
        });
    return versions;
  }

  /** What a node drops by itself is counted; what it would keep for ever is a finding. */
  private void unneeded(
      Stored stored,
      Set<Version> garbage,
      Set<Integer> live,
      CheckReport report,
      List<BlockId> dropped) {
    BlockId id = stored.id();
    int session = (int) (id.version() >>> 32);
    if (live.contains(session)) {
      report.reclaimableBlocks++; // its client may come back and commit it
      report.reclaimableBytes += stored.length();
      return;
    }
    dropped.add(id);
    boolean collected =
        session != 0
            || stored.kind() == Kind.CLEAN
            || garbage.size() >= GARBAGE_MAX
            || garbage.contains(new Version(id.ino(), id.version()))
            || !namespace.hasInode(id.ino());
    if (collected) {
      report.reclaimableBlocks++;
      report.reclaimableBytes += stored.length();
    } else {
      report.add(
          new Finding(
              Finding.Kind.BLOCK_LEAKED,
              id.ino(),
              "",
              named(id) + " is needed by nobody",
              desk -> blocks.drop(List.of(id))));
    }
  }

  private void read(Stored stored, CheckReport report) {
    try {
      Optional<Pinned> read = blocks.read(stored.id(), 0, stored.length());
      read.ifPresent(Pinned::close);
      // a damaged clean block is dropped by the look at it: the bucket has it
    } catch (FsException damaged) {
      report.add(
          finding(Finding.Kind.CONTENT_DAMAGED, stored.id(), "is damaged: its bytes are lost"));
    }
  }

  @Override
  public void close() {
    namespace.close();
    blocks.close();
  }
}
