package io.millrace.buckets;

import io.millrace.core.api.Bucket;
import io.millrace.core.api.Errno;
import io.millrace.core.api.FsException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A local directory as a bucket, ordinary files as objects ({@link DirectoryLayout} has the
 * exceptions); symbolic links are left out. Every write is a new file, synced and renamed into
 * place. The etag is inode number, size and modification time, so files that others put there have
 * one too.
 *
 * <p>Conditions hold among writers of this instance (one lock around check and rename), not among
 * processes. A page of a listing reads the directories it touches whole. Blocks on the disk, which
 * pins virtual threads.
 */
public final class DirectoryBucket implements Bucket {
  private static final int OPEN_TRIES = 10;

  private final DirectoryLayout layout;
  private final DirectoryWriter writer;

  /**
   * @param directory must be there; {@link #check} tells
   */
  public DirectoryBucket(Path directory) {
    this.layout = new DirectoryLayout(directory.toAbsolutePath().normalize());
    this.writer = new DirectoryWriter(layout);
  }

  @Override
  public String name() {
    return "file://" + layout.root();
  }

  @Override
  public void check() {
    if (!Files.isDirectory(layout.root())) {
      throw new FsException(
          Errno.ENOENT, "no such directory; create it or correct its name", "bucket", name());
    }
    if (!Files.isReadable(layout.root())) {
      throw new FsException(Errno.EACCES, "the directory can't be read", "bucket", name());
    }
  }

  @Override
  public Optional<ObjectHead> head(String key) {
    try {
      Optional<Path> path = layout.find(key);
      if (path.isEmpty()) {
        return Optional.empty();
      }
      var file = FileVersion.of(path.get());
      var sidecar = Sidecar.read(layout.sidecar(key, file.etag()));
      return Optional.of(
          new ObjectHead(file.info(key), sidecar.metadata(), sidecar.contentType(), ""));
    } catch (NoSuchFileException e) {
      return Optional.empty();
    } catch (IOException e) {
      throw DirectoryErrors.translate(e, name(), key);
    }
  }

  @Override
  public int get(String key, String etag, long offset, MemorySegment target) {
    try (var opened = open(key, etag)) {
      var into = target.asByteBuffer();
      while (into.hasRemaining()) {
        if (opened.channel().read(into, offset + into.position()) < 0) {
          break;
        }
      }
      return into.position();
    } catch (IOException e) {
      throw DirectoryErrors.translate(e, name(), key);
    }
  }

  private record Opened(FileChannel channel, FileVersion version) implements AutoCloseable {
    @Override
    public void close() throws IOException {
      channel.close();
    }
  }

  /** The version is looked at before and after the open: equal means that it is the open one. */
  private Opened open(String key, String etag) throws IOException {
    for (int tries = 0; tries < OPEN_TRIES; tries++) {
      Path path = layout.find(key).orElseThrow(() -> new NoSuchFileException(key));
      FileVersion before = FileVersion.of(path);
      if (!etag.isEmpty() && !etag.equals(before.etag())) {
        throw stale(key, etag, before);
      }
      var opened = new Opened(FileChannel.open(path, StandardOpenOption.READ), before);
      if (FileVersion.of(path).equals(before)) {
        return opened;
      }
      opened.close();
    }
    throw new FsException(
        Errno.EAGAIN, "the file changes all the time", "bucket", name(), "key", key);
  }

  private FsException stale(String key, String etag, FileVersion found) {
    return new FsException(
        Errno.ESTALE,
        "the object has changed",
        "bucket",
        name(),
        "key",
        key,
        "expected",
        etag,
        "found",
        found.etag());
  }

  @Override
  public ObjectInfo put(
      String key,
      MemorySegment body,
      Map<String, String> metadata,
      String contentType,
      Condition condition) {
    return written(
        key,
        () ->
            writer.publish(key, writer.stage(body), new Sidecar(metadata, contentType), condition));
  }

  @Override
  public ObjectInfo copy(
      String source, String sourceEtag, String target, Optional<Map<String, String>> metadata) {
    return written(
        source,
        () -> {
          try (var from = open(source, sourceEtag)) {
            var old = Sidecar.read(layout.sidecar(source, from.version().etag()));
            var fresh = new Sidecar(metadata.orElse(old.metadata()), old.contentType());
            Path staged = writer.stage(from.channel(), 0, from.version().size());
            return writer.publish(target, staged, fresh, Condition.ALWAYS);
          }
        });
  }

  @Override
  public void delete(String key, Condition condition) {
    Conditions.requireDeletable(condition, key);
    boolean deleted = written(key, () -> writer.delete(key, condition));
    assert deleted || head(key).isEmpty() : key;
  }

  @Override
  public Page list(String prefix, String token, String startAfter, String delimiter, int maxKeys) {
    return written(
        prefix,
        () ->
            new PageMaker(new DirectoryObjects(layout), prefix, delimiter, maxKeys)
                .page(token, startAfter));
  }

  @Override
  public String beginUpload(String key, Map<String, String> metadata, String contentType) {
    return written(key, () -> writer.beginUpload(key, new Sidecar(metadata, contentType)));
  }

  @Override
  public String uploadPart(String key, String upload, int part, MemorySegment body) {
    return written(key, () -> writer.part(upload, part, writer.stage(body)));
  }

  @Override
  public String copyPart(
      String key, String upload, int part, String source, String etag, long offset, long length) {
    return written(
        source,
        () -> {
          try (var from = open(source, etag)) {
            return writer.part(upload, part, writer.stage(from.channel(), offset, length));
          }
        });
  }

  @Override
  public ObjectInfo completeUpload(
      String key, String upload, List<String> etags, Condition condition) {
    return written(key, () -> writer.complete(key, upload, etags, condition));
  }

  @Override
  public void abortUpload(String key, String upload) {
    boolean done = written(key, () -> writer.abort(upload));
    assert done : upload;
  }

  @Override
  public Abilities abilities() {
    return new Abilities(true, true, true);
  }

  @Override
  public void close() {}

  private interface Write<T> {
    T run() throws IOException;
  }

  private <T> T written(String key, Write<T> write) {
    try {
      return write.run();
    } catch (UncheckedIOException e) {
      throw DirectoryErrors.translate(e.getCause(), name(), key);
    } catch (IOException e) {
      throw DirectoryErrors.translate(e, name(), key);
    }
  }
}
