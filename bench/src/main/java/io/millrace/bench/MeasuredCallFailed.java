package io.millrace.bench;

import java.io.Serial;

/** A call under measurement failed or gave wrong bytes: the run has no figures, only this. */
final class MeasuredCallFailed extends RuntimeException {
  @Serial private static final long serialVersionUID = 1L;

  MeasuredCallFailed(String what) {
    super(what);
  }
}
