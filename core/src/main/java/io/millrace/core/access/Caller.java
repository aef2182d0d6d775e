package io.millrace.core.access;

import java.util.List;

/**
 * Who asks, as his mount says: nobody here can know better.
 *
 * @param groups the supplementary ones; empty also where the mount did not say
 * @param capabilities of a process that is not root; bit n is CAP number n
 */
public record Caller(int uid, int gid, List<Integer> groups, long capabilities) {
  public static final long CHOWN = 1L;
  public static final long DAC_OVERRIDE = 1L << 1;
  public static final long DAC_READ_SEARCH = 1L << 2;
  public static final long FOWNER = 1L << 3;
  public static final long SYS_ADMIN = 1L << 21;
  public static final long SETFCAP = 1L << 31;

  public boolean has(long capability) {
    return uid == 0 || (capabilities & capability) != 0;
  }

  public boolean isIn(int group) {
    return group == gid || groups.contains(group);
  }

  public boolean owns(int owner) {
    return uid == owner || has(FOWNER);
  }
}
