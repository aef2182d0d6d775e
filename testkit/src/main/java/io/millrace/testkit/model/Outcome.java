package io.millrace.testkit.model;

/**
 * What a system call gave: its result or {@code -errno}, and in words all else that two file
 * systems must agree on.
 */
record Outcome(long result, String detail) {
  static Outcome of(long result) {
    return new Outcome(result, "");
  }

  /** Where only success or the errno counts. */
  static Outcome done(long result) {
    return new Outcome(Math.min(result, 0), "");
  }

  Outcome and(String more) {
    return more.isEmpty()
        ? this
        : new Outcome(result, detail.isEmpty() ? more : detail + "; " + more);
  }

  @Override
  public String toString() {
    String number = result < 0 ? "errno " + -result : Long.toString(result);
    return detail.isEmpty() ? number : number + " [" + detail + "]";
  }
}
