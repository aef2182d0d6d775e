package io.millrace.cli;

import com.google.protobuf.ByteString;
import io.millrace.proto.AdminReply;
import io.millrace.proto.AdminRequest;
import io.millrace.proto.QuotaQuery;
import io.millrace.proto.QuotaRecord;
import io.millrace.proto.QuotaRemove;
import io.millrace.proto.QuotaSet;
import io.millrace.proto.QuotaStatus;
import java.io.PrintWriter;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code millrace quota set|ls|show|rm}: limits what lies below a directory. */
@Command(name = "quota", description = "Limit the bytes and files below a directory.")
final class QuotaCommand {
  private static final long POLL_MILLIS = 200;

  private QuotaCommand() {}

  @Spec private CommandSpec spec;

  @Command(name = "set", description = "Give a directory a quota, or change its limits.")
  int set(
      @Mixin ServerOptions options,
      @Option(
              names = "--bytes",
              paramLabel = "SIZE",
              converter = Units.Size.class,
              description = "Sizes of all files together, such as 500GiB; 0: no limit.")
          Long bytes,
      @Option(
              names = "--files",
              paramLabel = "N",
              description = "Files, directories and links together; 0: no limit.")
          Long files,
      @Option(names = "--wait", description = "Until what is there already is counted.")
          boolean wait,
      @Parameters(paramLabel = "DIR") String path) {
    if (bytes == null && files == null) {
      throw new CliException(Main.USAGE, "nothing to set; give --bytes, --files or both");
    }
    if ((bytes != null && bytes < 0) || (files != null && files < 0)) {
      throw new CliException(Main.USAGE, "a limit is 0 (none) or more");
    }
    var target = ServerOptions.Target.of(path);
    QuotaSet.Builder set = QuotaSet.newBuilder().setPath(target.path());
    if (bytes != null) {
      set.setBytes(bytes);
    }
    if (files != null) {
      set.setFiles(files);
    }
    try (Admin admin = options.connect(target)) {
      AdminReply reply = admin.ask(AdminRequest.newBuilder().setQuotaSet(set).build());
      print(options, wait ? counted(admin, target.path(), reply) : reply);
    }
    return 0;
  }

  private static AdminReply counted(Admin admin, ByteString path, AdminReply first) {
    AdminReply reply = first;
    try {
      while (reply.getQuotasCount() > 0 && reply.getQuotas(0).getQuota().getCounting()) {
        Thread.sleep(POLL_MILLIS);
        reply = admin.ask(query(path));
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    return AdminReply.newBuilder().addQuotas(reply.getQuotas(0)).build();
  }

  private static AdminRequest query(ByteString path) {
    return AdminRequest.newBuilder().setQuotaQuery(QuotaQuery.newBuilder().setPath(path)).build();
  }

  @Command(name = "ls", description = "List all quotas and what they count.")
  int list(@Mixin ServerOptions options) {
    try (Admin admin = options.connect()) {
      print(options, admin.ask(query(ByteString.EMPTY)));
    }
    return 0;
  }

  @Command(name = "show", description = "Show the quotas that limit a path, the innermost first.")
  int show(@Mixin ServerOptions options, @Parameters(paramLabel = "PATH") String path) {
    var target = ServerOptions.Target.of(path);
    try (Admin admin = options.connect(target)) {
      print(options, admin.ask(query(target.path())));
    }
    return 0;
  }

  @Command(name = "rm", description = "Remove a directory's quota. No file is touched.")
  int remove(@Mixin ServerOptions options, @Parameters(paramLabel = "DIR") String path) {
    var target = ServerOptions.Target.of(path);
    try (Admin admin = options.connect(target)) {
      admin.ask(
          AdminRequest.newBuilder()
              .setQuotaRemove(QuotaRemove.newBuilder().setPath(target.path()))
              .build());
    }
    if (!options.json) {
      spec.commandLine().getOut().println("quota removed: " + target.path().toStringUtf8());
    }
    return 0;
  }

  private void print(ServerOptions options, AdminReply reply) {
    PrintWriter out = spec.commandLine().getOut();
    if (options.json) {
      out.println(Json.text(reply.getQuotasList()));
    } else {
      reply.getQuotasList().forEach(status -> printOne(out, status));
    }
    out.flush();
  }

  private static void printOne(PrintWriter out, QuotaStatus status) {
    QuotaRecord quota = status.getQuota();
    out.printf(
        "%s%n  %-6s %s of %s%n  %-6s %d of %s%n",
        status.getPath().toStringUtf8(),
        "bytes",
        Units.bytes(status.getBytes()),
        quota.getBytesLimit() == 0 ? "(no limit)" : Units.bytes(quota.getBytesLimit()),
        "files",
        status.getFiles(),
        quota.getFilesLimit() == 0 ? "(no limit)" : quota.getFilesLimit());
    if (quota.getCounting()) {
      out.println("  what was there before is being counted");
    }
  }
}
