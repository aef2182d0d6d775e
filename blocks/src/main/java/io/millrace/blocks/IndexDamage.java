package io.millrace.blocks;

import java.io.Serial;

/** The index can't be read; it has to be made anew from the blocks, at the next start. */
final class IndexDamage extends RuntimeException {
  @Serial private static final long serialVersionUID = 1L;

  IndexDamage(String message) {
    super(message);
  }

  IndexDamage(String message, Throwable cause) {
    super(message, cause);
  }
}
