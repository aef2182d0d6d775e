package io.millrace.fuse;

import java.nio.file.Path;
import java.util.List;

/**
 * The open descriptors of one mount and what was agreed on it: all a session needs to serve it.
 * Exists so that a supervisor can hold the descriptors and a new process go on with them (H17).
 *
 * @param mountPoint its real path
 * @param descriptors the mount's own descriptor first, then its clones
 * @param byFusermount whether it must be unmounted through fusermount3
 */
public record KernelConnection(
    Path mountPoint, List<Integer> descriptors, FuseFeatures features, boolean byFusermount) {
  public KernelConnection {
    descriptors = List.copyOf(descriptors);
    if (descriptors.isEmpty()) {
      throw new IllegalArgumentException("no descriptor");
    }
  }
}
