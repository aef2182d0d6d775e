package io.millrace.link;

import com.google.protobuf.ByteString;
import io.millrace.core.api.Errno;
import io.millrace.core.api.FsException;
import io.millrace.core.path.FileType;
import io.millrace.core.path.TreePath;
import io.millrace.proto.AdminReply;
import io.millrace.proto.AdminRequest;
import io.millrace.proto.Inode;
import io.millrace.proto.LinkRecord;
import io.millrace.proto.StateQuery;
import io.millrace.proto.TaskKind;
import io.millrace.proto.TaskQuery;
import io.millrace.proto.TaskRecord;

/**
 * Answers the administration requests that concern links and tasks. Any thread; blocks, for as long
 * as the bucket or the request's own wait takes.
 */
public final class LinkAdmin {
  private final LinkParts parts;
  private final TaskRunner tasks;
  private final LinkEngine engine;
  private final LinkSetup setup;
  private final LinkRemoval removal;

  LinkAdmin(LinkParts parts, TaskRunner tasks, LinkEngine engine) {
    this.parts = parts;
    this.tasks = tasks;
    this.engine = engine;
    this.setup = new LinkSetup(parts, engine);
    this.removal = new LinkRemoval(parts, tasks, engine);
  }

  /** Whether {@link #handle} is for this request; others are the node's. */
  public static boolean serves(AdminRequest request) {
    return switch (request.getKindCase()) {
      case LINK_ADD,
          LINK_LIST,
          LINK_SHOW,
          LINK_SET,
          LINK_REMOVE,
          TASK_START,
          TASK_QUERY,
          STATE,
          WAIT_EXPORTED ->
          true;
      case STATUS,
          PATH_AT,
          QUOTA_SET,
          QUOTA_QUERY,
          QUOTA_REMOVE,
          TRASH_SET,
          TRASH_QUERY,
          TRASH_RESTORE,
          TRASH_EMPTY,
          KIND_NOT_SET ->
          false;
    };
  }

  /**
   * @throws FsException with a message that names what, why and the way out
   */
  public AdminReply handle(AdminRequest request) {
    return switch (request.getKindCase()) {
      case LINK_ADD -> setup.add(request.getLinkAdd());
      case LINK_LIST -> setup.list();
      case LINK_SHOW -> setup.show(request.getLinkShow().getPath());
      case LINK_SET -> setup.set(request.getLinkSet());
      case LINK_REMOVE ->
          removal.remove(setup.at(request.getLinkRemove().getPath()), request.getLinkRemove());
      case TASK_START -> start(request.getTaskStart().getTask());
      case TASK_QUERY -> query(request.getTaskQuery());
      case STATE -> state(request.getState());
      case WAIT_EXPORTED ->
          new ExportWait(parts, engine.states())
              .await(link(request.getWaitExported().getPath()), request.getWaitExported());
      case STATUS,
          PATH_AT,
          QUOTA_SET,
          QUOTA_QUERY,
          QUOTA_REMOVE,
          TRASH_SET,
          TRASH_QUERY,
          TRASH_RESTORE,
          TRASH_EMPTY,
          KIND_NOT_SET ->
          throw new FsException(Errno.EINVAL, "not a request about links");
    };
  }

  private AdminReply start(TaskRecord asked) {
    ByteString path = TreePath.normal(asked.getPath());
    Inode top = TreePath.existing(parts.namespace(), path);
    LinkRecord link = link(path);
    if (asked.getKind() == TaskKind.TASK_IMPORT && !FileType.isDirectory(top)) {
      throw new FsException(
          Errno.ENOTDIR,
          "import works on directories; name the file's directory",
          "path",
          path.toStringUtf8());
    }
    TaskRecord task = asked.toBuilder().setPath(path).setLink(link.getId()).build();
    return AdminReply.newBuilder().addTasks(tasks.start(task)).build();
  }

  private AdminReply query(TaskQuery query) {
    if (query.getCancel()) {
      tasks.cancel(query.getId());
    }
    if (query.getRetry()) {
      return AdminReply.newBuilder().addTasks(tasks.retry(query.getId())).build();
    }
    return AdminReply.newBuilder().addAllTasks(tasks.query(query)).build();
  }

  private AdminReply state(StateQuery query) {
    Inode top = TreePath.existing(parts.namespace(), TreePath.normal(query.getPath()));
    FileStates states = engine.states();
    return query.getRecursive()
        ? AdminReply.newBuilder().setSum(states.sum(top)).build()
        : AdminReply.newBuilder().addAllStates(states.list(top)).build();
  }

  /** The link that the path is in. */
  private LinkRecord link(ByteString asked) {
    Inode inode = TreePath.existing(parts.namespace(), TreePath.normal(asked));
    if (inode.getLink() == 0) {
      throw new FsException(
          Errno.EINVAL,
          "path is outside any link; `millrace link ls` shows the links, `millrace link add` makes one",
          "path",
          asked.toStringUtf8());
    }
    return parts.link(inode.getLink());
  }
}
