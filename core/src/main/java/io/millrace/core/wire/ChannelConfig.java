package io.millrace.core.wire;

/**
 * @param client host and pid, for people
 * @param admin a command line: no session, no leases, and no second attempt when the line breaks
 * @param loopThreads event loops; one serves one line
 * @param inFlightMax requests unanswered at a time, beyond which calls block
 * @param session to go on with, of a process before this one; 0 for a new one
 * @param locks the client locks at the node, and claims its locks again after a restart
 */
public record ChannelConfig(
    String host,
    int port,
    String client,
    boolean admin,
    int loopThreads,
    int inFlightMax,
    long session,
    boolean locks) {

  public ChannelConfig {
    if (port < 1 || port > 65535) {
      throw new IllegalArgumentException("no port: " + port);
    }
    if (loopThreads < 1 || inFlightMax < 1) {
      throw new IllegalArgumentException("limits start at 1");
    }
  }

  /** A mount's channel. */
  public static ChannelConfig session(String host, int port, String client) {
    return new ChannelConfig(host, port, client, false, 1, 1024, 0, false);
  }

  /** A command line's channel. */
  public static ChannelConfig admin(String host, int port, String client) {
    return new ChannelConfig(host, port, client, true, 1, 64, 0, false);
  }

  public ChannelConfig goingOnWith(long session) {
    return new ChannelConfig(host, port, client, admin, loopThreads, inFlightMax, session, locks);
  }

  public ChannelConfig withLocks(boolean atNode) {
    return new ChannelConfig(host, port, client, admin, loopThreads, inFlightMax, session, atNode);
  }
}
