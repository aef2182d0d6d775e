package io.millrace.link;

import com.google.protobuf.ByteString;
import io.millrace.buckets.MemoryBucket;
import io.millrace.core.api.BlockId;
import io.millrace.core.api.BlockStore;
import io.millrace.core.api.Bucket;
import io.millrace.core.api.BucketOpener;
import io.millrace.core.api.CoherenceNotifier;
import io.millrace.core.api.ContentSource.Urgency;
import io.millrace.core.api.Ino;
import io.millrace.core.api.Namespace;
import io.millrace.core.api.Pinned;
import io.millrace.meta.NamespaceConfig;
import io.millrace.meta.RocksNamespace;
import io.millrace.proto.AdminReply;
import io.millrace.proto.AdminRequest;
import io.millrace.proto.Command;
import io.millrace.proto.CommandResult;
import io.millrace.proto.CommitContent;
import io.millrace.proto.Create;
import io.millrace.proto.Extent;
import io.millrace.proto.Inode;
import io.millrace.proto.LinkRecord;
import io.millrace.proto.LinkSet;
import io.millrace.proto.Mkdir;
import io.millrace.proto.NoticeItem;
import io.millrace.proto.Rename;
import io.millrace.proto.StateQuery;
import io.millrace.proto.TaskKind;
import io.millrace.proto.TaskQuery;
import io.millrace.proto.TaskRecord;
import io.millrace.proto.TaskStart;
import io.millrace.proto.TaskState;
import io.millrace.proto.Unlink;
import io.millrace.proto.WaitExported;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.UnaryOperator;

/** A node's link side without a node: real namespace, blocks in memory, a bucket to watch. */
final class LinkFixture implements AutoCloseable {
  static final LinkConfig CONFIG =
      LinkConfig.DEFAULT
          .withRetry(Duration.ofMillis(5), Duration.ofMillis(50))
          .withSweeps(Duration.ofMillis(20), Duration.ofMillis(20), Duration.ofMillis(50))
          .withReaderDeadline(Duration.ofSeconds(10));

  final Path directory;
  final MapBlockStore store = new MapBlockStore();
  final WatchedBucket bucket;
  final List<NoticeItem> notices = new ArrayList<>();
  final Set<Long> open = ConcurrentHashMap.newKeySet();
  final Set<Long> writing = ConcurrentHashMap.newKeySet();
  LinkConfig config = CONFIG;

  /** What the engine has for the namespace. */
  UnaryOperator<Namespace> wrapped = inner -> inner;

  BucketOpener opener;
  RocksNamespace namespace;
  LinkEngine engine;
  private long versions = 7L << 32;

  LinkFixture(Path directory) {
    this(directory, new MemoryBucket("lake", Clock.systemUTC()));
  }

  LinkFixture(Path directory, Bucket inner) {
    this.directory = directory;
    this.bucket = new WatchedBucket(inner);
    this.opener = link -> bucket;
    start();
  }

  void start() {
    namespace = new RocksNamespace(NamespaceConfig.of(directory, () -> {}));
    startEngine();
  }

  void startEngine() {
    engine =
        new LinkEngine(
            wrapped.apply(namespace),
            store,
            l -> opener.open(l),
            notifier(),
            Clock.systemUTC(),
            new Random(1),
            config);
    engine.start();
  }

  void restart() {
    close();
    start();
  }

  private CoherenceNotifier notifier() {
    return new CoherenceNotifier() {
      @Override
      public void changed(List<NoticeItem> items) {
        synchronized (notices) {
          notices.addAll(items);
        }
      }

      @Override
      public Set<Long> recall(List<Long> inodes) {
        return Set.copyOf(inodes.stream().filter(open::contains).toList());
      }

      @Override
      public boolean leased(long ino) {
        return open.contains(ino);
      }

      @Override
      public boolean beingWritten(long ino) {
        return writing.contains(ino);
      }
    };
  }

  @Override
  public void close() {
    engine.close();
    namespace.close();
  }

  // ---- the bucket ----

  void object(String key, String body) {
    bucket.inner.put(key, segment(body), Map.of(), "text/plain", Bucket.Condition.ALWAYS);
  }

  String objectText(String key) {
    Bucket.ObjectInfo info = bucket.inner.head(key).orElseThrow().info();
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment body = arena.allocate(Math.max(1, info.size())).asSlice(0, info.size());
      bucket.inner.get(key, "", 0, body);
      return new String(body.toArray(ValueLayout.JAVA_BYTE), StandardCharsets.UTF_8);
    }
  }

  List<String> keys() {
    return bucket.inner.list("", "", "", "", 1000).objects().stream()
        .map(Bucket.ObjectInfo::key)
        .toList();
  }

  static MemorySegment segment(String text) {
    return MemorySegment.ofArray(text.getBytes(StandardCharsets.UTF_8));
  }

  // ---- administration ----

  LinkRecord link(String path, String prefix) {
    return link(LinkRecord.newBuilder().setPath(bytes(path)).setBucket("lake").setPrefix(prefix));
  }

  LinkRecord exporting(String path, String prefix) {
    return link(
        LinkRecord.newBuilder()
            .setPath(bytes(path))
            .setBucket("lake")
            .setPrefix(prefix)
            .setQuietMs(1)
            .setExportNew(true)
            .setExportChanged(true)
            .setExportDeleted(true));
  }

  LinkRecord link(LinkRecord.Builder link) {
    return admin(AdminRequest.newBuilder().setLinkAdd(link)).getLinks(0).getLink();
  }

  AdminReply set(String path, LinkRecord.Builder values, String... fields) {
    return admin(
        AdminRequest.newBuilder()
            .setLinkSet(
                LinkSet.newBuilder()
                    .setPath(bytes(path))
                    .setSet(values)
                    .addAllFields(List.of(fields))));
  }

  AdminReply admin(AdminRequest.Builder request) {
    return engine.admin().handle(request.build());
  }

  TaskRecord run(TaskKind kind, String path) {
    return run(TaskRecord.newBuilder().setKind(kind).setPath(bytes(path)));
  }

  TaskRecord run(TaskRecord.Builder task) {
    return finished(start(task));
  }

  long start(TaskRecord.Builder task) {
    return admin(AdminRequest.newBuilder().setTaskStart(TaskStart.newBuilder().setTask(task)))
        .getTasks(0)
        .getId();
  }

  TaskRecord finished(long id) {
    long end = System.nanoTime() + Duration.ofSeconds(30).toNanos();
    while (System.nanoTime() < end) {
      TaskRecord task = task(id, 100);
      if (task.getState() != TaskState.TASK_RUNNING && task.getState() != TaskState.TASK_PENDING) {
        return task;
      }
    }
    throw new AssertionError("task did not finish: " + task(id, 0));
  }

  TaskRecord task(long id, long waitMs) {
    return admin(
            AdminRequest.newBuilder()
                .setTaskQuery(TaskQuery.newBuilder().setId(id).setNewerThanMs(waitMs)))
        .getTasks(0);
  }

  boolean exported(String path, int timeoutMs) {
    return !admin(
            AdminRequest.newBuilder()
                .setWaitExported(
                    WaitExported.newBuilder().setPath(bytes(path)).setTimeoutMs(timeoutMs)))
        .getTimedOut();
  }

  String state(String path) {
    return admin(AdminRequest.newBuilder().setState(StateQuery.newBuilder().setPath(bytes(path))))
        .getStates(0)
        .getState();
  }

  // ---- the file system, as a client would use it ----

  static ByteString bytes(String text) {
    return ByteString.copyFromUtf8(text);
  }

  Inode at(String path) {
    return namespace.resolve(bytes(path)).orElseThrow(() -> new AssertionError("no " + path));
  }

  boolean exists(String path) {
    return namespace.resolve(bytes(path)).isPresent();
  }

  List<String> names(String path) {
    var names = new ArrayList<String>();
    namespace.list(
        at(path).getIno(), ByteString.EMPTY, 100_000, e -> names.add(e.getName().toStringUtf8()));
    return names;
  }

  CommandResult apply(Command.Builder command) {
    long now = System.currentTimeMillis() * 1_000_000L;
    return NamespaceWriter.checked(
        namespace.apply(command.setFormat(1).setNowNs(now).setRandom(1).build(), false));
  }

  Inode create(String path) {
    Create.Builder create =
        Create.newBuilder().setDir(at(parent(path)).getIno()).setName(name(path)).setMode(0100644);
    return apply(Command.newBuilder().setCreate(create)).getInode();
  }

  Inode mkdir(String path) {
    Mkdir.Builder mkdir =
        Mkdir.newBuilder().setDir(at(parent(path)).getIno()).setName(name(path)).setMode(0755);
    return apply(Command.newBuilder().setMkdir(mkdir)).getInode();
  }

  /** Creates the file where it is missing and writes the text at its beginning. */
  Inode write(String path, String text) {
    Inode file = exists(path) ? at(path) : create(path);
    return write(file, 0, text.getBytes(StandardCharsets.UTF_8));
  }

  Inode write(Inode file, long offset, byte[] content) {
    long version = ++versions;
    CommitContent.Builder commit = CommitContent.newBuilder().setIno(file.getIno());
    int index = 0;
    for (int at = 0; at < content.length; at += BlockId.MAX_BYTES, index++) {
      int length = Math.min(BlockId.MAX_BYTES, content.length - at);
      var id = new BlockId(file.getIno(), version, index);
      try (BlockStore.Draft draft = store.begin(id, length, BlockStore.Kind.DIRTY)) {
        MemorySegment.copy(content, at, draft.bytes(), ValueLayout.JAVA_BYTE, 0, length);
        draft.commit().close();
      }
    }
    commit
        .addExtents(
            Extent.newBuilder()
                .setFileOffset(offset)
                .setLength(content.length)
                .setVersion(version)
                .setStreamOffset(0))
        .setSize(offset + content.length);
    Inode changed = apply(Command.newBuilder().setCommitContent(commit)).getInode();
    if (changed.getLink() != 0) {
      engine.wake(changed.getLink());
    }
    return changed;
  }

  void unlink(String path) {
    Unlink.Builder unlink =
        Unlink.newBuilder().setDir(at(parent(path)).getIno()).setName(name(path));
    apply(Command.newBuilder().setUnlink(unlink));
  }

  void rename(String from, String to) {
    Rename.Builder rename =
        Rename.newBuilder()
            .setOldDir(at(parent(from)).getIno())
            .setOldName(name(from))
            .setNewDir(at(parent(to)).getIno())
            .setNewName(name(to));
    apply(Command.newBuilder().setRename(rename));
  }

  /** The whole content, from blocks here or from the bucket. */
  String read(String path) {
    return new String(readBytes(at(path)), StandardCharsets.UTF_8);
  }

  byte[] readBytes(Inode file) {
    byte[] content = new byte[(int) file.getSize()];
    for (Extent extent : namespace.extents(file.getIno(), 0, file.getSize())) {
      long from = extent.getFileOffset();
      long to = Math.min(from + extent.getLength(), file.getSize());
      while (from < to) {
        long at = extent.getStreamOffset() + from - extent.getFileOffset();
        int within = (int) (at % BlockId.MAX_BYTES);
        int length = (int) Math.min(to - from, BlockId.MAX_BYTES - within);
        var id = new BlockId(file.getIno(), extent.getVersion(), (int) (at / BlockId.MAX_BYTES));
        try (Pinned bytes =
            store
                .read(id, within, length)
                .orElseGet(
                    () -> engine.loader().load(file, id.index(), within, length, Urgency.READER))) {
          MemorySegment.copy(bytes.bytes(), ValueLayout.JAVA_BYTE, 0, content, (int) from, length);
        }
        from += length;
      }
    }
    return content;
  }

  private static String parent(String path) {
    return path.substring(0, Math.max(1, path.lastIndexOf('/')));
  }

  private static ByteString name(String path) {
    return bytes(path.substring(path.lastIndexOf('/') + 1));
  }

  static long root() {
    return Ino.ROOT;
  }
}
