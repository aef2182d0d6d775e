package io.millrace.testkit.s3;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * The answers to ListObjectsV2 for a directory of files, written beforehand as one XML file per
 * page: {@code first.xml}, and {@code p1000.xml} and so on for the continuation tokens. Etags are
 * those that nginx gives the same files, so that an import can be followed by conditional GETs.
 */
record ListingPages(Path bucket) {
  private static final int KEYS_PER_PAGE = 1000;

  void write(Path target) throws IOException {
    Files.createDirectories(target);
    List<String> keys = keys();
    for (int from = 0; from == 0 || from < keys.size(); from += KEYS_PER_PAGE) {
      int to = Math.min(keys.size(), from + KEYS_PER_PAGE);
      String next = to < keys.size() ? "p" + to : "";
      Path page = target.resolve((from == 0 ? "first" : "p" + from) + ".xml");
      Files.writeString(page, page(keys.subList(from, to), next));
    }
  }

  /** In the order of S3: by bytes of UTF-8. */
  private List<String> keys() throws IOException {
    try (var files = Files.walk(bucket)) {
      var keys =
          new ArrayList<>(
              files
                  .filter(Files::isRegularFile)
                  .map(f -> bucket.relativize(f).toString())
                  .toList());
      keys.sort((a, b) -> Arrays.compareUnsigned(utf8(a), utf8(b)));
      return keys;
    }
  }

  private static byte[] utf8(String text) {
    return text.getBytes(java.nio.charset.StandardCharsets.UTF_8);
  }

  private String page(List<String> keys, String next) throws IOException {
    var xml = new StringBuilder("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    xml.append("<ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Name>");
    xml.append(bucket.getFileName()).append("</Name><Prefix></Prefix><KeyCount>");
    xml.append(keys.size()).append("</KeyCount><MaxKeys>").append(KEYS_PER_PAGE);
    xml.append("</MaxKeys><IsTruncated>").append(!next.isEmpty()).append("</IsTruncated>");
    if (!next.isEmpty()) {
      xml.append("<NextContinuationToken>").append(next).append("</NextContinuationToken>");
    }
    for (String key : keys) {
      appendObject(xml, key);
    }
    return xml.append("</ListBucketResult>\n").toString();
  }

  private void appendObject(StringBuilder xml, String key) throws IOException {
    var file = Files.readAttributes(bucket.resolve(key), BasicFileAttributes.class);
    Instant changed = file.lastModifiedTime().toInstant().truncatedTo(ChronoUnit.SECONDS);
    String name = key.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;");
    xml.append("<Contents><Key>").append(name).append("</Key><LastModified>").append(changed);
    xml.append("</LastModified><ETag>&quot;");
    xml.append("%x-%x".formatted(changed.getEpochSecond(), file.size()));
    xml.append("&quot;</ETag><Size>").append(file.size());
    xml.append("</Size><StorageClass>STANDARD</StorageClass></Contents>");
  }
}
