package io.millrace.buckets;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.millrace.core.api.Bucket;
import io.millrace.core.api.Bucket.Condition;
import io.millrace.core.api.Bucket.ObjectInfo;
import io.millrace.core.api.Errno;
import io.millrace.core.api.FsException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;

/** What every implementation of the port does. Each test has keys below a prefix of its own. */
abstract class BucketContract {
  private static final Condition WRONG = new Condition.Matches("0123456789abcdef0123456789abcdef");
  private static final int PART_MIN = 5 << 20;

  protected Bucket bucket;
  private final Arena arena = Arena.ofAuto();

  /** A bucket that is there; closed after the test. */
  abstract Bucket open() throws Exception;

  /** Which conditions this store is known to honour. */
  Bucket.Abilities expectedAbilities() {
    return new Bucket.Abilities(true, true, true);
  }

  /** Whether keys that no file system holds are kept. */
  boolean holdsOddKeys() {
    return true;
  }

  /** By UTF-8 bytes, as the port says. */
  Comparator<String> listOrder() {
    return KeyOrder.UTF8;
  }

  @BeforeEach
  void openBucket() throws Exception {
    bucket = open();
  }

  @AfterEach
  void closeBucket() {
    if (bucket != null) {
      bucket.close();
    }
  }

  @Test
  void readsBackWhatWasPut() {
    ObjectInfo put = put("round/a", "hello", Condition.ALWAYS);
    var head = bucket.head("round/a").orElseThrow();
    assertEquals(5, head.info().size());
    assertEquals(put.etag(), head.info().etag());
    assertFalse(put.etag().contains("\""), put.etag());
    assertEquals("hello", get("round/a", put.etag(), 0, 100));
    assertEquals("hello", get("round/a", "", 0, 5));
  }

  @Test
  void readsRanges() {
    String etag = put("range/a", "0123456789", Condition.ALWAYS).etag();
    assertEquals("345", get("range/a", etag, 3, 3));
    assertEquals("89", get("range/a", etag, 8, 10));
    assertEquals("", get("range/a", etag, 10, 1));
    assertEquals("", get("range/a", etag, 1000, 1));
    assertEquals("", get("range/a", etag, 0, 0));
  }

  @Test
  void keepsEmptyObjects() {
    ObjectInfo put = put("empty/a", "", Condition.ALWAYS);
    assertEquals(0, bucket.head("empty/a").orElseThrow().info().size());
    assertEquals("", get("empty/a", put.etag(), 0, 10));
  }

  @Test
  void missingObjectsAreTold() {
    assertTrue(bucket.head("missing/a").isEmpty());
    assertErrno(Errno.ENOENT, () -> get("missing/a", "", 0, 1));
    assertErrno(Errno.ENOENT, () -> bucket.copy("missing/a", "", "missing/b", Optional.empty()));
    bucket.delete("missing/a", Condition.ALWAYS);
  }

  @Test
  void H02_anotherVersionIsNeverRead() {
    String first = put("stale/a", "first", Condition.ALWAYS).etag();
    String second = put("stale/a", "other", Condition.ALWAYS).etag();
    assertNotEquals(first, second);
    assertErrno(Errno.ESTALE, () -> get("stale/a", first, 0, 5));
    assertEquals("other", get("stale/a", second, 0, 5));
  }

  @Test
  void S05_putIfAbsentDoesNotOverwrite() {
    assumeTrue(expectedAbilities().putIfAbsent(), "this store ignores If-None-Match");
    put("absent/a", "mine", Condition.ABSENT);
    assertErrno(Errno.EEXIST, () -> put("absent/a", "yours", Condition.ABSENT));
    assertEquals("mine", get("absent/a", "", 0, 10));
  }

  @Test
  void S05_putIfMatchReplacesThatVersionOnly() {
    assumeTrue(expectedAbilities().putIfMatch(), "this store refuses If-Match on PUT");
    String first = put("match/a", "one", Condition.ALWAYS).etag();
    String second = put("match/a", "two!", new Condition.Matches(first)).etag();
    assertErrno(Errno.EEXIST, () -> put("match/a", "three", new Condition.Matches(first)));
    assertEquals("two!", get("match/a", second, 0, 10));
    assertErrno(Errno.EEXIST, () -> put("match/none", "x", WRONG));
  }

  @Test
  void H19_deleteIfMatchSparesOtherVersions() {
    assumeTrue(expectedAbilities().deleteIfMatch(), "this store ignores If-Match on DELETE");
    String etag = put("delete/a", "x", Condition.ALWAYS).etag();
    assertErrno(Errno.EEXIST, () -> bucket.delete("delete/a", WRONG));
    bucket.delete("delete/a", new Condition.Matches(etag));
    assertTrue(bucket.head("delete/a").isEmpty());
    bucket.delete("delete/a", new Condition.Matches(etag));
    assertErrno(Errno.EINVAL, () -> bucket.delete("delete/a", Condition.ABSENT));
  }

  @Test
  void deletes() {
    put("gone/a", "x", Condition.ALWAYS);
    bucket.delete("gone/a", Condition.ALWAYS);
    assertTrue(bucket.head("gone/a").isEmpty());
    assertErrno(Errno.ENOENT, () -> get("gone/a", "", 0, 1));
  }

  @Test
  void S15_metadataIsKeptWhateverItHolds() {
    var metadata =
        Map.of(
            "file-permissions", "0100644",
            "file-mtime", "1700000000123456789ns",
            "umlaut", "größe 100% 😀",
            "marked", "UTF-8''looks%20encoded",
            "percent", "50%25");
    bucket.put("meta/a", bytes("x"), metadata, "text/plain", Condition.ALWAYS);
    var head = bucket.head("meta/a").orElseThrow();
    assertEquals(metadata, head.metadata());
    assertEquals("text/plain", head.contentType());
  }

  @Test
  void copiesWithOrWithoutNewMetadata() {
    bucket.put("copy/a", bytes("body"), Map.of("k", "v"), "text/plain", Condition.ALWAYS);
    String etag = bucket.head("copy/a").orElseThrow().info().etag();
    bucket.copy("copy/a", etag, "copy/b c+ü", Optional.empty());
    assertEquals(Map.of("k", "v"), bucket.head("copy/b c+ü").orElseThrow().metadata());
    ObjectInfo info = bucket.copy("copy/a", "", "copy/d", Optional.of(Map.of("k", "new")));
    var head = bucket.head("copy/d").orElseThrow();
    assertEquals(Map.of("k", "new"), head.metadata());
    assertEquals("text/plain", head.contentType());
    assertEquals(4, info.size());
    assertEquals(head.info().etag(), info.etag());
    assertEquals("body", get("copy/d", info.etag(), 0, 10));
  }

  @Test
  void S17_metadataIsReplacedInPlace() {
    bucket.put("self/a", bytes("body"), Map.of("k", "v"), "text/plain", Condition.ALWAYS);
    ObjectInfo info = bucket.copy("self/a", "", "self/a", Optional.of(Map.of("k", "new")));
    var head = bucket.head("self/a").orElseThrow();
    assertEquals(Map.of("k", "new"), head.metadata());
    assertEquals("body", get("self/a", info.etag(), 0, 10));
  }

  @Test
  void H19_copyOfAnotherVersionIsRefused() {
    put("source/a", "x", Condition.ALWAYS);
    String wrong = ((Condition.Matches) WRONG).etag();
    assertErrno(Errno.ESTALE, () -> bucket.copy("source/a", wrong, "source/b", Optional.empty()));
    assertTrue(bucket.head("source/b").isEmpty());
  }

  @Test
  void listsInPagesWithoutGapOrRepeat() {
    var keys = IntStream.range(0, 25).mapToObj("page/k%02d"::formatted).toList();
    keys.forEach(key -> put(key, key, Condition.ALWAYS));
    put("pagf", "beyond", Condition.ALWAYS);
    var found = new ArrayList<String>();
    String token = "";
    int pages = 0;
    do {
      var page = bucket.list("page/", token, "", "", 10);
      assertTrue(page.objects().size() <= 10);
      page.objects().forEach(object -> found.add(object.key()));
      token = page.next().orElse("");
      pages++;
    } while (!token.isEmpty());
    assertEquals(keys, found);
    assertEquals(3, pages);
  }

  @Test
  void listedInfoIsThatOfHead() {
    put("info/a", "abc", Condition.ALWAYS);
    ObjectInfo listed = bucket.list("info/", "", "", "", 10).objects().getFirst();
    ObjectInfo head = bucket.head("info/a").orElseThrow().info();
    assertEquals(head.etag(), listed.etag());
    assertEquals(head.size(), listed.size());
    long apartNanos = Math.abs(head.mtimeNanos() - listed.mtimeNanos());
    assertTrue(apartNanos < 1_000_000_000L, head + " and " + listed);
  }

  @Test
  void listsAfterAKey() {
    for (String key : List.of("after/a", "after/b", "after/c")) {
      put(key, "x", Condition.ALWAYS);
    }
    var page = bucket.list("after/", "", "after/a", "", 10);
    assertEquals(
        List.of("after/b", "after/c"), page.objects().stream().map(ObjectInfo::key).toList());
    assertTrue(page.next().isEmpty());
  }

  @Test
  void listsPrefixesByDelimiter() {
    for (String key : List.of("tree/a", "tree/b/1", "tree/b/2", "tree/c/d/3", "tree/e")) {
      put(key, "x", Condition.ALWAYS);
    }
    var page = bucket.list("tree/", "", "", "/", 10);
    assertEquals(
        List.of("tree/a", "tree/e"), page.objects().stream().map(ObjectInfo::key).toList());
    assertEquals(List.of("tree/b/", "tree/c/"), page.prefixes());
  }

  @Test
  void listsDelimitedPages() {
    var prefixes = IntStream.range(0, 7).mapToObj("groups/%d/"::formatted).toList();
    prefixes.forEach(prefix -> put(prefix + "x", "x", Condition.ALWAYS));
    var found = new ArrayList<String>();
    String token = "";
    do {
      var page = bucket.list("groups/", token, "", "/", 3);
      found.addAll(page.prefixes());
      token = page.next().orElse("");
    } while (!token.isEmpty());
    assertEquals(prefixes, found);
  }

  @Test
  void keysHoldAnyText() {
    var keys =
        new ArrayList<>(
            List.of(
                "odd/a b", "odd/a+b", "odd/a%41", "odd/ü", "odd/\uFFEE", "odd/😀", "odd/a&<>'\""));
    keys.forEach(key -> put(key, key, Condition.ALWAYS));
    keys.forEach(key -> assertEquals(key, get(key, "", 0, 100)));
    keys.sort(listOrder());
    assertEquals(keys, keysBelow("odd/"));
    keys.forEach(key -> bucket.delete(key, Condition.ALWAYS));
    assertEquals(List.of(), keysBelow("odd/"));
  }

  @Test
  void S12_keysThatNoFileSystemHoldsAreKept() {
    assumeTrue(holdsOddKeys(), "this store keeps keys as files");
    var keys =
        new ArrayList<>(
            List.of(
                "hard/a",
                "hard/a/x",
                "hard/b/",
                "hard/c//d",
                "hard/./e",
                "hard/../f",
                "hard/\u0001",
                "hard/" + "g".repeat(300),
                "hard/" + "h/".repeat(400)));
    keys.forEach(key -> put(key, key, Condition.ALWAYS));
    keys.forEach(key -> assertEquals(key, get(key, "", 0, 1024)));
    keys.sort(KeyOrder.UTF8);
    assertEquals(keys, keysBelow("hard/"));
    bucket.delete("hard/a", Condition.ALWAYS);
    assertEquals("hard/a/x", get("hard/a/x", "", 0, 100));
  }

  @Test
  void S18_uploadsInParts() {
    MemorySegment first = random(PART_MIN, 1);
    MemorySegment second = random(1000, 2);
    String upload = bucket.beginUpload("parts/a", Map.of("k", "v"), "text/plain");
    // Out of order: parts are sent side by side.
    String etag2 = bucket.uploadPart("parts/a", upload, 2, second);
    String etag1 = bucket.uploadPart("parts/a", upload, 1, first);
    var done = bucket.completeUpload("parts/a", upload, List.of(etag1, etag2), Condition.ALWAYS);
    var head = bucket.head("parts/a").orElseThrow();
    assertEquals(PART_MIN + 1000, head.info().size());
    assertEquals(done.etag(), head.info().etag());
    assertEquals(Map.of("k", "v"), head.metadata());
    assertSame(first, read("parts/a", 0, PART_MIN));
    assertSame(second, read("parts/a", PART_MIN, 1000));
  }

  @Test
  void S18_untouchedPartsAreCopied() {
    MemorySegment body = random(PART_MIN + 100, 3);
    String etag = bucket.put("part/a", body, Map.of(), "", Condition.ALWAYS).etag();
    String upload = bucket.beginUpload("part/b", Map.of(), "");
    String part1 = bucket.copyPart("part/b", upload, 1, "part/a", etag, 0, PART_MIN);
    String part2 = bucket.uploadPart("part/b", upload, 2, bytes("tail"));
    var done = bucket.completeUpload("part/b", upload, List.of(part1, part2), Condition.ALWAYS);
    assertSame(body.asSlice(0, PART_MIN), read("part/b", 0, PART_MIN));
    assertEquals("tail", get("part/b", done.etag(), PART_MIN, 10));
  }

  @Test
  void uploadsEndOnce() {
    String upload = bucket.beginUpload("end/a", Map.of(), "");
    String part = bucket.uploadPart("end/a", upload, 1, bytes("x"));
    bucket.abortUpload("end/a", upload);
    bucket.abortUpload("end/a", upload);
    assertErrno(
        Errno.ENOENT,
        () -> bucket.completeUpload("end/a", upload, List.of(part), Condition.ALWAYS));
    assertTrue(bucket.head("end/a").isEmpty());
  }

  @Test
  void knowsItsAbilities() {
    assertEquals(expectedAbilities(), bucket.abilities());
    assertEquals(List.of(), keysBelow(".millrace-probe"));
  }

  @Test
  void checkPasses() {
    bucket.check();
  }

  @Test
  void readsLargeObjectsInPieces() {
    MemorySegment body = random(3_000_001, 4);
    String etag = bucket.put("large/a", body, Map.of(), "", Condition.ALWAYS).etag();
    MemorySegment target = arena.allocate(4 << 20);
    assertEquals(3_000_001, bucket.get("large/a", etag, 0, target));
    assertSame(body, target.asSlice(0, 3_000_001));
  }

  protected ObjectInfo put(String key, String body, Condition condition) {
    return bucket.put(key, bytes(body), Map.of(), "", condition);
  }

  protected String get(String key, String etag, long offset, int length) {
    MemorySegment target = arena.allocate(Math.max(1, length)).asSlice(0, length);
    int read = bucket.get(key, etag, offset, target);
    return new String(target.asSlice(0, read).toArray(ValueLayout.JAVA_BYTE), UTF_8);
  }

  private MemorySegment read(String key, long offset, int length) {
    MemorySegment target = arena.allocate(length);
    assertEquals(length, bucket.get(key, "", offset, target));
    return target;
  }

  private MemorySegment random(int length, long seed) {
    byte[] bytes = new byte[length];
    new Random(seed).nextBytes(bytes);
    return arena.allocateFrom(ValueLayout.JAVA_BYTE, bytes);
  }

  private List<String> keysBelow(String prefix) {
    var page = bucket.list(prefix, "", "", "", 1000);
    assertEquals(Optional.empty(), page.next());
    return page.objects().stream().map(ObjectInfo::key).toList();
  }

  protected static MemorySegment bytes(String text) {
    return MemorySegment.ofArray(text.getBytes(UTF_8));
  }

  protected static FsException assertErrno(Errno errno, Executable request) {
    var failure = assertThrows(FsException.class, request);
    assertEquals(errno, failure.errno(), failure.getMessage());
    return failure;
  }

  private static void assertSame(MemorySegment expected, MemorySegment found) {
    assertEquals(
        -1, expected.mismatch(found), () -> Arrays.toString(new long[] {found.byteSize()}));
  }
}
