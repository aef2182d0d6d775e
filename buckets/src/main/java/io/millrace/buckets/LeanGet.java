package io.millrace.buckets;

import io.millrace.buckets.http.AnswerHead;
import io.millrace.buckets.http.Connection;
import io.millrace.buckets.http.ConnectionPool;
import io.millrace.buckets.http.NotUnderstoodException;
import io.millrace.core.api.FsException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.MemorySegment;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * The GET of one object without the SDK, for which a small object costs several times the CPU
 * (decision 5). Same answers and errors; whatever is not plain is left to the SDK. Safe for many
 * threads, each of which owns the connection it took.
 */
final class LeanGet implements AutoCloseable {
  private static final int OK = 200;
  private static final int PARTIAL_CONTENT = 206;
  private static final int PRECONDITION_FAILED = 412;
  private static final int BAD_RANGE = 416;

  /** So many answers in a row that are not understood ... */
  private static final int STRANGE_MAX = 3;

  /** ... leave so many GETs to the SDK, lest each is sent twice. */
  private static final int LEFT_AFTER_STRANGE = 10_000;

  private final ConnectionPool connections;
  private final GetRequest requests;
  private final S3Errors errors;
  private final AtomicInteger strange = new AtomicInteger();
  private final AtomicInteger left = new AtomicInteger();

  /**
   * @param connections closed with this
   */
  LeanGet(ConnectionPool connections, GetRequest requests, S3Errors errors) {
    this.connections = connections;
    this.requests = requests;
    this.errors = errors;
  }

  /**
   * @return bytes read; 0 from beyond the object's end; empty: ask the SDK
   */
  OptionalInt get(RangeAnswer.Asked asked, MemorySegment target) {
    if (left.get() > 0 && left.getAndDecrement() > 0) {
      return OptionalInt.empty();
    }
    try {
      long last = asked.offset() + asked.length() - 1;
      Optional<byte[]> request = requests.bytes(asked.key(), asked.etag(), asked.offset(), last);
      return request.isEmpty() ? OptionalInt.empty() : exchange(request.get(), asked, target);
    } catch (NotUnderstoodException _) {
      return leftToTheSdk();
    } catch (IOException e) {
      throw errors.translate(new UncheckedIOException(e), Operation.GET, asked.key());
    } catch (InterruptedException _) {
      throw errors.interrupted(Operation.GET, asked.key());
    } catch (RuntimeException e) {
      throw e instanceof FsException ? e : errors.translate(e, Operation.GET, asked.key());
    }
  }

  private OptionalInt leftToTheSdk() {
    if (strange.incrementAndGet() >= STRANGE_MAX) {
      strange.set(0);
      left.set(LEFT_AFTER_STRANGE);
    }
    return OptionalInt.empty();
  }

  private OptionalInt exchange(byte[] request, RangeAnswer.Asked asked, MemorySegment target)
      throws IOException, InterruptedException {
    Connection connection = connections.take();
    try {
      AnswerHead head = connection.ask(request);
      return switch (head.status()) {
        case OK, PARTIAL_CONTENT -> OptionalInt.of(content(connection, head, asked, target));
        default -> refusal(connection, head, asked);
      };
    } finally {
      connections.give(connection);
    }
  }

  private int content(
      Connection connection, AnswerHead head, RangeAnswer.Asked asked, MemorySegment target)
      throws IOException {
    strange.set(0);
    String etag = Etag.fromHeader(head.etag());
    var answer = new RangeAnswer(head.status(), etag, head.contentLength(), head.contentRange());
    int length = answer.accepted(asked);
    int read = connection.body(head, target);
    if (read < length) {
      throw asked.cut(read);
    }
    return length;
  }

  /** Empty: what it means stands in a body that is not plain. */
  private OptionalInt refusal(Connection connection, AnswerHead head, RangeAnswer.Asked asked)
      throws IOException {
    String body = connection.text(head);
    return switch (head.status()) {
      case BAD_RANGE -> OptionalInt.of(0);
      case PRECONDITION_FAILED, 408, 429, 500, 502, 503, 504 ->
          throw errors.ofStatus(head.status(), code(body), Operation.GET, asked.key());
      default -> {
        String code = code(body);
        if (code.isEmpty()) {
          yield OptionalInt.empty();
        }
        throw errors.ofStatus(head.status(), code, Operation.GET, asked.key());
      }
    };
  }

  /** Of {@code <Error><Code>NoSuchKey</Code>…}; empty where there is none. */
  private static String code(String body) {
    int error = body.indexOf("<Error");
    int from = body.indexOf("<Code>", Math.max(error, 0)) + "<Code>".length();
    int to = body.indexOf("</Code>", from);
    boolean found = error >= 0 && from >= "<Code>".length() && to >= 0;
    String code = found ? body.substring(from, to) : "";
    return code.chars().allMatch(Character::isLetterOrDigit) ? code : "";
  }

  @Override
  public void close() {
    connections.close();
  }
}
