package io.millrace.cli;

import io.millrace.proto.LinkRecord;
import io.millrace.proto.OnConflict;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Option;

/** Options of {@code link add} and {@code link set}, and what they mean in a LinkRecord. */
final class LinkSettings {
  private static final String SCHEME = "s3://";

  @Option(names = "--endpoint", paramLabel = "URL", description = "S3 endpoint; default AWS.")
  private String endpoint;

  @Option(names = "--region", paramLabel = "R", description = "Region; default us-east-1.")
  private String region;

  @ArgGroup private Credentials credentials;

  @Option(
      names = "--auto-export",
      split = ",",
      paramLabel = "new,changed,deleted",
      description = "What is exported by itself; 'none' for nothing.")
  private List<String> autoExport;

  @Option(names = "--auto-import", paramLabel = "SECONDS", converter = Units.Time.class)
  private Duration autoImport;

  @Option(names = "--evict-after", paramLabel = "7d", converter = Units.Time.class)
  private Duration evictAfter;

  @Option(names = "--on-conflict", paramLabel = "keep-both|bucket|local|fail")
  private String onConflict;

  @Option(names = "--file-mode", paramLabel = "0644")
  private String fileMode;

  @Option(names = "--dir-mode", paramLabel = "0755")
  private String dirMode;

  @Option(names = "--uid", paramLabel = "U")
  private Integer uid;

  @Option(names = "--gid", paramLabel = "G")
  private Integer gid;

  /** Where the keys are; never the keys themselves (S26). */
  private static final class Credentials {
    @Option(names = "--profile", description = "Profile of ~/.aws, read by the node.")
    private String profile;

    @Option(names = "--credentials", paramLabel = "FILE", description = "File, read by the node.")
    private Path file;
  }

  void bucket(LinkRecord.Builder link, String url) {
    if (!url.startsWith(SCHEME) || url.length() == SCHEME.length()) {
      throw new CliException(Main.USAGE, "'" + url + "' is no bucket; write s3://BUCKET[/PREFIX]");
    }
    String rest = url.substring(SCHEME.length());
    int slash = rest.indexOf('/');
    link.setBucket(slash < 0 ? rest : rest.substring(0, slash));
    String prefix = slash < 0 ? "" : rest.substring(slash + 1);
    link.setPrefix(prefix.isEmpty() || prefix.endsWith("/") ? prefix : prefix + "/");
  }

  /** Puts what was given into the record, and the defaults of a new link where asked. */
  List<String> applyTo(LinkRecord.Builder link, boolean defaults) {
    var fields = new ArrayList<String>();
    if (defaults) {
      link.setFileMode(0644).setDirMode(0755).setQuietMs(1000).setRegion("us-east-1");
    }
    if (endpoint != null) {
      link.setEndpoint(endpoint);
      fields.add("endpoint");
    }
    if (region != null) {
      link.setRegion(region);
      fields.add("region");
    }
    if (credentials != null) {
      link.setCredentials(
          credentials.profile != null
              ? "profile:" + credentials.profile
              : "file:" + credentials.file.toAbsolutePath());
      fields.add("credentials");
    }
    policies(link, fields);
    attributes(link, fields);
    return fields;
  }

  private void policies(LinkRecord.Builder link, List<String> fields) {
    if (autoExport != null) {
      autoExport.stream()
          .filter(event -> !List.of("new", "changed", "deleted", "none").contains(event))
          .findAny()
          .ifPresent(
              event -> {
                throw new CliException(
                    Main.USAGE, "--auto-export takes new, changed, deleted or none, not " + event);
              });
      link.setExportNew(autoExport.contains("new"))
          .setExportChanged(autoExport.contains("changed"))
          .setExportDeleted(autoExport.contains("deleted"));
      fields.addAll(List.of("export_new", "export_changed", "export_deleted"));
    }
    if (autoImport != null) {
      link.setAutoImportSeconds((int) autoImport.toSeconds());
      fields.add("auto_import_seconds");
    }
    if (evictAfter != null) {
      link.setEvictAfterSeconds(evictAfter.toSeconds());
      fields.add("evict_after_seconds");
    }
    if (onConflict != null) {
      link.setOnConflict(conflict(onConflict));
      fields.add("on_conflict");
    }
  }

  private void attributes(LinkRecord.Builder link, List<String> fields) {
    if (fileMode != null) {
      link.setFileMode(octal(fileMode));
      fields.add("file_mode");
    }
    if (dirMode != null) {
      link.setDirMode(octal(dirMode));
      fields.add("dir_mode");
    }
    if (uid != null) {
      link.setUid(uid);
      fields.add("uid");
    }
    if (gid != null) {
      link.setGid(gid);
      fields.add("gid");
    }
  }

  static String exports(LinkRecord link) {
    var events = new ArrayList<String>();
    if (link.getExportNew()) {
      events.add("new");
    }
    if (link.getExportChanged()) {
      events.add("changed");
    }
    if (link.getExportDeleted()) {
      events.add("deleted");
    }
    return events.isEmpty() ? "off" : String.join(",", events);
  }

  private static OnConflict conflict(String name) {
    return switch (name.toLowerCase(Locale.ROOT)) {
      case "keep-both" -> OnConflict.KEEP_BOTH;
      case "bucket" -> OnConflict.BUCKET_WINS;
      case "local" -> OnConflict.LOCAL_WINS;
      case "fail" -> OnConflict.FAIL;
      default ->
          throw new CliException(
              Main.USAGE, "--on-conflict takes keep-both, bucket, local or fail, not " + name);
    };
  }

  private static int octal(String mode) {
    try {
      int bits = Integer.parseInt(mode, 8);
      if ((bits & ~0777) == 0) {
        return bits;
      }
    } catch (NumberFormatException e) {
      // said below
    }
    throw new CliException(Main.USAGE, "'" + mode + "' is no mode; write 0644");
  }
}
