package io.millrace.blocks;

import io.millrace.core.api.BlockStore.Kind;

/** How a block's kind is written on disk. */
final class KindCode {
  private static final byte CLEAN = 1;
  private static final byte DIRTY = 2;

  private KindCode() {}

  static byte of(Kind kind) {
    return switch (kind) {
      case CLEAN -> CLEAN;
      case DIRTY -> DIRTY;
    };
  }

  /** Dirty where in doubt: a dirty block is never dropped. */
  static Kind kind(byte code) {
    return code == CLEAN ? Kind.CLEAN : Kind.DIRTY;
  }
}
