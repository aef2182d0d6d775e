package io.millrace.bench;

import io.millrace.buckets.BucketUrl;
import io.millrace.buckets.Buckets;
import io.millrace.buckets.Credentials;
import io.millrace.core.api.Bucket;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.zip.CRC32C;

/**
 * GETs through the bucket port with the wrappers that the node puts around it, into off-heap memory
 * of the worker's own, as lazy load and preload do.
 */
record PortGets(Bucket bucket, S3Target target, Manifest manifest, boolean verify)
    implements GetLoop.Gets {

  static PortGets open(Arguments options, S3Target target, Manifest manifest, int connections)
      throws IOException {
    var usual =
        Buckets.Access.of(
            BucketUrl.parse("s3://" + target.bucket()),
            Optional.of(URI.create(options.text("endpoint", "http://127.0.0.1:9000"))),
            "",
            credentials(options.text("keys", "")));
    var access =
        new Buckets.Access(
            usual.url(),
            usual.endpoint(),
            usual.region(),
            usual.credentials(),
            connections,
            usual.bytesPerSecond(),
            usual.retry(),
            usual.abilities());
    Bucket bucket = new Buckets().open(access).once();
    return new PortGets(bucket, target, manifest, options.flag("verify"));
  }

  /** Bucket credentials come from files only (S26). */
  private static Credentials credentials(String keys) throws IOException {
    if (keys.isEmpty()) {
      return new Credentials.Anonymous();
    }
    Path file = Files.createTempFile("millrace-bench", ".keys");
    Files.writeString(file, keys.replaceFirst(":", "\n"));
    file.toFile().deleteOnExit();
    return new Credentials.File(file);
  }

  @Override
  public Workers.Worker worker() {
    MemorySegment memory = Arena.ofAuto().allocate(Math.max(1, manifest.largestBytes()));
    var crc = new CRC32C();
    return task -> {
      var entry = manifest.entries().get(task);
      MemorySegment body = memory.asSlice(0, entry.sizeBytes());
      int read = bucket.get(target.key(entry.path()), "", 0, body);
      if (read != entry.sizeBytes() || (verify && crcOf(crc, body) != entry.crc32c())) {
        throw new MeasuredCallFailed(entry.path() + ": wrong bytes");
      }
    };
  }

  private static int crcOf(CRC32C crc, MemorySegment body) {
    crc.reset();
    crc.update(body.asByteBuffer());
    return (int) crc.getValue();
  }

  @Override
  public void close() {
    bucket.close();
  }
}
