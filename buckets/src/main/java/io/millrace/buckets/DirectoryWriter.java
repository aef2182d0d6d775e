package io.millrace.buckets;

import static java.nio.file.LinkOption.NOFOLLOW_LINKS;

import io.millrace.core.api.Bucket.Condition;
import io.millrace.core.api.Bucket.ObjectInfo;
import io.millrace.core.api.Errno;
import io.millrace.core.api.FsException;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Writes of a {@link DirectoryBucket}: content is staged in a temporary file outside the lock, then
 * checked and renamed into place under it. Invariant: a key is a plain or an odd file, never both.
 */
final class DirectoryWriter {
  private static final String KEY_FILE = "key";
  private static final String SIDECAR_FILE = "sidecar";

  private final DirectoryLayout layout;
  private final AtomicLong serial = new AtomicLong(System.nanoTime());
  private Instant lastMtime = Instant.EPOCH;

  DirectoryWriter(DirectoryLayout layout) {
    this.layout = layout;
  }

  Path stage(MemorySegment body) throws IOException {
    Path path = temporary();
    try (var out = create(path)) {
      var rest = body.asByteBuffer();
      while (rest.hasRemaining()) {
        out.write(rest);
      }
      out.force(true);
    }
    return path;
  }

  Path stage(FileChannel from, long offset, long length) throws IOException {
    Path path = temporary();
    try (var out = create(path)) {
      append(from, offset, length, out);
      out.force(true);
    }
    return path;
  }

  private static void append(FileChannel from, long offset, long length, FileChannel out)
      throws IOException {
    long done = 0;
    while (done < length) {
      long moved = from.transferTo(offset + done, length - done, out);
      if (moved == 0) {
        throw new IOException("the source ended after " + done + " of " + length + " bytes");
      }
      done += moved;
    }
  }

  private Path temporary() throws IOException {
    Path directory = Files.createDirectories(layout.temporary());
    return directory.resolve(Long.toString(serial.incrementAndGet()));
  }

  private static FileChannel create(Path path) throws IOException {
    return FileChannel.open(path, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);
  }

  synchronized ObjectInfo publish(String key, Path staged, Sidecar sidecar, Condition condition)
      throws IOException {
    try {
      Optional<FileVersion> old = require(key, condition);
      Path path = place(key);
      Files.setLastModifiedTime(staged, FileTime.from(nextMtime()));
      FileVersion version = FileVersion.of(staged);
      if (!sidecar.isEmpty()) {
        sidecar.write(layout.sidecar(key, version.etag()));
      }
      Files.move(staged, path, StandardCopyOption.ATOMIC_MOVE);
      FileSync.sync(path.getParent());
      if (old.isPresent()) {
        Files.deleteIfExists(layout.sidecar(key, old.get().etag()));
      }
      return version.info(key);
    } finally {
      Files.deleteIfExists(staged);
    }
  }

  private Optional<FileVersion> require(String key, Condition condition) throws IOException {
    Optional<Path> found = layout.find(key);
    Optional<FileVersion> version =
        found.isEmpty() ? Optional.empty() : Optional.of(FileVersion.of(found.get()));
    String name = "file://" + layout.root();
    Conditions.require(condition, version.map(FileVersion::etag), name, key);
    return version;
  }

  /** Strictly later each time: no two versions of this instance share size, inode and time. */
  private Instant nextMtime() {
    Instant now = Instant.now().truncatedTo(ChronoUnit.MICROS);
    lastMtime = now.isAfter(lastMtime) ? now : lastMtime.plus(1, ChronoUnit.MICROS);
    return lastMtime;
  }

  private Path place(String key) throws IOException {
    Path odd = layout.odd(key);
    Optional<Path> plain = layout.plain(key);
    if (plain.isPresent() && !Files.exists(odd) && makeRoom(plain.get())) {
      return plain.get();
    }
    Files.createDirectories(odd.getParent());
    return odd;
  }

  /** False: a file is where a directory must be, or the other way round. */
  private static boolean makeRoom(Path plain) throws IOException {
    try {
      Files.createDirectories(plain.getParent());
      return !Files.isDirectory(plain, NOFOLLOW_LINKS);
    } catch (FileAlreadyExistsException e) {
      return false;
    }
  }

  synchronized boolean delete(String key, Condition condition) throws IOException {
    Optional<Path> found = layout.find(key);
    if (found.isEmpty()) {
      return true;
    }
    Optional<FileVersion> version = require(key, condition);
    Files.deleteIfExists(found.get());
    FileSync.sync(found.get().getParent());
    if (version.isPresent()) {
      Files.deleteIfExists(layout.sidecar(key, version.get().etag()));
    }
    removeEmpty(found.get().getParent());
    return true;
  }

  /** Directories that a key made go with its last object, as prefixes do. */
  private void removeEmpty(Path directory) throws IOException {
    try {
      Path at = directory;
      while (!at.equals(layout.root()) && !at.equals(layout.odd())) {
        Files.deleteIfExists(at);
        at = at.getParent();
      }
    } catch (DirectoryNotEmptyException e) {
      return;
    }
  }

  String beginUpload(String key, Sidecar sidecar) throws IOException {
    String id = serial.incrementAndGet() + "-" + System.currentTimeMillis();
    Path directory = Files.createDirectories(layout.upload(id));
    Files.writeString(directory.resolve(KEY_FILE), key);
    sidecar.write(directory.resolve(SIDECAR_FILE));
    return id;
  }

  String part(String upload, int part, Path staged) throws IOException {
    try (var channel = FileChannel.open(staged, StandardOpenOption.READ);
        var arena = Arena.ofConfined()) {
      var bytes = channel.map(FileChannel.MapMode.READ_ONLY, 0, channel.size(), arena);
      String etag = Etag.ofContent(bytes);
      Path path = requireUpload(upload).resolve(part + "." + etag);
      Files.move(staged, path, StandardCopyOption.ATOMIC_MOVE);
      return etag;
    } finally {
      Files.deleteIfExists(staged);
    }
  }

  ObjectInfo complete(String key, String upload, List<String> etags, Condition condition)
      throws IOException {
    Path directory = requireUpload(upload);
    Path staged = temporary();
    try (var out = create(staged)) {
      for (int i = 0; i < etags.size(); i++) {
        Path part = directory.resolve((i + 1) + "." + etags.get(i));
        if (!Files.isRegularFile(part)) {
          throw new FsException(Errno.EINVAL, "no such part", "key", key, "part", i + 1);
        }
        try (var in = FileChannel.open(part, StandardOpenOption.READ)) {
          append(in, 0, in.size(), out);
        }
      }
      out.force(true);
    } catch (IOException | FsException e) {
      Files.deleteIfExists(staged);
      throw e;
    }
    ObjectInfo info =
        publish(key, staged, Sidecar.read(directory.resolve(SIDECAR_FILE)), condition);
    abort(upload);
    return info;
  }

  private Path requireUpload(String upload) {
    Path directory = layout.upload(upload);
    if (!Files.isRegularFile(directory.resolve(KEY_FILE))) {
      throw new FsException(Errno.ENOENT, "no such upload", "upload", upload);
    }
    return directory;
  }

  boolean abort(String upload) throws IOException {
    Path directory = layout.upload(upload);
    if (Files.isDirectory(directory)) {
      try (var files = Files.list(directory)) {
        for (Path file : files.toList()) {
          Files.deleteIfExists(file);
        }
      }
      Files.deleteIfExists(directory);
    }
    return true;
  }
}
