package io.millrace.cli.train;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.IntStream;

/**
 * A short load on a real server, so that the JVM can keep what it learns (classes, profiles) in the
 * server's ahead-of-time cache: small files made, read, listed and removed; names imported, content
 * loaded, preloaded and exported. Where nothing can be mounted, the part that needs no mount.
 */
public final class Training {
  private static final int THREADS = 4;
  private static final int OBJECTS = 1600;
  private static final int EXPORTED = 200;
  private static final int BIG_BYTES = 24 << 20;

  private final Path launcher;
  private final Path cache;
  private final int files;

  /**
   * @param launcher runs {@code millrace} commands without building anything
   * @param cache the file that the server writes when it ends
   * @param files how many small files are made
   */
  public Training(Path launcher, Path cache, int files) {
    this.launcher = launcher;
    this.cache = cache;
    this.files = files;
  }

  /** Returns what was trained, in words. */
  public String run() throws IOException, InterruptedException, ExecutionException {
    try (var s3 = new HeapS3()) {
      for (int i = 0; i < OBJECTS; i++) {
        s3.put("d%d/o%05d".formatted(i % 8, i), new byte[4096 + i % 8 * 4096]);
      }
      try (var server = TrainedServer.up(launcher, cache)) {
        work(server.mountPoint());
        linkAndImport(server, s3);
        read(server.mountPoint().resolve("lake"));
        restOfLink(server, s3);
        big(server.mountPoint().resolve("big"));
        return "a server with a mount";
      } catch (TrainedServer.NotMounted e) {
        return withoutMount(s3) + " (" + e.getMessage() + ")";
      }
    }
  }

  private String withoutMount(HeapS3 s3) throws IOException, InterruptedException {
    try (var server = TrainedServer.node(launcher, cache)) {
      linkAndImport(server, s3);
      server.millrace("preload", "/lake", "--wait");
      server.millrace("evict", "/lake", "--wait");
      server.millrace("preload", "/lake", "--wait");
    }
    return "a server without a mount";
  }

  private void linkAndImport(TrainedServer server, HeapS3 s3)
      throws IOException, InterruptedException {
    server.millrace(
        "link",
        "add",
        "/lake",
        "s3://training",
        "--endpoint",
        s3.endpoint(),
        "--credentials",
        server.credentials().toString(),
        "--auto-export",
        "new,changed,deleted");
    server.millrace("import", "/lake", "--wait");
  }

  private void restOfLink(TrainedServer server, HeapS3 s3)
      throws IOException, InterruptedException, ExecutionException {
    Path lake = server.mountPoint().resolve("lake");
    Path fresh = Files.createDirectory(lake.resolve("new"));
    inParallel(EXPORTED, i -> Files.write(fresh.resolve("n" + i), new byte[2048]));
    server.millrace("wait", "--exported", "/lake", "--timeout", "20s");
    server.millrace("evict", "/lake", "--wait");
    server.millrace("preload", "/lake", "--wait");
    read(lake);
    if (s3.size() != OBJECTS + EXPORTED) {
      throw new IOException("exported " + (s3.size() - OBJECTS) + " files of " + EXPORTED);
    }
  }

  private void work(Path root) throws IOException, InterruptedException, ExecutionException {
    List<Path> directories =
        IntStream.range(0, THREADS).mapToObj(i -> root.resolve("w" + i)).toList();
    for (Path directory : directories) {
      Files.createDirectory(directory);
    }
    byte[] content = new byte[4096];
    inParallel(files, i -> Files.write(file(directories, i), content));
    directories.forEach(Training::list);
    inParallel(files, i -> Files.readAllBytes(file(directories, i)));
    inParallel(
        files / 4,
        i -> Files.move(file(directories, i), file(directories, i).resolveSibling("moved" + i)));
    inParallel(files / 4, i -> Files.readAttributes(file(directories, i + files / 2), "*"));
    inParallel(files / 2, i -> delete(file(directories, i + files / 2)));
  }

  private static Path file(List<Path> directories, int i) {
    return directories.get(i % directories.size()).resolve("f" + i);
  }

  private static Path delete(Path file) throws IOException {
    Files.delete(file);
    return file;
  }

  private static void list(Path directory) {
    try (DirectoryStream<Path> entries = Files.newDirectoryStream(directory)) {
      for (Path entry : entries) {
        Files.size(entry);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static void read(Path root) throws IOException, InterruptedException, ExecutionException {
    List<Path> found;
    try (var walk = Files.walk(root)) {
      found = walk.filter(Files::isRegularFile).toList();
    }
    inParallel(found.size(), i -> Files.readAllBytes(found.get(i)));
  }

  private static void big(Path file) throws IOException {
    Files.write(file, new byte[BIG_BYTES]);
    if (Files.readAllBytes(file).length != BIG_BYTES) {
      throw new IOException("short read of " + file);
    }
  }

  private interface Step {
    Object at(int index) throws IOException;
  }

  private static void inParallel(int count, Step step)
      throws InterruptedException, ExecutionException {
    try (var threads = Executors.newFixedThreadPool(THREADS)) {
      List<Future<?>> parts =
          IntStream.range(0, THREADS)
              .<Future<?>>mapToObj(
                  t ->
                      threads.submit(
                          (Callable<Void>)
                              () -> {
                                for (int i = t; i < count; i += THREADS) {
                                  step.at(i);
                                }
                                return null;
                              }))
              .toList();
      for (Future<?> part : parts) {
        part.get();
      }
    }
  }
}
