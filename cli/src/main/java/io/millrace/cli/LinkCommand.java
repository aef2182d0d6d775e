package io.millrace.cli;

import io.millrace.proto.AdminReply;
import io.millrace.proto.AdminRequest;
import io.millrace.proto.LinkList;
import io.millrace.proto.LinkRecord;
import io.millrace.proto.LinkRemove;
import io.millrace.proto.LinkSet;
import io.millrace.proto.LinkShow;
import io.millrace.proto.LinkStatus;
import java.io.PrintWriter;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code millrace link add|ls|show|set|rm}: binds directories to buckets. */
@Command(name = "link", description = "Bind a directory to a bucket, both ways.")
final class LinkCommand {
  private LinkCommand() {}

  @Spec private CommandSpec spec;

  private void print(ServerOptions options, AdminReply reply) {
    PrintWriter out = spec.commandLine().getOut();
    if (options.json) {
      out.println(Json.text(reply.getLinksList()));
      return;
    }
    for (LinkStatus status : reply.getLinksList()) {
      printOne(out, status);
    }
    out.flush();
  }

  private static void printOne(PrintWriter out, LinkStatus status) {
    LinkRecord link = status.getLink();
    out.printf(
        "%s -> s3://%s/%s%n", link.getPath().toStringUtf8(), link.getBucket(), link.getPrefix());
    line(out, "endpoint", link.getEndpoint().isEmpty() ? "(default)" : link.getEndpoint());
    line(
        out,
        "credentials",
        link.getCredentials().isEmpty() ? "(default chain)" : link.getCredentials());
    line(out, "auto-export", LinkSettings.exports(link));
    line(out, "auto-import", seconds(link.getAutoImportSeconds()));
    line(out, "evict after", seconds(link.getEvictAfterSeconds()));
    line(
        out,
        "on conflict",
        link.getOnConflict().name().toLowerCase(java.util.Locale.ROOT).replace('_', '-'));
    line(
        out,
        "conditional writes",
        link.getConditionalPut() ? "yes" : "no: HEAD before PUT, best effort");
    line(out, "waiting changes", status.getPendingChanges() + oldest(status));
    if (!status.getLastError().isEmpty()) {
      line(out, "last error", status.getLastError());
    }
  }

  private static void line(PrintWriter out, String name, Object value) {
    out.printf("  %-18s %s%n", name, value);
  }

  private static String seconds(long seconds) {
    return seconds == 0 ? "off" : Units.time(Duration.ofSeconds(seconds));
  }

  private static String oldest(LinkStatus status) {
    if (status.getOldestChangeNs() == 0) {
      return "";
    }
    Instant since = Instant.ofEpochSecond(0, status.getOldestChangeNs());
    return ", the oldest for " + Units.time(Duration.between(since, Instant.now()));
  }

  @Command(name = "add", description = "Link a directory (made if missing) to a bucket.")
  int add(
      @Mixin ServerOptions options,
      @Mixin LinkSettings settings,
      @Parameters(paramLabel = "PATH") String path,
      @Parameters(paramLabel = "s3://BUCKET[/PREFIX]") String bucket) {
    var target = ServerOptions.Target.of(path);
    LinkRecord.Builder link = LinkRecord.newBuilder().setPath(target.path());
    settings.bucket(link, bucket);
    settings.applyTo(link, true);
    try (Admin admin = options.connect(target)) {
      print(options, admin.ask(AdminRequest.newBuilder().setLinkAdd(link).build()));
    }
    return 0;
  }

  @Command(name = "ls", description = "List all links.")
  int list(@Mixin ServerOptions options) {
    try (Admin admin = options.connect()) {
      print(
          options,
          admin.ask(AdminRequest.newBuilder().setLinkList(LinkList.getDefaultInstance()).build()));
    }
    return 0;
  }

  @Command(name = "show", description = "Show one link, its queue and its last error.")
  int show(@Mixin ServerOptions options, @Parameters(paramLabel = "PATH") String path) {
    var target = ServerOptions.Target.of(path);
    try (Admin admin = options.connect(target)) {
      var show = LinkShow.newBuilder().setPath(target.path());
      print(options, admin.ask(AdminRequest.newBuilder().setLinkShow(show).build()));
    }
    return 0;
  }

  @Command(name = "set", description = "Change a link's settings.")
  int set(
      @Mixin ServerOptions options,
      @Mixin LinkSettings settings,
      @Parameters(paramLabel = "PATH") String path) {
    var target = ServerOptions.Target.of(path);
    LinkRecord.Builder link = LinkRecord.newBuilder();
    List<String> fields = settings.applyTo(link, false);
    if (fields.isEmpty()) {
      throw new CliException(Main.USAGE, "nothing to set; see millrace link set --help");
    }
    try (Admin admin = options.connect(target)) {
      var set = LinkSet.newBuilder().setPath(target.path()).setSet(link).addAllFields(fields);
      print(options, admin.ask(AdminRequest.newBuilder().setLinkSet(set).build()));
    }
    return 0;
  }

  @Command(name = "rm", description = "Remove a link. The bucket is not touched.")
  int remove(
      @Mixin ServerOptions options,
      @Option(names = "--keep-data", description = "Keep cached content as ordinary files.")
          boolean keepData,
      @Option(names = "--force", description = "Even if changes are not exported yet.")
          boolean force,
      @Parameters(paramLabel = "PATH") String path) {
    var target = ServerOptions.Target.of(path);
    try (Admin admin = options.connect(target)) {
      var remove =
          LinkRemove.newBuilder().setPath(target.path()).setKeepData(keepData).setForce(force);
      admin.ask(AdminRequest.newBuilder().setLinkRemove(remove).build());
    }
    if (!options.json) {
      spec.commandLine().getOut().println("link removed: " + target.path().toStringUtf8());
    }
    return 0;
  }
}
