package io.millrace.cli.demo;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.zip.CRC32C;

/** Reads files of the mount as a training job does: many threads, shuffled, every byte checked. */
final class Readers {
  private final Path root;
  private final Map<String, Integer> checksums;
  private final int threads;

  /**
   * @param checksums CRC32C of each file's content by its name below {@code root}
   */
  Readers(Path root, Map<String, Integer> checksums, int threads) {
    this.root = root;
    this.checksums = checksums;
    this.threads = threads;
  }

  /**
   * Reads each file once.
   *
   * @return bytes read
   * @throws IOException a file could not be read or has other bytes than it should
   */
  long read(List<String> names, long seed) throws IOException, InterruptedException {
    var order = new ArrayList<>(names);
    Collections.shuffle(order, new Random(seed));
    var next = new AtomicInteger();
    long bytes = 0;
    try (var pool = Executors.newFixedThreadPool(threads)) {
      List<Future<Long>> parts = new ArrayList<>();
      for (int i = 0; i < threads; i++) {
        parts.add(pool.submit((Callable<Long>) () -> readSome(order, next)));
      }
      for (Future<Long> part : parts) {
        bytes += part.get();
      }
    } catch (ExecutionException e) {
      throw new IOException(e.getCause().getMessage(), e.getCause());
    }
    return bytes;
  }

  private long readSome(List<String> order, AtomicInteger next) throws IOException {
    long bytes = 0;
    var crc = new CRC32C();
    for (int i = next.getAndIncrement(); i < order.size(); i = next.getAndIncrement()) {
      byte[] content = Files.readAllBytes(root.resolve(order.get(i)));
      crc.reset();
      crc.update(content);
      if ((int) crc.getValue() != checksums.get(order.get(i))) {
        throw new IOException("wrong bytes in " + root.resolve(order.get(i)));
      }
      bytes += content.length;
    }
    return bytes;
  }
}
