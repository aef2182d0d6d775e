package io.millrace.testkit.s3;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;

/**
 * A second opinion on what is in a bucket: an S3 client of a few lines on the JDK's HTTP client
 * that shares nothing with the product's. Signs when the endpoint has keys. Never retries; an
 * answer the caller did not ask for is an {@link IOException} that names status and body.
 */
public final class PlainS3 implements AutoCloseable {
  private static final Pattern KEY = Pattern.compile("<Key>([^<]*)</Key>");
  private static final Pattern NEXT =
      Pattern.compile("<NextContinuationToken>([^<]*)</NextContinuationToken>");
  private static final String UNRESERVED =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";

  private final S3Endpoint endpoint;
  private final HttpClient http =
      HttpClient.newBuilder()
          .version(HttpClient.Version.HTTP_1_1)
          .connectTimeout(Duration.ofSeconds(10))
          .build();

  public PlainS3(S3Endpoint endpoint) {
    this.endpoint = endpoint;
  }

  /** Any answer, whatever its status. */
  public record Answer(HttpResponse<byte[]> http) {
    public int status() {
      return http.statusCode();
    }

    /** The header's first value, or an empty string. */
    public String header(String name) {
      return http.headers().firstValue(name).orElse("");
    }

    public byte[] body() {
      return http.body();
    }

    public String text() {
      return new String(http.body(), StandardCharsets.UTF_8);
    }
  }

  public void createBucket(String bucket) throws IOException {
    expect(200, request("PUT", bucket, "", "", Map.of(), new byte[0]));
  }

  /** Stores an object; {@code headers} such as {@code x-amz-meta-*}. Returns its etag. */
  public String put(String bucket, String key, byte[] body, Map<String, String> headers)
      throws IOException {
    return expect(200, request("PUT", bucket, key, "", headers, body)).header("etag");
  }

  public Answer get(String bucket, String key) throws IOException {
    return expect(200, request("GET", bucket, key, "", Map.of(), new byte[0]));
  }

  public boolean exists(String bucket, String key) throws IOException {
    var answer = request("HEAD", bucket, key, "", Map.of(), new byte[0]);
    if (answer.status() == 404) {
      return false;
    }
    expect(200, answer);
    return true;
  }

  public void delete(String bucket, String key) throws IOException {
    expect(204, request("DELETE", bucket, key, "", Map.of(), new byte[0]));
  }

  /** All keys that begin with {@code prefix}, in the server's order. */
  public List<String> keys(String bucket, String prefix) throws IOException {
    var keys = new ArrayList<String>();
    String token = "";
    do {
      String from = token.isEmpty() ? "" : "continuation-token=" + encode(token, false) + "&";
      String query = from + "list-type=2&prefix=" + encode(prefix, false);
      String page = expect(200, request("GET", bucket, "", query, Map.of(), new byte[0])).text();
      KEY.matcher(page).results().map(m -> unescape(m.group(1))).forEach(keys::add);
      var next = NEXT.matcher(page);
      token = next.find() ? unescape(next.group(1)) : "";
    } while (!token.isEmpty());
    return keys;
  }

  /** One request as given; {@code query} is encoded already, its parameters in order of name. */
  public Answer request(
      String method,
      String bucket,
      String key,
      String query,
      Map<String, String> headers,
      byte[] body)
      throws IOException {
    String path = "/" + encode(bucket, false) + (key.isEmpty() ? "" : "/" + encode(key, true));
    var uri = URI.create(endpoint.uri() + path + (query.isEmpty() ? "" : "?" + query));
    var request = HttpRequest.newBuilder(uri).timeout(Duration.ofMinutes(2));
    request.method(method, HttpRequest.BodyPublishers.ofByteArray(body));
    var sent =
        endpoint.isAnonymous()
            ? headers
            : new SignatureV4(endpoint, Instant.now()).sign(method, path, query, headers, body);
    sent.forEach(request::header);
    try {
      return new Answer(http.send(request.build(), HttpResponse.BodyHandlers.ofByteArray()));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("interrupted: " + method + " " + uri, e);
    }
  }

  private static Answer expect(int status, Answer answer) throws IOException {
    if (answer.status() != status) {
      throw new IOException("status " + answer.status() + ", not " + status + ": " + answer.text());
    }
    return answer;
  }

  private static String encode(String text, boolean keepSlash) {
    var out = new StringBuilder();
    for (byte b : text.getBytes(StandardCharsets.UTF_8)) {
      if (UNRESERVED.indexOf(b) >= 0 || (keepSlash && b == '/')) {
        out.append((char) b);
      } else {
        out.append('%').append("%02X".formatted(b));
      }
    }
    return out.toString();
  }

  private static String unescape(String xml) {
    return xml.replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&quot;", "\"")
        .replace("&apos;", "'")
        .replace("&#39;", "'")
        .replace("&amp;", "&");
  }

  @Override
  public void close() {
    http.close();
  }
}
