package io.millrace.cli;

import com.google.protobuf.ByteString;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import picocli.CommandLine.Option;

/** Which node a command talks to, and how it prints. */
final class ServerOptions {
  static final int DEFAULT_PORT = 7070;

  @Option(
      names = "--server",
      paramLabel = "H:P",
      description =
          "Node to ask. Default: MILLRACE_SERVER, the mount that holds PATH, 127.0.0.1:7070.")
  private String server;

  @Option(names = "--json", description = "Print JSON, one document.")
  boolean json;

  /** For commands without a path. */
  Admin connect() {
    return connect("127.0.0.1:" + DEFAULT_PORT);
  }

  /** For commands on a path: its mount names the node. */
  Admin connect(Target target) {
    return connect(target.server);
  }

  private Admin connect(String otherwise) {
    String chosen = server != null ? server : System.getenv("MILLRACE_SERVER");
    return new WireAdmin(address(chosen != null ? chosen : otherwise));
  }

  /** A path of the file system, and the node behind it as far as the path tells. */
  record Target(ByteString path, String server) {

    /** Takes {@code /path/in/the/store} or a path below a mount point. */
    static Target of(String argument) {
      Path given = Path.of(argument).toAbsolutePath().normalize();
      return MountTable.holding(given)
          .map(mount -> new Target(below(mount, given), mount.server()))
          .orElseGet(() -> outside(argument));
    }

    private static ByteString below(MountTable.Mount mount, Path given) {
      return ByteString.copyFromUtf8("/" + mount.point().relativize(given));
    }

    private static Target outside(String argument) {
      if (!argument.startsWith("/")) {
        throw new CliException(
            Main.USAGE,
            argument
                + " is not below a Millrace mount; give a path of the store such as /datasets");
      }
      String normal = Path.of(argument).normalize().toString();
      return new Target(
          ByteString.copyFrom(normal, StandardCharsets.UTF_8), "127.0.0.1:" + DEFAULT_PORT);
    }
  }

  static InetSocketAddress address(String hostAndPort) {
    int colon = hostAndPort.lastIndexOf(':');
    try {
      return new InetSocketAddress(
          hostAndPort.substring(0, colon), Integer.parseInt(hostAndPort.substring(colon + 1)));
    } catch (IndexOutOfBoundsException | IllegalArgumentException e) {
      throw new CliException(Main.USAGE, "'" + hostAndPort + "' is not HOST:PORT");
    }
  }
}
