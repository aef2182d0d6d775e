package io.millrace.bench;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.millrace.testkit.s3.S3ProxyServer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The programs with tiny inputs, so that they can't rot, and so that wrong bytes fail a run. */
class ProgramsTest {
  @TempDir Path directory;
  private Path data;
  private Path manifest;

  @BeforeEach
  void makeFiles() throws Exception {
    data = directory.resolve("data");
    manifest = directory.resolve("manifest");
    make(data.toString(), "--manifest", manifest.toString());
  }

  private static void make(String to, String... more) throws Exception {
    String[] fixed = {to, "--count", "60", "--per-directory", "25", "--max", "8KiB"};
    String[] all = java.util.Arrays.copyOf(fixed, fixed.length + more.length);
    System.arraycopy(more, 0, all, fixed.length, more.length);
    MakeFiles.main(all);
  }

  @Test
  void makesTheSameFilesFromTheSameSeed() throws Exception {
    make(directory.resolve("again").toString());
    var entries = Manifest.read(manifest).entries();
    assertEquals(60, entries.size());
    for (var entry : entries) {
      assertEquals(entry.sizeBytes(), Files.size(data.resolve(entry.path())));
      assertTrue(entry.sizeBytes() >= 4096 && entry.sizeBytes() <= 8192);
      Path other = directory.resolve("again").resolve(entry.path());
      assertEquals(-1, Files.mismatch(data.resolve(entry.path()), other));
    }
  }

  @Test
  void anEpochFindsOneFlippedBit() throws Exception {
    String[] args = {data.toString(), "--manifest", manifest.toString(), "--verify", "--json"};
    assertDoesNotThrow(() -> Epoch.main(args));
    Path victim = data.resolve(Manifest.read(manifest).entries().get(7).path());
    byte[] bytes = Files.readAllBytes(victim);
    bytes[5] ^= 1;
    Files.write(victim, bytes);
    var e = assertThrows(IllegalStateException.class, () -> Epoch.main(args));
    assertTrue(e.getMessage().contains("wrong bytes"), e.getMessage());
  }

  @Test
  void anEpochFindsAMissingFile() throws Exception {
    Files.delete(data.resolve(Manifest.read(manifest).entries().get(3).path()));
    String[] args = {data.toString(), "--manifest", manifest.toString()};
    var e = assertThrows(IllegalStateException.class, () -> Epoch.main(args));
    assertTrue(e.getMessage().contains("errno 2"), e.getMessage());
  }

  @Test
  void createsAndChecksSmallFiles() throws Exception {
    Path made = directory.resolve("made");
    SmallCreate.main(
        new String[] {made.toString(), "--count", "50", "--threads", "3", "--verify", "--fsync"});
    assertEquals(50, Manifest.walk(made).entries().size());
  }

  @Test
  void metadataLeavesNothingInSharedAndInPrivateDirectories() throws Exception {
    Path made = Files.createDirectory(directory.resolve("meta"));
    Metadata.main(new String[] {made.toString(), "--count", "60", "--threads", "3"});
    Metadata.main(new String[] {made.toString(), "--count", "60", "--threads", "2", "--shared"});
    assertEquals(0, Manifest.walk(made).entries().size());
    Files.createFile(made.resolve("m0").resolve("f0-0000001"));
    String[] again = {made.toString(), "--count", "60", "--threads", "2", "--shared"};
    var e = assertThrows(IllegalStateException.class, () -> Metadata.main(again));
    assertTrue(e.getMessage().contains("errno 17"), e.getMessage());
  }

  @Test
  void metadataGoesOnWhereAnotherRunStopped() throws Exception {
    Path made = Files.createDirectory(directory.resolve("meta-parts"));
    String[] common = {made.toString(), "--count", "60", "--threads", "2", "--shared", "--only"};
    Metadata.main(and(common, "create,listing", "--in", "one", "--other-root", made.toString()));
    assertEquals(60, Manifest.walk(made).entries().size());
    var e = assertThrows(MeasuredCallFailed.class, () -> Metadata.main(and(common, "readdir")));
    assertEquals("after READDIR: 0 entries, not 60", e.getMessage());
    Metadata.main(and(common, "unlink", "--in", "one"));
    assertEquals(0, Manifest.walk(made).entries().size());
  }

  private static String[] and(String[] some, String... more) {
    return Stream.concat(Stream.of(some), Stream.of(more)).toArray(String[]::new);
  }

  @Test
  void aSequentialReadFindsAChangedByte() throws Exception {
    Path big = directory.resolve("big");
    Sequential.main(new String[] {"write", big.toString(), "--size", "4MiB", "--fsync"});
    String[] read = {"read", big.toString(), "--size", "4MiB", "--verify"};
    assertDoesNotThrow(() -> Sequential.main(read));
    byte[] bytes = Files.readAllBytes(big);
    bytes[3_000_000] ^= 1;
    Files.write(big, bytes);
    var e = assertThrows(MeasuredCallFailed.class, () -> Sequential.main(read));
    assertEquals("wrong bytes at 3000000", e.getMessage());
  }

  @Test
  void refusesAMisspeltOption() {
    String[] args = {data.toString(), "--thread", "3"};
    assertThrows(IllegalArgumentException.class, () -> Epoch.main(args));
    String[] swallowing = {data.toString(), "--manifest", "--verify"};
    assertThrows(IllegalArgumentException.class, () -> Epoch.main(swallowing));
  }

  @Test
  @Tag("s3")
  void getsWhatItPutIntoABucket() throws Exception {
    try (var server = S3ProxyServer.start()) {
      String endpoint = server.endpoint().uri().toString();
      make("s3://bench/set", "--endpoint", endpoint, "--keys", "test:testtest");
      String[] loop = {
        "s3://bench/set",
        "--endpoint",
        endpoint,
        "--keys",
        "test:testtest",
        "--verify",
        "--manifest",
        manifest.toString()
      };
      assertDoesNotThrow(() -> GetLoop.main(loop));
      String[] port = Arrays.copyOf(loop, loop.length + 2);
      port[loop.length] = "--client";
      port[loop.length + 1] = "millrace";
      assertDoesNotThrow(() -> GetLoop.main(port));
      Files.delete(server.objects().resolve("bench/set").resolve("d00000/f0000003.bin"));
      assertThrows(IllegalStateException.class, () -> GetLoop.main(loop));
      assertThrows(IllegalStateException.class, () -> GetLoop.main(port));
    }
  }
}
