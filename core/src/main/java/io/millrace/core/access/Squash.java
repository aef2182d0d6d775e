package io.millrace.core.access;

import java.util.List;

/** Whose word a node takes for who he is. */
public enum Squash {
  /** Everybody's. */
  NONE,
  /** Everybody's but root's, who is nobody here. */
  ROOT,
  /** None: all are nobody. */
  ALL;

  /** As exports of NFS have it. */
  public static final int NOBODY = 65_534;

  private static final Caller NOBODY_AT_ALL = new Caller(NOBODY, NOBODY, List.of(), 0);

  public boolean changes(int uid) {
    return this == ALL || (this == ROOT && uid == 0);
  }

  /** Without capabilities unless everybody's word is taken. */
  public Caller apply(Caller claimed) {
    if (changes(claimed.uid())) {
      return NOBODY_AT_ALL;
    }
    return this == NONE
        ? claimed
        : new Caller(claimed.uid(), claimed.gid(), withoutRoot(claimed.groups()), 0);
  }

  private static List<Integer> withoutRoot(List<Integer> groups) {
    return groups.stream().filter(group -> group != 0).toList();
  }
}
