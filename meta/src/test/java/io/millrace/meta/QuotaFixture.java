package io.millrace.meta;

import io.millrace.core.api.Errno;
import io.millrace.meta.audit.Finding;
import io.millrace.meta.audit.NamespaceAudit;
import io.millrace.proto.Command;
import io.millrace.proto.CountQuota;
import io.millrace.proto.PutQuota;
import io.millrace.proto.QuotaRecord;
import io.millrace.proto.QuotaStatus;
import io.millrace.proto.RemoveQuota;
import java.util.ArrayList;
import java.util.List;

/** Short ways to say what tests do with quotas. */
record QuotaFixture(NamespaceFixture fs) {

  Command.Builder putting(int id, long root, long bytes, long files) {
    return fs.command()
        .setPutQuota(
            PutQuota.newBuilder()
                .setQuota(
                    QuotaRecord.newBuilder()
                        .setId(id)
                        .setRoot(root)
                        .setBytesLimit(bytes)
                        .setFilesLimit(files)));
  }

  int set(long root, long bytes, long files) {
    return fs.ok(putting(0, root, bytes, files)).getQuotaId();
  }

  void remove(int id) {
    fs.ok(fs.command().setRemoveQuota(RemoveQuota.newBuilder().setId(id)));
  }

  /** Whether there is more to count. */
  boolean step(int id, int entries) {
    return fs.ok(
            fs.command().setCountQuota(CountQuota.newBuilder().setId(id).setEntriesMax(entries)))
        .getExisted();
  }

  void countAll() {
    for (QuotaStatus status : fs.namespace.quotas()) {
      countAll(status.getQuota().getId());
    }
  }

  void countAll(int id) {
    while (step(id, 1)) {
      fs.now++;
    }
  }

  QuotaStatus of(int id) {
    return fs.namespace.quota(id).orElseThrow();
  }

  String count(int id) {
    QuotaStatus status = of(id);
    return status.getBytes() + " bytes, " + status.getFiles() + " files";
  }

  long written(long dir, String name, long bytes) {
    long ino = fs.file(dir, name);
    fs.ok(fs.committing(ino, NamespaceFixture.extent(0, bytes, version(ino), 0)));
    return ino;
  }

  Errno append(long ino, long bytes) {
    long size = fs.inode(ino).getSize();
    return fs.errno(
        fs.committing(ino, NamespaceFixture.extent(size, bytes, version(ino) + fs.now, 0)));
  }

  private static long version(long ino) {
    return (1L << 32) + ino;
  }

  /** What fsck says of it; the namespace is open again after. */
  List<Finding> audit(boolean repair) {
    fs.namespace.close();
    try (var audit = new NamespaceAudit(fs.directory)) {
      var findings = new ArrayList<Finding>();
      audit.run(findings::add, content -> {});
      if (repair) {
        audit.repair(findings);
      }
      return findings;
    } finally {
      fs.open();
    }
  }
}
