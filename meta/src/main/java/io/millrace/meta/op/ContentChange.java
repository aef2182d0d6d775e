package io.millrace.meta.op;

import io.millrace.meta.row.InodeState;

/**
 * What every change of content does beside the extents: kernel caches and the bucket are behind.
 */
final class ContentChange {
  private ContentChange() {}

  static void note(Scope scope, InodeState file) {
    file.contentSeq++;
    if (!file.orphan) {
      scope.queue().content(file, scope.now());
    }
  }
}
