package io.millrace.client;

/**
 * Guesses whether lookups in a directory are followed by opens, so that content may ride on their
 * answers (H30). A lookup takes a point off its directory and off the whole mount, an open gives
 * two; content is asked for while neither is deep in the red. Fixed memory; directories that share
 * a slot share a guess. Any thread: races cost a guess, not truth, so there is no lock.
 */
public final class LookupPredictor {
  private static final int DIRECTORIES = 1024;
  private static final int LOOKUPS = 4096;
  private static final int DIRECTORY_MIN = -8;
  private static final int MOUNT_MIN = -32;
  private static final int MAX = 16;

  private final byte[] directoryScore = new byte[DIRECTORIES];
  private final long[] lookedUp = new long[LOOKUPS];
  private final long[] lookedUpIn = new long[LOOKUPS];
  private int mountScore;

  /** Whether a lookup in {@code dir} should bring content; asked before it is sent. */
  public boolean wantsContent(long dir) {
    return directoryScore[slot(dir, DIRECTORIES)] > DIRECTORY_MIN / 2 && mountScore > MOUNT_MIN / 2;
  }

  /** A regular file was found by name. */
  public void lookedUp(long dir, long ino) {
    int at = slot(ino, LOOKUPS);
    lookedUp[at] = ino;
    lookedUpIn[at] = dir;
    add(dir, -1);
  }

  /** The file was opened, or read without an open: once per lookup. */
  public void used(long ino) {
    int at = slot(ino, LOOKUPS);
    if (lookedUp[at] == ino) {
      lookedUp[at] = 0;
      add(lookedUpIn[at], 2);
    }
  }

  private void add(long dir, int points) {
    int at = slot(dir, DIRECTORIES);
    directoryScore[at] = (byte) clamp(directoryScore[at] + points, DIRECTORY_MIN);
    mountScore = clamp(mountScore + points, MOUNT_MIN);
  }

  private static int clamp(int score, int min) {
    return Math.clamp(score, min, MAX);
  }

  private static int slot(long ino, int slots) {
    return (int) ((ino * 0x9E3779B97F4A7C15L) >>> 32) & (slots - 1);
  }
}
