package io.millrace.bench;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.zip.CRC32C;
import software.amazon.awssdk.services.s3.S3Client;

/**
 * The plain loop of GETs that lazy load and preload are measured against: the S3 library they use,
 * as many virtual threads as connections, every object of a manifest read to its end. With {@code
 * --client millrace} the same through Millrace's bucket port, into off-heap memory.
 */
public final class GetLoop {
  private GetLoop() {}

  public static void main(String[] args) throws Exception {
    var options =
        new Arguments(
            args,
            Set.of("manifest", "endpoint", "keys", "connections", "rounds", "also-pid", "client"),
            Set.of("verify", "json", "platform", "virtual"));
    var target = S3Target.parse(options.word(0, "s3://BUCKET/PREFIX"));
    var manifest = Manifest.read(Path.of(options.text("manifest", "manifest")));
    int connections = options.number("connections", 16);
    int count = manifest.entries().size();
    List<Report> rounds = new ArrayList<>();
    try (Gets gets = gets(options, target, manifest, connections)) {
      for (int r = 1; r <= options.number("rounds", 1); r++) {
        long[] nanos = new long[count];
        var cost =
            Workers.run(
                options.flag("platform") ? Thread.ofPlatform() : Thread.ofVirtual(),
                connections,
                count,
                nanos,
                options.text("also-pid", ""),
                _ -> gets.worker());
        var report = new Report().put("program", "GetLoop").put("round", r);
        rounds.add(cost.into(report, count, manifest.totalBytes(), nanos));
      }
    }
    rounds.forEach(r -> System.out.println(options.flag("json") ? r.json() : r.line()));
  }

  /** One of the clients that can be measured. */
  interface Gets extends AutoCloseable {
    Workers.Worker worker();

    @Override
    void close();
  }

  private static Gets gets(Arguments options, S3Target target, Manifest manifest, int connections)
      throws IOException {
    if (options.flag("platform") && options.flag("virtual")) {
      throw new IllegalArgumentException("--virtual or --platform, not both");
    }
    boolean verify = options.flag("verify");
    return switch (options.text("client", "sdk")) {
      case "sdk" -> new SdkGets(S3Target.client(options, connections), target, manifest, verify);
      case "millrace" -> PortGets.open(options, target, manifest, connections);
      default -> throw new IllegalArgumentException("--client sdk or millrace");
    };
  }

  private record SdkGets(S3Client s3, S3Target target, Manifest manifest, boolean verify)
      implements Gets {
    @Override
    public Workers.Worker worker() {
      return new Getter(s3, target, manifest, verify);
    }

    @Override
    public void close() {
      s3.close();
    }
  }

  private static final class Getter implements Workers.Worker {
    private final S3Client s3;
    private final S3Target target;
    private final Manifest manifest;
    private final boolean verify;
    private final byte[] buffer = new byte[128 << 10];
    private final CRC32C crc = new CRC32C();

    Getter(S3Client s3, S3Target target, Manifest manifest, boolean verify) {
      this.s3 = s3;
      this.target = target;
      this.manifest = manifest;
      this.verify = verify;
    }

    @Override
    public void run(int task) throws IOException {
      var entry = manifest.entries().get(task);
      long length;
      try (var body = s3.getObject(b -> b.bucket(target.bucket()).key(target.key(entry.path())))) {
        length = drain(body);
      }
      if (length != entry.sizeBytes() || (verify && (int) crc.getValue() != entry.crc32c())) {
        throw new MeasuredCallFailed(entry.path() + ": wrong bytes");
      }
    }

    private long drain(InputStream body) throws IOException {
      crc.reset();
      long length = 0;
      for (int got = body.read(buffer); got >= 0; got = body.read(buffer)) {
        length += got;
        if (verify) {
          crc.update(buffer, 0, got);
        }
      }
      return length;
    }
  }
}
