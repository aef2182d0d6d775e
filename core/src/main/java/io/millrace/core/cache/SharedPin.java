package io.millrace.core.cache;

import io.millrace.core.api.Pinned;

/** A pin that can be handed to others too: the memory stays until each of them closed it. */
public sealed interface SharedPin extends Pinned permits Piece {

  /** One more pin on the same bytes, for a caller that holds one; each is closed once. */
  SharedPin pinAgain();
}
