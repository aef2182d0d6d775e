package io.millrace.link;

import com.google.protobuf.ByteString;
import io.millrace.core.api.BlockStore;
import io.millrace.core.api.BucketOpener;
import io.millrace.core.api.CoherenceNotifier;
import io.millrace.core.api.Errno;
import io.millrace.core.api.FsException;
import io.millrace.core.api.Namespace;
import io.millrace.core.path.FileType;
import io.millrace.proto.Inode;
import io.millrace.proto.LinkRecord;
import io.millrace.proto.TaskRecord;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.random.RandomGenerator;

/**
 * The link module's entry: owns the buckets, the loader, the tasks and the background work of all
 * links of a node. Made once, started once, closed once; in between any thread may call it.
 */
public final class LinkEngine implements AutoCloseable {

  /** What one link has running. */
  private record Active(ExportQueue queue, AutoExporter exporter) {
    void close() {
      exporter.close();
      queue.close();
    }
  }

  private final LinkParts parts;
  private final UploadBuffers buffers;
  private final ContentVersions versions;
  private final FileExporter exporter;
  private final TaskRunner tasks;
  private final LinkSchedule schedule;
  private final LinkAdmin admin;
  private final ConcurrentHashMap<Integer, Active> active = new ConcurrentHashMap<>();

  /** The ports are borrowed: whoever made them closes them, after this. */
  public LinkEngine(
      Namespace namespace,
      BlockStore store,
      BucketOpener opener,
      CoherenceNotifier notifier,
      InstantSource clock,
      RandomGenerator random,
      LinkConfig config) {
    var writer = new NamespaceWriter(namespace, clock, random);
    var buckets = new LinkBuckets(namespace, opener, config, random);
    var loader = new ObjectLoader(namespace, store, buckets, config);
    parts =
        new LinkParts(namespace, writer, store, buckets, loader, notifier, new OwnWrites(), config);
    buffers = new UploadBuffers(config.uploadBufferBytes(), config.partBytes());
    versions = new ContentVersions(parts);
    exporter = new FileExporter(parts, buffers, versions);
    tasks = new TaskRunner(parts, this::job);
    schedule = new LinkSchedule(parts, tasks);
    admin = new LinkAdmin(parts, tasks, this);
  }

  /** Goes on with unfinished tasks, and begins the background work of all links. */
  public void start() {
    for (LinkRecord link : parts.namespace().links()) {
      activate(link.getId());
    }
    tasks.resume();
    schedule.start();
  }

  /** Where missing clean blocks come from. */
  public ObjectLoader loader() {
    return parts.loader();
  }

  /** Serves the administration requests that concern links and tasks. */
  public LinkAdmin admin() {
    return admin;
  }

  /** Something below the link was changed: its export may begin. Cheap; any thread. */
  public void wake(int link) {
    Active running = active.get(link);
    if (running != null) {
      running.exporter().wake();
    }
  }

  /** Why content of this inode could not be read, for {@code user.millrace.reason}. */
  public Optional<String> reason(long ino) {
    return parts.loader().reason(ino);
  }

  /** As {@code millrace state} and {@code user.millrace.state} show it. */
  public String state(Inode file) {
    return states().of(file).getState();
  }

  FileStates states() {
    return new FileStates(
        parts, ino -> active.values().stream().anyMatch(link -> link.queue().exporting(ino)));
  }

  ExportQueue queue(int link) {
    return activate(link).queue();
  }

  private Active activate(int link) {
    return active.computeIfAbsent(link, this::started);
  }

  private Active started(int link) {
    var queue = new ExportQueue(parts, exporter, link);
    var auto = new AutoExporter(parts, link, queue);
    auto.start();
    return new Active(queue, auto);
  }

  /** The link's settings changed, or it goes: what it has open is opened anew when needed. */
  void restart(int link) {
    deactivate(link);
    parts.buckets().forget(link);
    if (parts.namespace().link(link).isPresent()) {
      activate(link);
    }
  }

  void deactivate(int link) {
    Active running = active.remove(link);
    if (running != null) {
      running.close();
    }
  }

  private Job job(TaskRecord task, List<ByteString> paths, TaskProgress progress) {
    LinkRecord link = parts.link(task.getLink());
    return switch (task.getKind()) {
      case TASK_IMPORT -> new ImportJob(parts, task, link, importRoot(task), progress);
      case TASK_PRELOAD -> new PreloadJob(parts, task.getDryRun(), tops(paths, progress), progress);
      case TASK_EXPORT -> new ExportJob(parts, queue(link.getId()), task, link, paths, progress);
      case TASK_EVICT ->
          new EvictJob(
              parts, task.getOlderThanSeconds(), task.getDryRun(), tops(paths, progress), progress);
      case UNRECOGNIZED -> throw new FsException(Errno.EINVAL, "unknown kind of task");
    };
  }

  private Inode importRoot(TaskRecord task) {
    Inode root =
        parts
            .namespace()
            .resolve(task.getPath())
            .orElseThrow(() -> new FsException(Errno.ENOENT, "no such directory"));
    if (!FileType.isDirectory(root)) {
      throw new FsException(
          Errno.ENOTDIR, "import works on directories; name the file's directory");
    }
    return root;
  }

  private List<Inode> tops(List<ByteString> paths, TaskProgress progress) {
    var tops = new ArrayList<Inode>();
    for (ByteString path : paths) {
      parts
          .namespace()
          .resolve(path)
          .ifPresentOrElse(
              tops::add,
              () -> progress.failed(path.toStringUtf8(), "ENOENT", "no such file or directory"));
    }
    return tops;
  }

  @Override
  public void close() {
    schedule.close();
    tasks.close();
    parts.loader().close();
    active.keySet().forEach(this::deactivate);
    versions.close();
    buffers.close();
    parts.buckets().close();
  }
}
