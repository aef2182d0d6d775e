package io.millrace.bench;

import com.google.protobuf.ByteString;
import io.millrace.blocks.BlockStoreConfig;
import io.millrace.blocks.DiskBlockStore;
import io.millrace.core.api.CoherenceNotifier;
import io.millrace.link.LinkConfig;
import io.millrace.link.LinkEngine;
import io.millrace.meta.NamespaceConfig;
import io.millrace.meta.RocksNamespace;
import io.millrace.proto.AdminRequest;
import io.millrace.proto.Inode;
import io.millrace.proto.LinkRecord;
import io.millrace.proto.NoticeItem;
import io.millrace.proto.TaskKind;
import io.millrace.proto.TaskQuery;
import io.millrace.proto.TaskRecord;
import io.millrace.proto.TaskStart;
import io.millrace.proto.TaskState;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.stream.Stream;

/**
 * Imports a listing that is made on the fly, through the link engine, the namespace and the block
 * store of a node, without node, wire or mount; then imports it twice again, which must write
 * nothing (S2). Fails where an entry is missing.
 */
public final class ImportRate {
  private static final ByteString PATH = ByteString.copyFromUtf8("/lake");
  private static final long ASK_MILLIS = 20;

  private final Path directory;
  private final int entries;
  private final boolean json;

  private ImportRate(Path directory, int entries, boolean json) {
    this.directory = directory;
    this.entries = entries;
    this.json = json;
  }

  public static void main(String[] args) throws Exception {
    var options = new Arguments(args, Set.of("entries"), Set.of("json"));
    Path directory = Path.of(options.word(0, "DIRECTORY")).toAbsolutePath();
    if (Files.exists(directory)) {
      throw new IllegalArgumentException("the directory must not exist yet: " + directory);
    }
    new ImportRate(directory, options.number("entries", 1_000_000), options.flag("json")).run();
  }

  private void run() throws IOException {
    Files.createDirectories(directory);
    try (var parts = new Parts(directory, entries)) {
      parts.link();
      measured(parts, "import", true);
      check(parts);
    }
    long bytes = size(directory);
    print(
        new Report()
            .put("step", "closed")
            .put("disk_bytes", bytes)
            .put("bytes_per_entry", (double) bytes / entries));
    try (var parts = new Parts(directory, entries)) {
      measured(parts, "again", false); // the store still merges what the import wrote
      measured(parts, "once more", false);
    }
  }

  private void measured(Parts parts, String step, boolean first) {
    long writtenBefore = ProcessFigures.writtenBytes();
    double cpuBefore = CpuTime.ofSelf();
    long begun = System.nanoTime();
    long task = parts.begin();
    int quarter = 1;
    TaskRecord state = parts.task(task, 0);
    while (state.getState() == TaskState.TASK_PENDING
        || state.getState() == TaskState.TASK_RUNNING) {
      quarter = quarters(step, quarter, state.getFilesDone() + state.getFilesSkipped(), begun);
      state = parts.task(task, ASK_MILLIS);
    }
    double seconds = (System.nanoTime() - begun) / 1e9;
    quarters(step, quarter, state.getFilesDone() + state.getFilesSkipped(), begun);
    if (state.getState() != TaskState.TASK_DONE
        || (first ? state.getFilesDone() : state.getFilesSkipped()) != entries) {
      throw new IllegalStateException("not all was imported: " + state);
    }
    print(
        new Report()
            .put("step", step)
            .put("entries_per_s", entries / seconds)
            .put("seconds", seconds)
            .put("cpu_s_per_100k", (CpuTime.ofSelf() - cpuBefore) * 100_000 / entries)
            .put("written_bytes", ProcessFigures.writtenBytes() - writtenBefore));
  }

  private int quarters(String step, int next, long done, long begun) {
    int quarter = next;
    while (quarter <= 4 && done * 4 >= (long) quarter * entries) {
      print(
          new Report()
              .put("step", step)
              .put("percent", 25L * quarter)
              .put("seconds", (System.nanoTime() - begun) / 1e9)
              .put("heap_used_bytes", ProcessFigures.heapUsedBytes())
              .put("resident_bytes", ProcessFigures.residentBytes()));
      quarter++;
    }
    return quarter;
  }

  private void check(Parts parts) {
    for (int i : new int[] {0, entries / 2, entries - 1}) {
      Inode found =
          parts
              .namespace
              .resolve(PATH.concat(ByteString.copyFromUtf8("/" + ListedBucket.key(i))))
              .orElseThrow(() -> new IllegalStateException("missing: " + ListedBucket.key(i)));
      if (found.getSize() == 0 || !found.hasObject()) {
        throw new IllegalStateException("wrong entry: " + found);
      }
    }
  }

  private void print(Report report) {
    System.out.println(json ? report.json() : report.line());
  }

  private static long size(Path directory) {
    try (Stream<Path> files = Files.walk(directory)) {
      return files.mapToLong(ImportRate::fileSize).sum();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static long fileSize(Path file) {
    return file.toFile().isFile() ? file.toFile().length() : 0;
  }

  /** A node's parts that an import needs. Closed in reverse. */
  private static final class Parts implements AutoCloseable {
    private final DiskBlockStore blocks;
    private final RocksNamespace namespace;
    private final LinkEngine links;

    Parts(Path directory, int entries) {
      var clock = InstantSource.system();
      blocks =
          new DiskBlockStore(
              BlockStoreConfig.of(directory.resolve("blocks"), 1L << 30, 16 << 20), clock);
      namespace =
          new RocksNamespace(NamespaceConfig.of(directory.resolve("meta-0000"), blocks::sync));
      links =
          new LinkEngine(
              namespace,
              blocks,
              link -> new ListedBucket(entries),
              new NobodyElse(),
              clock,
              new SplittableRandom(),
              LinkConfig.DEFAULT);
      links.start();
    }

    void link() {
      var link = LinkRecord.newBuilder().setPath(PATH).setBucket("listed");
      links.admin().handle(AdminRequest.newBuilder().setLinkAdd(link).build());
    }

    long begin() {
      var task = TaskRecord.newBuilder().setKind(TaskKind.TASK_IMPORT).setPath(PATH);
      return links
          .admin()
          .handle(
              AdminRequest.newBuilder().setTaskStart(TaskStart.newBuilder().setTask(task)).build())
          .getTasks(0)
          .getId();
    }

    TaskRecord task(long id, long waitMillis) {
      var query = TaskQuery.newBuilder().setId(id).setNewerThanMs(waitMillis);
      return links
          .admin()
          .handle(AdminRequest.newBuilder().setTaskQuery(query).build())
          .getTasks(0);
    }

    @Override
    public void close() {
      links.close();
      namespace.close();
      blocks.close();
    }
  }

  /** No client is connected. */
  private static final class NobodyElse implements CoherenceNotifier {
    @Override
    public void changed(List<NoticeItem> items) {}

    @Override
    public Set<Long> recall(List<Long> inodes) {
      return Set.of();
    }

    @Override
    public boolean leased(long ino) {
      return false;
    }
  }
}
