package io.millrace.buckets;

import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.management.ThreadMXBean;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import software.amazon.awssdk.core.sync.ResponseTransformer;
import software.amazon.awssdk.services.s3.S3Client;

/** A GET through the port against a plain GET of the AWS SDK: bytes allocated, not time. */
class GetCostTest {
  private static final int ROUNDS = 300;
  private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

  @Test
  void theWholeStackAllocatesAFractionOfWhatTheSdkDoes(@TempDir Path directory) throws IOException {
    Path keys = Files.writeString(directory.resolve("keys"), "AKIAKEY\ntop-secret-key\n");
    String answer =
        ScriptedServer.answer(
            206, "x".repeat(4096), "ETag: \"e1\"", "Content-Range: bytes 0-4095/4096");
    MemorySegment target = Arena.ofAuto().allocate(4096);
    try (var server = new ScriptedServer(answer);
        var opened = open(server, keys);
        S3Client plain = plain(server, keys)) {
      Runnable byLibrary =
          () -> plain.getObject(r -> r.bucket("b").key("k"), ResponseTransformer.toBytes());
      Runnable byPort = () -> opened.bucket().get("k", "e1", 0, target);
      long library = bytesPerRun(byLibrary);
      long port = bytesPerRun(byPort);
      assertTrue(port < library / 5, "port " + port + ", library " + library);
    }
  }

  private static Buckets.Opened open(ScriptedServer server, Path keys) {
    return new Buckets()
        .open(
            Buckets.Access.of(
                BucketUrl.parse("s3://b"),
                Optional.of(server.uri()),
                "",
                new Credentials.File(keys)));
  }

  private static S3Client plain(ScriptedServer server, Path keys) {
    var settings = S3Settings.of("b", Optional.of(server.uri()), new Credentials.File(keys));
    return S3Clients.client(
        settings, S3Clients.credentials(settings.credentials()), S3Clients.http(settings));
  }

  private static long bytesPerRun(Runnable run) {
    for (int i = 0; i < ROUNDS; i++) {
      run.run();
    }
    long before = THREADS.getCurrentThreadAllocatedBytes();
    for (int i = 0; i < ROUNDS; i++) {
      run.run();
    }
    return (THREADS.getCurrentThreadAllocatedBytes() - before) / ROUNDS;
  }
}
