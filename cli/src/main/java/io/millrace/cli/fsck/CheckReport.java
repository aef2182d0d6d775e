package io.millrace.cli.fsck;

import io.millrace.meta.audit.Finding;
import java.util.ArrayList;
import java.util.List;

/**
 * What a look through a store found. Keeps a bounded number of findings; the others are counted.
 * One thread.
 */
public final class CheckReport {
  private static final int KEPT_MAX = 10_000;

  private final List<Finding> findings = new ArrayList<>();
  private long notKept;

  /** Inodes in the namespace. */
  public long inodes;

  /** Blocks in the store that files need, and their bytes. */
  public long blocks;

  public long bytes;

  /** Blocks that a node's collectors take when it runs; nothing is wrong with them. */
  public long reclaimableBlocks;

  public long reclaimableBytes;

  void add(Finding finding) {
    if (findings.size() < KEPT_MAX) {
      findings.add(finding);
    } else {
      notKept++;
    }
  }

  public List<Finding> findings() {
    return List.copyOf(findings);
  }

  /** How many more there were than {@link #findings} has. */
  public long notKept() {
    return notKept;
  }

  public boolean clean() {
    return findings.isEmpty();
  }
}
