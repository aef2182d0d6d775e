package io.millrace.cli.demo;

import io.millrace.testkit.s3.PlainS3;
import io.millrace.testkit.s3.S3ProxyServer;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicLong;
import java.util.zip.CRC32C;

/**
 * The main job, step by step, each as a user would do it: real sources in a real bucket, a real
 * mount in another process, all bytes checked against what was put. Throws at the first thing that
 * is not as it should be.
 */
public final class Demo {
  private static final String BUCKET = "lake";
  private static final String PREFIX = "src/";
  private static final String LINK = "/src";
  private static final int THREADS = 16;
  private static final String PART = "java.base/";
  private static final int EVICTED_READ = 1000;

  private final Path launcher;
  private final PrintStream out;
  private final boolean keep;
  private final Figures figures = new Figures();
  private final Map<String, Integer> checksums = new ConcurrentHashMap<>();
  private final AtomicLong totalBytes = new AtomicLong();

  /**
   * @param launcher the {@code millrace} script
   * @param keep leave all running until Enter is pressed
   */
  public Demo(Path launcher, PrintStream out, boolean keep) {
    this.launcher = launcher;
    this.out = out;
    this.keep = keep;
  }

  public void run() throws IOException, InterruptedException, ExecutionException {
    try (var s3 = S3ProxyServer.start();
        var plain = new PlainS3(s3.endpoint());
        var store = Store.start(launcher)) {
      fillBucket(s3);
      Path credentials = s3.endpoint().writeCredentials(s3.objects().resolveSibling("credentials"));
      var commands = new Commands(launcher, store.server(), out);
      linkAndImport(commands, s3, credentials, store);
      readAll(commands, store);
      export(commands, plain, store);
      evict(commands, store);
      figures.print(out);
      out.printf(
          "%nresident memory of node and mount together: %d MB (L1 and L2 64 MiB each)%n",
          residentKilobytes(store.pid()) / 1000);
      waitForEnter(store);
    }
  }

  private void step(String text) {
    out.printf("%n== %s%n", text);
  }

  private void fillBucket(S3ProxyServer s3)
      throws IOException, InterruptedException, ExecutionException {
    var tree = Tree.find();
    step("A bucket with real files: " + tree.origin());
    long started = System.nanoTime();
    var permits = new Semaphore(THREADS);
    List<Future<?>> puts = new ArrayList<>();
    try (var plain = new PlainS3(s3.endpoint());
        var pool = Executors.newVirtualThreadPerTaskExecutor()) {
      plain.createBucket(BUCKET);
      tree.each(
          (name, content) -> {
            permits.acquireUninterruptibly();
            puts.add(
                pool.submit(
                    () -> {
                      try {
                        plain.put(BUCKET, PREFIX + name, content, Map.of());
                        remember(name, content);
                        return null;
                      } finally {
                        permits.release();
                      }
                    }));
          });
      for (Future<?> put : puts) {
        put.get();
      }
    }
    figures.add(
        "put into the bucket (plain S3 client)",
        checksums.size(),
        totalBytes.get(),
        System.nanoTime() - started);
    out.printf(
        "  %d objects, %d MB in s3://%s/%s%n",
        checksums.size(), totalBytes.get() / 1_000_000, BUCKET, PREFIX);
  }

  private void remember(String name, byte[] content) {
    var crc = new CRC32C();
    crc.update(content);
    checksums.put(name, (int) crc.getValue());
    totalBytes.addAndGet(content.length);
  }

  private void linkAndImport(Commands commands, S3ProxyServer s3, Path credentials, Store store)
      throws IOException, InterruptedException {
    step("Link a directory to it, import the names");
    commands.millrace(
        "link",
        "add",
        LINK,
        "s3://" + BUCKET + "/" + PREFIX,
        "--endpoint",
        s3.endpoint().uri().toString(),
        "--credentials",
        credentials.toString(),
        "--auto-export",
        "new,changed,deleted");
    long started = System.nanoTime();
    commands.millrace("import", LINK, "--wait");
    figures.add("import (metadata only)", checksums.size(), 0, System.nanoTime() - started);

    step("All names are there, no content yet");
    started = System.nanoTime();
    commands.shell("ls -lR " + store.mountPoint() + LINK + " | wc -l");
    figures.add("ls -lR", checksums.size(), 0, System.nanoTime() - started);
    requireState(commands, "cold", checksums.size());
  }

  private void readAll(Commands commands, Store store) throws IOException, InterruptedException {
    var readers = new Readers(store.mountPoint().resolve(LINK.substring(1)), checksums, THREADS);
    List<String> part =
        checksums.keySet().stream()
            .filter(name -> name.startsWith(PART))
            .sorted()
            .limit(3000)
            .toList();
    List<String> all = checksums.keySet().stream().sorted().toList();
    step("Lazy load: " + THREADS + " readers open files whose content is in the bucket");
    long partBytes = measure("lazy read of a part, " + THREADS + " readers", readers, part, 1);
    commands.millrace("state", "-r", LINK);

    step("Preload the rest ahead of the job");
    long before = System.nanoTime();
    commands.millrace("preload", LINK, "--wait");
    figures.add(
        "preload of the rest",
        all.size() - part.size(),
        totalBytes.get() - partBytes,
        System.nanoTime() - before);
    requireState(commands, "cached", all.size());

    step("Two shuffled epochs at cache speed");
    measure("epoch 1 (node's cache, page cache cold)", readers, all, 2);
    measure("epoch 2 (page cache warm)", readers, all, 3);
  }

  /** Returns the bytes read. */
  private long measure(String what, Readers readers, List<String> names, long seed)
      throws IOException, InterruptedException {
    long started = System.nanoTime();
    long bytes = readers.read(names, seed);
    long nanos = System.nanoTime() - started;
    figures.add(what, names.size(), bytes, nanos);
    out.printf("  %d files read, every byte as it was put%n", names.size());
    return bytes;
  }

  private void export(Commands commands, PlainS3 plain, Store store)
      throws IOException, InterruptedException {
    step("Write new files and change some; they appear in the bucket by themselves");
    Path root = store.mountPoint().resolve(LINK.substring(1));
    List<String> changed = checksums.keySet().stream().sorted().limit(50).toList();
    long started = System.nanoTime();
    Map<String, byte[]> expected = new HashMap<>();
    Files.createDirectories(root.resolve("notes"));
    for (int i = 0; i < 200; i++) {
      expected.put(
          "notes/note-" + i + ".txt",
          ("note " + i + "\n").repeat(100).getBytes(StandardCharsets.UTF_8));
    }
    for (String name : changed) {
      byte[] old = Files.readAllBytes(root.resolve(name));
      byte[] grown = Arrays.copyOf(old, old.length + 8);
      expected.put(name, grown);
    }
    long bytes = 0;
    for (var file : expected.entrySet()) {
      Files.write(root.resolve(file.getKey()), file.getValue());
      remember(file.getKey(), file.getValue());
      bytes += file.getValue().length;
    }
    figures.add("write new and change", expected.size(), bytes, System.nanoTime() - started);
    started = System.nanoTime();
    commands.millrace("wait", "--exported", LINK, "--timeout", "2m");
    figures.add(
        "auto-export, until all is in the bucket",
        expected.size(),
        bytes,
        System.nanoTime() - started);
    for (var file : expected.entrySet()) {
      if (!Arrays.equals(plain.get(BUCKET, PREFIX + file.getKey()).body(), file.getValue())) {
        throw new IOException("the bucket has other bytes in " + PREFIX + file.getKey());
      }
    }
    out.printf("  a plain S3 client reads all %d back, byte for byte%n", expected.size());
  }

  private void evict(Commands commands, Store store) throws IOException, InterruptedException {
    step("Evict: content is released, names stay; the next read loads it again");
    commands.millrace("evict", LINK, "--wait");
    requireState(commands, "cold", checksums.size());
    var readers = new Readers(store.mountPoint().resolve(LINK.substring(1)), checksums, THREADS);
    var shuffled = new ArrayList<>(checksums.keySet().stream().sorted().toList());
    Collections.shuffle(shuffled, new Random(EVICTED_READ));
    List<String> some = shuffled.subList(0, EVICTED_READ);
    dropPages(commands, store, some);
    measure("read again after eviction", readers, some, 4);
    out.println("  those not in the mount's own cache (L2) came from the bucket again:");
    requireState(commands, "cached", EVICTED_READ / 4);
  }

  /** The kernel may keep valid pages of released files; without them the read shows the bucket. */
  private static void dropPages(Commands commands, Store store, List<String> names)
      throws IOException, InterruptedException {
    Path list = Files.createTempFile("millrace-demo-", ".list");
    try {
      Files.write(list, names);
      commands.run(
          "cd '"
              + store.mountPoint()
              + LINK
              + "' && xargs -d '\\n' -I{} dd if={} iflag=nocache count=0 status=none < "
              + list);
    } finally {
      Files.delete(list);
    }
  }

  /** All files must be in this state: what the table says is true, or the demo fails. */
  private void requireState(Commands commands, String state, int files)
      throws IOException, InterruptedException {
    String text = commands.millrace("state", "-r", LINK);
    boolean holds =
        text.lines()
            .map(line -> line.strip().split("\\s+"))
            .anyMatch(words -> words[0].equals(state) && Integer.parseInt(words[1]) >= files);
    if (!holds) {
      throw new IOException(
          "expected " + files + " files to be " + state + ", but: " + text.strip());
    }
  }

  private static long residentKilobytes(long pid) throws IOException {
    for (String line : Files.readAllLines(Path.of("/proc", Long.toString(pid), "status"))) {
      if (line.startsWith("VmRSS:")) {
        return Long.parseLong(line.replaceAll("\\D", ""));
      }
    }
    throw new IOException("no VmRSS for " + pid);
  }

  private void waitForEnter(Store store) throws IOException {
    if (keep) {
      out.printf(
          "%nStill running: mount %s, node %s. Press Enter to end.%n",
          store.mountPoint(), store.server());
      System.in.read();
    }
  }
}
