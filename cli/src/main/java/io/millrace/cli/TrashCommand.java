package io.millrace.cli;

import io.millrace.proto.AdminReply;
import io.millrace.proto.AdminRequest;
import io.millrace.proto.TaskFailure;
import io.millrace.proto.TrashEmpty;
import io.millrace.proto.TrashQuery;
import io.millrace.proto.TrashRestore;
import io.millrace.proto.TrashSet;
import io.millrace.proto.TrashStatus;
import io.millrace.proto.TrashedEntry;
import java.io.PrintWriter;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code millrace trash set|off|ls|restore|empty}: keeps deleted files for a time. */
@Command(name = "trash", description = "Keep deleted files for a time, and bring them back.")
final class TrashCommand {
  private TrashCommand() {}

  @Spec private CommandSpec spec;

  @Command(name = "set", description = "Keep what is deleted below a directory.")
  int set(
      @Mixin ServerOptions options,
      @Option(
              names = "--keep",
              paramLabel = "TIME",
              required = true,
              converter = Units.Time.class,
              description = "How long, such as 7d; up to an hour more.")
          Duration keep,
      @Parameters(paramLabel = "DIR") String path) {
    if (keep.toSeconds() <= 0) {
      throw new CliException(Main.USAGE, "a time of at least a second; `trash off` keeps nothing");
    }
    return put(options, path, TrashSet.newBuilder().setKeepSeconds(keep.toSeconds()));
  }

  @Command(name = "off", description = "Keep no more; what is in the trash stays its time.")
  int off(@Mixin ServerOptions options, @Parameters(paramLabel = "DIR") String path) {
    return put(options, path, TrashSet.newBuilder().setOff(true));
  }

  private int put(ServerOptions options, String path, TrashSet.Builder set) {
    var target = ServerOptions.Target.of(path);
    AdminReply reply;
    try (Admin admin = options.connect(target)) {
      var request = AdminRequest.newBuilder().setTrashSet(set.setPath(target.path()));
      reply = admin.ask(request.build());
    }
    PrintWriter out = spec.commandLine().getOut();
    if (options.json) {
      out.println(Json.text(reply.getTrashList()));
    } else {
      reply.getTrashList().forEach(status -> printOne(out, status));
    }
    out.flush();
    return 0;
  }

  private static void printOne(PrintWriter out, TrashStatus status) {
    String path = status.getPath().isEmpty() ? "(removed)" : status.getPath().toStringUtf8();
    String bin = status.getBinPath().toStringUtf8();
    if (status.getTrash().getOff()) {
      out.printf("%s: off; what was kept is in %s%n", path, bin);
    } else {
      Duration keep = Duration.ofSeconds(status.getTrash().getKeepSeconds());
      out.printf("%s: deleted files are kept for %s in %s%n", path, Units.time(keep), bin);
    }
  }

  @Command(name = "ls", description = "List what is in the trash, by where it was.")
  int list(
      @Mixin ServerOptions options,
      @Parameters(paramLabel = "PATH", arity = "0..1", description = "Only at or below it.")
          String path) {
    var query = TrashQuery.newBuilder();
    AdminReply reply;
    try (Admin admin = connect(options, path)) {
      if (path != null) {
        query.setPath(ServerOptions.Target.of(path).path());
      }
      reply = admin.ask(AdminRequest.newBuilder().setTrashQuery(query).build());
    }
    PrintWriter out = spec.commandLine().getOut();
    if (options.json) {
      out.println(Json.text(reply));
    } else {
      reply.getTrashList().forEach(status -> printOne(out, status));
      reply.getTrashedList().forEach(entry -> printOne(out, entry));
      if (!reply.getNote().isEmpty()) {
        out.println(reply.getNote());
      }
    }
    out.flush();
    return 0;
  }

  private static Admin connect(ServerOptions options, String path) {
    return path == null ? options.connect() : options.connect(ServerOptions.Target.of(path));
  }

  private static void printOne(PrintWriter out, TrashedEntry entry) {
    boolean directory = (entry.getInode().getMode() & 0170000) == 0040000;
    out.printf(
        "%s %10s %s%s%n",
        Instant.ofEpochSecond(0, entry.getDeletedNs()).truncatedTo(ChronoUnit.SECONDS),
        directory ? "-" : Units.bytes(entry.getInode().getSize()),
        entry.getPath().isEmpty()
            ? "?/" + entry.getName().toStringUtf8()
            : entry.getPath().toStringUtf8(),
        directory ? "/" : "");
  }

  @Command(
      name = "restore",
      description = "Bring back what was deleted last at PATH and below it, or a path of /.trash.")
  int restore(
      @Mixin ServerOptions options,
      @Option(names = "--to", paramLabel = "DIR", description = "Not to where it was.") String to,
      @Parameters(paramLabel = "PATH") String path) {
    var target = ServerOptions.Target.of(path);
    var restore = TrashRestore.newBuilder().setPath(target.path());
    if (to != null) {
      restore.setTo(ServerOptions.Target.of(to).path());
    }
    AdminReply reply;
    try (Admin admin = options.connect(target)) {
      reply = admin.ask(AdminRequest.newBuilder().setTrashRestore(restore).build());
    }
    PrintWriter out = spec.commandLine().getOut();
    if (options.json) {
      out.println(Json.text(reply));
    } else {
      for (TaskFailure failure : reply.getFailuresList()) {
        out.printf("%s: %s%n", failure.getPath(), failure.getDetail());
      }
      out.printf("%d restored, %d not%n", reply.getDone(), reply.getFailuresCount());
    }
    out.flush();
    return reply.getFailuresCount() == 0 ? 0 : Main.SOME_FAILED;
  }

  @Command(name = "empty", description = "Remove for good what is in the trash.")
  int empty(
      @Mixin ServerOptions options,
      @Parameters(
              paramLabel = "DIR",
              arity = "0..1",
              description = "Only what was deleted below this directory, which has trash.")
          String path) {
    var empty = TrashEmpty.newBuilder();
    AdminReply reply;
    try (Admin admin = connect(options, path)) {
      if (path != null) {
        empty.setPath(ServerOptions.Target.of(path).path());
      }
      reply = admin.ask(AdminRequest.newBuilder().setTrashEmpty(empty).build());
    }
    PrintWriter out = spec.commandLine().getOut();
    if (options.json) {
      out.println(Json.text(reply));
    } else {
      out.println(reply.getDone() + " files removed");
    }
    out.flush();
    return 0;
  }
}
