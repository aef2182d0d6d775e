package io.millrace.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.zip.CRC32C;
import software.amazon.awssdk.core.sync.RequestBody;
import software.amazon.awssdk.services.s3.S3Client;
import software.amazon.awssdk.services.s3.model.BucketAlreadyOwnedByYouException;

/**
 * Makes a data set of many files, sizes log-uniform between two bounds, content determined by a
 * seed, in a directory or in a bucket, and writes its manifest.
 */
public final class MakeFiles {
  private MakeFiles() {}

  /** What the options describe: file {@code i} depends on nothing but the seed and {@code i}. */
  private record Plan(int count, int minBytes, int maxBytes, int perDirectory, long seed) {
    String path(int file) {
      return "d%05d/f%07d.bin".formatted(file / perDirectory, file);
    }

    byte[] content(int file) {
      var random = new SplittableRandom(seed + file * 0x9E3779B97F4A7C15L);
      double size = minBytes * Math.pow((double) maxBytes / minBytes, random.nextDouble());
      byte[] bytes = new byte[(int) Math.round(size)];
      random.nextBytes(bytes);
      return bytes;
    }
  }

  private interface Sink {
    void put(String path, byte[] content) throws IOException;
  }

  public static void main(String[] args) throws Exception {
    var options =
        new Arguments(
            args,
            Set.of(
                "count",
                "min",
                "max",
                "per-directory",
                "seed",
                "threads",
                "manifest",
                "endpoint",
                "keys"),
            Set.of("json"));
    String to = options.word(0, "DIRECTORY or s3://BUCKET/PREFIX");
    var plan =
        new Plan(
            options.number("count", 20_000),
            Math.toIntExact(options.bytes("min", 4 << 10)),
            Math.toIntExact(options.bytes("max", 128 << 10)),
            options.number("per-directory", 500),
            options.longNumber("seed", 1));
    int threads = options.number("threads", 8);
    if (S3Target.isOne(to)) {
      try (var s3 = S3Target.client(options, threads)) {
        make(plan, options, threads, objects(s3, S3Target.parse(to)));
      }
    } else {
      make(plan, options, threads, files(Path.of(to), plan));
    }
  }

  private static Sink files(Path root, Plan plan) throws IOException {
    for (int f = 0; f < plan.count(); f += plan.perDirectory()) {
      Files.createDirectories(root.resolve(plan.path(f)).getParent());
    }
    return (path, content) -> Files.write(root.resolve(path), content);
  }

  private static Sink objects(S3Client s3, S3Target target) {
    try {
      s3.createBucket(b -> b.bucket(target.bucket()));
    } catch (BucketAlreadyOwnedByYouException there) {
      return objectsOf(s3, target);
    }
    return objectsOf(s3, target);
  }

  private static Sink objectsOf(S3Client s3, S3Target target) {
    return (path, content) ->
        s3.putObject(
            b -> b.bucket(target.bucket()).key(target.key(path)), RequestBody.fromBytes(content));
  }

  private static void make(Plan plan, Arguments options, int threads, Sink sink) throws Exception {
    var entries = new Manifest.Entry[plan.count()];
    long[] nanos = new long[plan.count()];
    Workers.Worker worker =
        file -> {
          byte[] content = plan.content(file);
          var crc = new CRC32C();
          crc.update(content);
          sink.put(plan.path(file), content);
          entries[file] = new Manifest.Entry(plan.path(file), content.length, (int) crc.getValue());
        };
    var cost = Workers.run(Thread.ofVirtual(), threads, plan.count(), nanos, "", thread -> worker);
    var manifest = new Manifest(Arrays.asList(entries));
    String list = options.text("manifest", "");
    if (!list.isEmpty()) {
      manifest.write(Path.of(list));
    }
    var report =
        new Report()
            .put("program", "MakeFiles")
            .put("seed", plan.seed())
            .put("bytes", manifest.totalBytes());
    cost.into(report, plan.count(), manifest.totalBytes(), nanos);
    System.out.println(options.flag("json") ? report.json() : report.line());
  }
}
