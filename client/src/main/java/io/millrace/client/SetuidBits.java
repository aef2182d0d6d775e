package io.millrace.client;

/**
 * What a write by who may not keep them leaves of the set-uid and set-gid bits, as the node does.
 */
final class SetuidBits {
  private static final int SETUID = 04000;
  private static final int SETGID = 02000;
  private static final int GROUP_EXECUTE = 010;

  private SetuidBits() {}

  /** Set-gid means execution only together with the group's own bit. */
  static int cleared(int mode) {
    int rest = mode & ~SETUID;
    return (mode & GROUP_EXECUTE) != 0 ? rest & ~SETGID : rest;
  }
}
