package io.millrace.fuse;

/** Why a mount or unmount failed; the message says the way out. */
public final class FuseMountException extends Exception {
  private static final long serialVersionUID = 1;

  /** What is wrong, for callers that choose an exit code. */
  public enum Kind {
    NOT_FOUND,
    NOT_A_DIRECTORY,
    NOT_EMPTY,
    ALREADY_MOUNTED,
    STALE_MOUNT,
    NO_DEVICE,
    NO_PERMISSION,
    NO_FUSERMOUNT,
    BUSY,
    PROTOCOL,
    OTHER
  }

  private final Kind kind;

  FuseMountException(Kind kind, String message) {
    super(message);
    this.kind = kind;
  }

  public Kind kind() {
    return kind;
  }
}
