package io.millrace.node;

import com.google.protobuf.ByteString;
import io.millrace.core.api.Errno;
import io.millrace.core.api.FsException;
import io.millrace.core.api.Namespace;
import io.millrace.core.path.FileType;
import io.millrace.core.path.TreePath;
import io.millrace.proto.AdminReply;
import io.millrace.proto.Command;
import io.millrace.proto.Inode;
import io.millrace.proto.PutQuota;
import io.millrace.proto.QuotaQuery;
import io.millrace.proto.QuotaRecord;
import io.millrace.proto.QuotaSet;
import io.millrace.proto.QuotaStatus;
import io.millrace.proto.RemoveQuota;
import java.util.Optional;

/** What the command line asks about quotas. Any thread that may wait for the journal. */
public final class QuotaAdmin {
  private final Namespace namespace;
  private final Stamps stamps;
  private final QuotaCounter counter;

  QuotaAdmin(Namespace namespace, Stamps stamps, QuotaCounter counter) {
    this.namespace = namespace;
    this.stamps = stamps;
    this.counter = counter;
  }

  /**
   * Makes a quota or changes its limits. What is below the directory already is counted in the
   * background, but for a small directory.
   */
  public AdminReply set(QuotaSet asked) {
    Inode root = directory(asked.getPath());
    Optional<QuotaRecord> before = rootedAt(root);
    QuotaRecord.Builder quota =
        before.map(QuotaRecord::toBuilder).orElseGet(() -> QuotaRecord.newBuilder());
    quota.setRoot(root.getIno());
    if (asked.hasBytes()) {
      quota.setBytesLimit(asked.getBytes());
    }
    if (asked.hasFiles()) {
      quota.setFilesLimit(asked.getFiles());
    }
    int id = apply(Command.newBuilder().setPutQuota(PutQuota.newBuilder().setQuota(quota)));
    if (before.isEmpty() && counter.step(id)) {
      counter.wake();
    }
    return AdminReply.newBuilder().addQuotas(status(id)).build();
  }

  public AdminReply query(QuotaQuery asked) {
    AdminReply.Builder reply = AdminReply.newBuilder();
    if (asked.getPath().isEmpty()) {
      namespace.quotas().forEach(status -> reply.addQuotas(placed(status)));
      return reply.build();
    }
    int id = TreePath.existing(namespace, asked.getPath()).getQuota();
    for (Optional<QuotaStatus> at = namespace.quota(id);
        at.isPresent();
        at = namespace.quota(at.get().getQuota().getParent())) {
      reply.addQuotas(placed(at.get()));
    }
    if (reply.getQuotasCount() == 0) {
      throw new FsException(
          Errno.ENOENT, "no quota limits this", "path", asked.getPath().toStringUtf8());
    }
    return reply.build();
  }

  public AdminReply remove(ByteString path) {
    int id =
        rootedAt(directory(path))
            .orElseThrow(
                () ->
                    new FsException(
                        Errno.ENOENT,
                        "this directory has no quota of its own; `millrace quota show` tells which"
                            + " limits it",
                        "path",
                        path.toStringUtf8()))
            .getId();
    apply(Command.newBuilder().setRemoveQuota(RemoveQuota.newBuilder().setId(id)));
    return AdminReply.getDefaultInstance();
  }

  private int apply(Command.Builder command) {
    return Answers.checked(namespace.apply(stamps.own(command), true)).getQuotaId();
  }

  private QuotaStatus status(int id) {
    return namespace.quota(id).map(this::placed).orElse(QuotaStatus.getDefaultInstance());
  }

  private QuotaStatus placed(QuotaStatus status) {
    return status.toBuilder()
        .setPath(TreePath.ofLiving(namespace, status.getQuota().getRoot()))
        .build();
  }

  private Optional<QuotaRecord> rootedAt(Inode dir) {
    return namespace
        .quota(dir.getQuota())
        .map(QuotaStatus::getQuota)
        .filter(quota -> quota.getRoot() == dir.getIno());
  }

  private Inode directory(ByteString path) {
    Inode inode = TreePath.existing(namespace, path);
    if (!FileType.isDirectory(inode)) {
      throw new FsException(Errno.ENOTDIR, "not a directory", "path", path.toStringUtf8());
    }
    return inode;
  }
}
