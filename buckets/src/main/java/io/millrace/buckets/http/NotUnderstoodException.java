package io.millrace.buckets.http;

import java.io.IOException;
import java.io.Serial;

/**
 * An answer beyond the little of HTTP that is read here. It may be a good one for another client.
 */
public final class NotUnderstoodException extends IOException {
  @Serial private static final long serialVersionUID = 1L;

  NotUnderstoodException(String what) {
    super(what);
  }
}
