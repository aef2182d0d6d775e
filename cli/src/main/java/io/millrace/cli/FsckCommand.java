package io.millrace.cli;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.millrace.cli.fsck.CheckReport;
import io.millrace.cli.fsck.StoreCheck;
import io.millrace.core.api.Errno;
import io.millrace.core.api.FsException;
import io.millrace.meta.audit.Finding;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code millrace fsck}: looks through a store that no node runs on. */
@Command(
    name = "fsck",
    description = {
      "Check a store that no node runs on: names, inodes, extents, blocks.",
      "Exit code: 0 nothing is wrong (any more), 1 something is."
    })
final class FsckCommand implements Callable<Integer> {
  @Spec private CommandSpec spec;

  @Option(
      names = "--dir",
      paramLabel = "DIR",
      description = "The node's directory. Default: ~/.millrace")
  private Path directory = Path.of(System.getProperty("user.home"), ".millrace");

  @Option(names = "--deep", description = "Read every block and compare its checksum.")
  private boolean deep;

  @Option(
      names = "--repair",
      description = {
        "Repair what needs no guess: counts, missing index rows, blocks that nobody needs;",
        "what has no name gets one in /lost+found. The rest is listed with the reason."
      })
  private boolean repair;

  @Option(names = "--json", description = "Print JSON, one document.")
  private boolean json;

  @Override
  public Integer call() {
    CheckReport before = null;
    CheckReport now;
    try (var store = open()) {
      now = store.check(deep);
      if (repair) {
        before = now;
        now = store.repair(deep);
      }
    }
    PrintWriter out = spec.commandLine().getOut();
    if (json) {
      out.println(document(before, now).toPrettyString());
    } else {
      print(out, before, now);
    }
    out.flush();
    return now.clean() ? 0 : Main.SOME_FAILED;
  }

  private StoreCheck open() {
    try {
      return new StoreCheck(directory.toAbsolutePath().normalize());
    } catch (FsException e) {
      if (e.errno() == Errno.EBUSY) {
        throw new CliException(
            Main.SOME_FAILED,
            "millrace: a node runs on "
                + directory
                + ": stop it, fsck works without it only. ("
                + e.getMessage()
                + ")");
      }
      if (e.errno() == Errno.ENOENT) {
        throw new CliException(Main.USAGE, "no store in " + directory + ": name it with --dir");
      }
      throw e;
    }
  }

  private static void print(PrintWriter out, CheckReport before, CheckReport now) {
    if (before != null) {
      before.findings().forEach(each -> out.println("found: " + line(each)));
      now.findings().forEach(each -> out.println("left:  " + line(each)));
    } else {
      now.findings().forEach(each -> out.println(line(each)));
    }
    if (now.notKept() > 0) {
      out.printf("and %d more%n", now.notKept());
    }
    out.printf(
        "%d inodes, %d blocks of %s in use; %d blocks of %s for the collector%n",
        now.inodes,
        now.blocks,
        Units.bytes(now.bytes),
        now.reclaimableBlocks,
        Units.bytes(now.reclaimableBytes));
    if (before != null) {
      out.printf("%d findings before, ", before.findings().size() + before.notKept());
    }
    out.printf("%d findings%n", now.findings().size() + now.notKept());
  }

  private static String line(Finding finding) {
    var line = new StringBuilder(finding.kind().name());
    if (finding.ino() != 0) {
      line.append(" inode ").append(finding.ino());
    }
    if (!finding.path().isEmpty()) {
      line.append(' ').append(finding.path());
    }
    return line.append(": ")
        .append(finding.detail())
        .append(finding.repairable() ? "" : " [not repairable]")
        .toString();
  }

  private static ObjectNode document(CheckReport before, CheckReport now) {
    ObjectNode document = new ObjectMapper().createObjectNode();
    document.put("inodes", now.inodes);
    document.put("blocks", now.blocks);
    document.put("bytes", now.bytes);
    document.put("reclaimable_blocks", now.reclaimableBlocks);
    document.put("reclaimable_bytes", now.reclaimableBytes);
    list(document, "findings", now);
    document.put("findings_not_listed", now.notKept());
    if (before != null) {
      list(document, "found_before_repair", before);
    }
    return document;
  }

  private static void list(ObjectNode document, String name, CheckReport report) {
    var array = document.putArray(name);
    for (Finding finding : report.findings()) {
      array
          .addObject()
          .put("kind", finding.kind().name())
          .put("inode", finding.ino())
          .put("path", finding.path())
          .put("detail", finding.detail())
          .put("repairable", finding.repairable());
    }
  }
}
