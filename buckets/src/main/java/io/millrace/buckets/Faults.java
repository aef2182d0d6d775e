package io.millrace.buckets;

import java.time.Duration;

/**
 * How often a {@link FaultyBucket} fails, each as a share of requests from 0 to 1.
 *
 * @param requestLost nothing was done: ETIMEDOUT
 * @param replyLost it was done, yet ETIMEDOUT: the hard case
 * @param slow it takes {@code slowFor} longer
 * @param burst begins {@code burstLength} requests in a row that get 503: EAGAIN
 * @param truncated a GET's body breaks off: EAGAIN, the target half filled
 * @param otherEtag a GET's answer is of another version: ESTALE
 */
public record Faults(
    double requestLost,
    double replyLost,
    double slow,
    Duration slowFor,
    double burst,
    int burstLength,
    double truncated,
    double otherEtag) {

  public static final Faults NONE = new Faults(0, 0, 0, Duration.ZERO, 0, 0, 0, 0);

  /** Each kind that a retry heals at the same rate, bursts of four, nothing slow or stale. */
  public static Faults healing(double rate) {
    return new Faults(rate, rate, 0, Duration.ZERO, rate, 4, rate, 0);
  }
}
