package io.millrace.testkit.model;

import java.nio.file.Path;
import java.util.List;
import java.util.Set;

/**
 * What a run needs from whoever starts the product. Called by the run's own thread, with all
 * descriptors closed.
 */
public interface Machine {
  /** A directory of a file system that is trusted. */
  Path oracle();

  /** The same directory of the file system under test, through each of its mounts. */
  List<Path> mounts();

  /** Modes of fallocate that the file system under test has. */
  Set<Integer> fallocateModes();

  /** Ends the mounts and starts them anew, at the same places. */
  void remount() throws Exception;

  /** Ends the node and starts it anew. */
  void restartNode() throws Exception;
}
