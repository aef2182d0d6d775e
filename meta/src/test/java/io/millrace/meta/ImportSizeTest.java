package io.millrace.meta;

import static io.millrace.meta.NamespaceFixture.ROOT;
import static io.millrace.meta.NamespaceFixture.bytes;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.millrace.proto.ImportBatch;
import io.millrace.proto.ImportDirectory;
import io.millrace.proto.ImportEntry;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HexFormat;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What an imported entry costs on disk, with names, etags and times that don't compress. */
class ImportSizeTest {
  private static final int FILES = 100_000;
  private static final int PER_DIRECTORY = 1_000;
  private static final int BYTES_PER_ENTRY_MAX = 150;
  @TempDir Path directory;

  @Test
  void importedEntryTakesAtMost150Bytes() {
    var random = new SplittableRandom(1);
    try (var fs = new NamespaceFixture(directory.resolve("meta"))) {
      long root = fs.dir(ROOT, "data");
      int link = fs.link(root);
      long nanos = 0;
      for (int d = 0; d < FILES / PER_DIRECTORY; d++) {
        ImportBatch.Builder batch =
            ImportBatch.newBuilder()
                .setLink(link)
                .addDirectories(ImportDirectory.newBuilder().setIno(root))
                .addDirectories(directory(random, d));
        long start = System.nanoTime();
        fs.imported(batch);
        nanos += System.nanoTime() - start;
      }
      assertEquals(FILES + FILES / PER_DIRECTORY + 2, fs.namespace.inodes());
      fs.namespace.store().compact();
      long bytes = fs.namespace.store().property("rocksdb.total-sst-files-size");
      System.out.printf(
          "import: %.1f bytes on disk per entry, %.0f entries/s%n",
          (double) bytes / FILES, FILES * 1e9 / nanos);
      assertTrue(bytes / FILES <= BYTES_PER_ENTRY_MAX, "bytes per entry: " + bytes / FILES);
    }
  }

  /** Memory must not grow with the number of files (H29); prints the rate. */
  @Test
  @Tag("long")
  void H29_memoryStaysFlatOverAMillionEntries() throws IOException {
    var random = new SplittableRandom(1);
    try (var fs = new NamespaceFixture(directory.resolve("meta"))) {
      long root = fs.dir(ROOT, "data");
      int link = fs.link(root);
      long residentAtFifth = 0;
      for (int part = 0; part < 10; part++) {
        long nanos = 0;
        for (int d = part * 100; d < part * 100 + 100; d++) {
          ImportBatch.Builder batch =
              ImportBatch.newBuilder()
                  .setLink(link)
                  .addDirectories(ImportDirectory.newBuilder().setIno(root))
                  .addDirectories(directory(random, d));
          long start = System.nanoTime();
          fs.imported(batch);
          nanos += System.nanoTime() - start;
        }
        System.out.printf(
            "import: %.0f entries/s, resident %d MiB%n",
            FILES * 1e9 / nanos, residentBytes() >> 20);
        residentAtFifth = part == 4 ? residentBytes() : residentAtFifth;
      }
      assertTrue(residentBytes() < residentAtFifth + (64L << 20), "resident memory grows");
    }
  }

  private static long residentBytes() throws IOException {
    String pages = Files.readString(Path.of("/proc/self/statm")).split(" ", 3)[1];
    return Long.parseLong(pages) * 4096;
  }

  private static ImportDirectory directory(SplittableRandom random, int d) {
    ImportDirectory.Builder dir =
        ImportDirectory.newBuilder().setName(bytes("class-%05d".formatted(d))).setKnownEmpty(true);
    for (int i = 0; i < PER_DIRECTORY; i++) {
      byte[] etag = new byte[16];
      random.nextBytes(etag);
      ImportEntry entry =
          NamespaceFixture.entry(
              "img_%08d.jpg".formatted(i * 7919 + d),
              HexFormat.of().formatHex(etag),
              random.nextInt(4_000, 128_000));
      long mtime = (1_600_000_000L + random.nextInt(100_000_000)) * 1_000_000_000L;
      dir.addEntries(
          entry.toBuilder()
              .setMtimeNs(mtime)
              .setObject(entry.getObject().toBuilder().setMtimeNs(mtime)));
    }
    return dir.build();
  }
}
