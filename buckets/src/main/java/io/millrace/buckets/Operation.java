package io.millrace.buckets;

/** The requests of the {@code Bucket} port, as wrappers name and count them. */
public enum Operation {
  CHECK,
  HEAD,
  GET,
  PUT,
  COPY,
  DELETE,
  LIST,
  BEGIN_UPLOAD,
  UPLOAD_PART,
  COPY_PART,
  COMPLETE_UPLOAD,
  ABORT_UPLOAD,
  ABILITIES;

  /** Whether its error can mean "done, but the answer was lost". */
  public boolean writes() {
    return switch (this) {
      case PUT, COPY, DELETE, BEGIN_UPLOAD, UPLOAD_PART, COPY_PART, COMPLETE_UPLOAD, ABORT_UPLOAD ->
          true;
      case CHECK, HEAD, GET, LIST, ABILITIES -> false;
    };
  }
}
