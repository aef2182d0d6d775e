package io.millrace.bench;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import io.millrace.core.api.Bucket.ObjectInfo;
import io.millrace.core.api.Bucket.Page;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.Executors;

/**
 * ListObjectsV2 over {@link ListedBucket}: what a bucket of millions of objects shows a server that
 * imports it, without a disk that holds them. It is read-only, and has no object. Threads are the
 * HTTP server's own.
 */
final class ListingServer implements AutoCloseable {
  private static final int BACKLOG = 16;

  private final ListedBucket bucket;
  private final HttpServer server;

  ListingServer(int objects) throws IOException {
    bucket = new ListedBucket(objects);
    server = HttpServer.create(new InetSocketAddress(loopback(), 0), BACKLOG);
    server.setExecutor(Executors.newVirtualThreadPerTaskExecutor());
    server.createContext("/", this::answer);
    server.start();
  }

  private static InetAddress loopback() {
    return InetAddress.getLoopbackAddress();
  }

  String endpoint() {
    return "http://127.0.0.1:" + server.getAddress().getPort();
  }

  private void answer(HttpExchange exchange) throws IOException {
    try (exchange) {
      Map<String, String> query = query(exchange.getRequestURI().getQuery());
      if (query.containsKey("list-type")) {
        send(exchange, 200, listing(query));
      } else if (exchange.getRequestMethod().equals("PUT")) {
        exchange.getRequestBody().transferTo(OutputStream.nullOutputStream());
        send(exchange, 403, "<Error><Code>AccessDenied</Code></Error>");
      } else {
        send(exchange, 404, "<Error><Code>NoSuchKey</Code></Error>");
      }
    }
  }

  private static Map<String, String> query(String text) {
    var found = new HashMap<String, String>();
    for (String part : text == null ? new String[0] : text.split("&")) {
      int equals = part.indexOf('=');
      found.put(equals < 0 ? part : part.substring(0, equals), part.substring(equals + 1));
    }
    return found;
  }

  private String listing(Map<String, String> query) {
    int keys = Integer.parseInt(query.getOrDefault("max-keys", "1000"));
    Page page = bucket.list("", query.getOrDefault("continuation-token", ""), "", "", keys);
    var xml = new StringBuilder("<ListBucketResult><Name>listed</Name>");
    xml.append("<KeyCount>").append(page.objects().size()).append("</KeyCount>");
    xml.append("<IsTruncated>").append(page.next().isPresent()).append("</IsTruncated>");
    page.next()
        .ifPresent(
            token ->
                xml.append("<NextContinuationToken>")
                    .append(token)
                    .append("</NextContinuationToken>"));
    page.objects().forEach(object -> append(xml, object));
    return xml.append("</ListBucketResult>").toString();
  }

  private static void append(StringBuilder xml, ObjectInfo object) {
    xml.append("<Contents><Key>").append(object.key()).append("</Key><LastModified>");
    xml.append(Instant.ofEpochSecond(object.mtimeNanos() / 1_000_000_000L));
    xml.append("</LastModified><ETag>&quot;").append(object.etag()).append("&quot;</ETag><Size>");
    xml.append(object.size()).append("</Size></Contents>");
  }

  private static void send(HttpExchange exchange, int status, String text) throws IOException {
    byte[] body = text.getBytes(StandardCharsets.UTF_8);
    exchange.getResponseHeaders().set("Content-Type", "application/xml");
    exchange.sendResponseHeaders(status, body.length);
    exchange.getResponseBody().write(body);
  }

  @Override
  public void close() {
    server.stop(0);
  }
}
