package io.millrace.buckets.http;

import java.time.Duration;

/**
 * Bounds of a {@link ConnectionPool}.
 *
 * @param connections open at most; a request beyond waits for one, as long as for an answer
 * @param connect longest wait for one address to accept, TLS handshake apart
 * @param answer longest silence of the server; an answer that goes on has no limit
 * @param idle a connection unused for longer is closed
 */
public record Limits(int connections, Duration connect, Duration answer, Duration idle) {
  public Limits {
    if (connections <= 0 || !positive(connect) || !positive(answer) || !positive(idle)) {
      throw new IllegalArgumentException("limits are positive");
    }
  }

  private static boolean positive(Duration time) {
    return !time.isZero() && !time.isNegative();
  }
}
