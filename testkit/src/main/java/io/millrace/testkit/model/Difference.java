package io.millrace.testkit.model;

/** Two file systems disagree. */
public final class Difference extends AssertionError {
  private static final long serialVersionUID = 1L;

  Difference(String message) {
    super(message);
  }

  Difference(String message, Throwable cause) {
    super(message, cause);
  }
}
