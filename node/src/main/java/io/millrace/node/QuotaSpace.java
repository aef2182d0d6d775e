package io.millrace.node;

import io.millrace.core.api.Namespace;
import io.millrace.proto.QuotaRecord;
import io.millrace.proto.QuotaStatus;
import io.millrace.proto.StatfsReply;
import java.util.Optional;

/** What statfs(2) tells below a quota: the limit is the size, as with projects of XFS. */
record QuotaSpace(Namespace namespace) {

  void limit(StatfsReply.Builder space, int quota) {
    for (Optional<QuotaStatus> at = namespace.quota(quota);
        at.isPresent();
        at = namespace.quota(at.get().getQuota().getParent())) {
      bytes(space, at.get());
      files(space, at.get());
    }
  }

  private static void bytes(StatfsReply.Builder space, QuotaStatus status) {
    long limit = status.getQuota().getBytesLimit();
    long free = Math.max(0, limit - status.getBytes());
    if (limit != 0 && free < space.getBytesFree()) {
      space.setBytesTotal(Math.max(limit, status.getBytes())).setBytesFree(free);
    }
  }

  private static void files(StatfsReply.Builder space, QuotaStatus status) {
    QuotaRecord quota = status.getQuota();
    long free = Math.max(0, quota.getFilesLimit() - status.getFiles());
    if (quota.getFilesLimit() != 0 && free < space.getFilesFree()) {
      space.setFiles(Math.max(quota.getFilesLimit(), status.getFiles())).setFilesFree(free);
    }
  }
}
