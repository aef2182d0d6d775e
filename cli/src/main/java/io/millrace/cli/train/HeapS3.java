package io.millrace.cli.train;

import com.google.protobuf.ByteString;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;
import java.util.SortedMap;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/**
 * Just as much of S3 as the training load asks for, over a map: one bucket, LIST, GET, HEAD, PUT
 * and DELETE, with conditions. It needs nothing that a build may lack, and little CPU time. Any
 * thread.
 */
final class HeapS3 implements AutoCloseable {
  private static final int KEYS_PER_PAGE = 1000;

  private record Stored(ByteString body, String etag) {}

  private final SortedMap<String, Stored> objects = new ConcurrentSkipListMap<>();
  private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
  private final HttpServer server;

  HeapS3() throws IOException {
    server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.setExecutor(threads);
    server.createContext("/", this::serve);
    server.start();
  }

  String endpoint() {
    return "http://127.0.0.1:" + server.getAddress().getPort();
  }

  void put(String key, byte[] body) {
    objects.put(
        key,
        new Stored(
            ByteString.copyFrom(body), "\"%08x%08x\"".formatted(key.hashCode(), body.length)));
  }

  int size() {
    return objects.size();
  }

  private void serve(HttpExchange http) throws IOException {
    try (http) {
      String[] path = http.getRequestURI().getPath().split("/", 3);
      String key = path.length < 3 ? "" : path[2];
      byte[] body = http.getRequestBody().readAllBytes();
      if (key.isEmpty()) {
        answer(http, 200, list(query(http)));
      } else if (!allowed(http, objects.get(key))) {
        answer(http, 412, new byte[0]);
      } else {
        object(http, key, body);
      }
    }
  }

  private void object(HttpExchange http, String key, byte[] body) throws IOException {
    switch (http.getRequestMethod()) {
      case "PUT" -> {
        put(key, body);
        http.getResponseHeaders().set("ETag", objects.get(key).etag);
        answer(http, 200, new byte[0]);
      }
      case "DELETE" -> {
        objects.remove(key);
        answer(http, 204, null);
      }
      default -> get(http, objects.get(key));
    }
  }

  private static void get(HttpExchange http, Stored found) throws IOException {
    if (found == null) {
      answer(http, 404, new byte[0]);
      return;
    }
    http.getResponseHeaders().set("ETag", found.etag);
    http.getResponseHeaders().set("Last-Modified", "Thu, 01 Jan 2026 00:00:00 GMT");
    if (http.getRequestMethod().equals("HEAD")) {
      http.getResponseHeaders().set("Content-Length", Integer.toString(found.body.size()));
      answer(http, 200, null);
      return;
    }
    String range = http.getRequestHeaders().getFirst("Range");
    if (range == null) {
      answer(http, 200, found.body.toByteArray());
      return;
    }
    String[] bounds = range.substring("bytes=".length()).split("-", 2);
    int from = Math.min(Integer.parseInt(bounds[0]), found.body.size());
    int to = (int) Math.min(Long.parseLong(bounds[1]) + 1, found.body.size());
    http.getResponseHeaders()
        .set("Content-Range", "bytes %d-%d/%d".formatted(from, to - 1, found.body.size()));
    answer(http, 206, found.body.substring(from, to).toByteArray());
  }

  private static boolean allowed(HttpExchange http, Stored found) {
    String match = http.getRequestHeaders().getFirst("If-Match");
    String none = http.getRequestHeaders().getFirst("If-None-Match");
    return (match == null || (found != null && found.etag.equals(match)))
        && (none == null || found == null);
  }

  private static Map<String, String> query(HttpExchange http) {
    var found = new HashMap<String, String>();
    String raw = http.getRequestURI().getRawQuery();
    for (String part : raw == null ? new String[0] : raw.split("&", -1)) {
      String[] pair = part.split("=", 2);
      found.put(
          pair[0], pair.length == 1 ? "" : URLDecoder.decode(pair[1], StandardCharsets.UTF_8));
    }
    return found;
  }

  private byte[] list(Map<String, String> query) {
    String prefix = query.getOrDefault("prefix", "");
    String from = query.getOrDefault("continuation-token", prefix);
    int limit = Integer.parseInt(query.getOrDefault("max-keys", "" + KEYS_PER_PAGE));
    var contents = new StringBuilder();
    String next = "";
    int count = 0;
    for (var object : objects.tailMap(from).entrySet()) {
      if (!object.getKey().startsWith(prefix)) {
        break;
      }
      if (count == limit) {
        next = object.getKey();
        break;
      }
      count++;
      contents.append(
          """
          <Contents><Key>%s</Key><LastModified>2026-01-01T00:00:00.000Z</LastModified>\
          <ETag>%s</ETag><Size>%d</Size><StorageClass>STANDARD</StorageClass></Contents>"""
              .formatted(object.getKey(), object.getValue().etag, object.getValue().body.size()));
    }
    String token =
        next.isEmpty() ? "" : "<NextContinuationToken>" + next + "</NextContinuationToken>";
    return """
        <?xml version="1.0" encoding="UTF-8"?>
        <ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><KeyCount>%d</KeyCount>\
        <IsTruncated>%s</IsTruncated>%s%s</ListBucketResult>"""
        .formatted(count, !next.isEmpty(), token, contents)
        .getBytes(StandardCharsets.UTF_8);
  }

  /** {@code body} null: there is none, not even an empty one. */
  private static void answer(HttpExchange http, int status, byte[] body) throws IOException {
    http.sendResponseHeaders(status, body == null || body.length == 0 ? -1 : body.length);
    if (body != null && body.length > 0) {
      http.getResponseBody().write(body);
    }
  }

  @Override
  public void close() {
    server.stop(0);
    threads.close();
  }
}
