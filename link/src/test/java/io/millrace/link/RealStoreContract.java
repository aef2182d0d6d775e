package io.millrace.link;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.millrace.buckets.Credentials;
import io.millrace.buckets.S3Bucket;
import io.millrace.buckets.S3Settings;
import io.millrace.proto.Inode;
import io.millrace.proto.TaskKind;
import io.millrace.proto.TaskRecord;
import io.millrace.proto.TaskState;
import io.millrace.testkit.s3.PlainS3;
import io.millrace.testkit.s3.S3Endpoint;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The link's main path against a real S3 server; looked at with a client that is not ours. */
abstract class RealStoreContract {
  @TempDir Path directory;
  private LinkFixture fixture;
  private PlainS3 plain;
  private String name;

  abstract S3Endpoint endpoint();

  @BeforeEach
  void open() throws IOException {
    plain = new PlainS3(endpoint());
    name = "link-" + Long.toHexString(System.nanoTime());
    plain.createBucket(name);
    Path keys = endpoint().writeCredentials(directory.resolve("keys"));
    var settings =
        S3Settings.of(name, Optional.of(endpoint().uri()), Credentials.parse("file:" + keys));
    fixture = new LinkFixture(directory.resolve("store"), new S3Bucket(settings));
  }

  @AfterEach
  void close() {
    fixture.close();
    fixture.bucket.inner.close();
    plain.close();
  }

  @Test
  void importLoadPreloadExportEvictAgainstARealServer() throws IOException {
    for (int i = 0; i < 40; i++) {
      plain.put(name, "in/d" + i % 4 + "/f" + i, ("body " + i).getBytes(UTF_8), Map.of());
    }
    fixture.exporting("/x", "");
    assertEquals(40, fixture.run(TaskKind.TASK_IMPORT, "/x").getFilesDone());
    assertEquals("body 7", fixture.read("/x/in/d3/f7"));
    TaskRecord preload = fixture.run(TaskKind.TASK_PRELOAD, "/x");
    assertEquals(39, preload.getFilesDone(), preload.toString());

    byte[] big = new byte[17 << 20];
    new Random(3).nextBytes(big);
    fixture.mkdir("/x/out");
    fixture.write(fixture.create("/x/out/big"), 0, big);
    fixture.write("/x/out/small", "small");
    fixture.write("/x/in/d0/f0", "BODY");
    fixture.unlink("/x/in/d1/f1");
    fixture.rename("/x/in/d2", "/x/moved");
    assertTrue(fixture.exported("/x", 60_000), () -> "not exported: " + status());
    assertArrayEquals(big, plain.get(name, "out/big").body());
    assertEquals("small", text("out/small"));
    assertEquals("BODY 0", text("in/d0/f0"));
    assertEquals("body 2", text("moved/f2"));
    assertTrue(plain.keys(name, "in/d2/").isEmpty());
    assertTrue(plain.keys(name, "in/d1/f1").stream().noneMatch("in/d1/f1"::equals));

    TaskRecord evict = fixture.run(TaskKind.TASK_EVICT, "/x");
    assertEquals(TaskState.TASK_DONE, evict.getState(), evict.toString());
    assertEquals(41, evict.getFilesDone(), evict.toString());
    Inode file = fixture.at("/x/out/big");
    assertEquals("cold", fixture.state("/x/out/big"));
    assertArrayEquals(big, fixture.readBytes(file));
    assertEquals("BODY 0", fixture.read("/x/in/d0/f0"));
    assertEquals(41, fixture.run(TaskKind.TASK_IMPORT, "/x").getFilesSkipped());
  }

  private String status() {
    return fixture.namespace.changes(1, 0, 10) + fixture.bucket.requests.toString();
  }

  private String text(String key) throws IOException {
    return new String(plain.get(name, key).body(), UTF_8);
  }
}
