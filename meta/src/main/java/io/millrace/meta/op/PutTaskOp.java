package io.millrace.meta.op;

import io.millrace.core.api.Errno;
import io.millrace.core.api.FsException;
import io.millrace.meta.row.Keys;
import io.millrace.meta.row.MessageRow;
import io.millrace.meta.tree.TreeWriter;
import io.millrace.proto.CommandResult;
import io.millrace.proto.PutTask;
import io.millrace.proto.TaskRecord;
import io.millrace.proto.TaskState;

/** Records a task. The last {@value #KEPT} are kept; unfinished ones always. */
public final class PutTaskOp {
  private static final int KEPT = 1000;

  private PutTaskOp() {}

  public static CommandResult.Builder apply(Scope scope, PutTask op) {
    TreeWriter tree = scope.tree();
    TaskRecord task = op.getTask();
    if (task.getId() == 0) {
      long id = ++tree.counters().lastTask;
      task = task.toBuilder().setId(id).build();
      forget(tree, id - KEPT);
    } else if (tree.rows().get(Keys.task(task.getId())) == null) {
      throw new FsException(Errno.ENOENT, "no such task", "task", task.getId());
    }
    tree.batch().put(Keys.task(task.getId()), MessageRow.encode(task));
    return Scope.done().setTaskId(task.getId());
  }

  private static void forget(TreeWriter tree, long id) {
    byte[] old = id <= 0 ? null : tree.rows().get(Keys.task(id));
    if (old != null && isFinished(MessageRow.decode(old, TaskRecord.parser()).getState())) {
      tree.batch().delete(Keys.task(id));
    }
  }

  private static boolean isFinished(TaskState state) {
    return switch (state) {
      case TASK_PENDING, TASK_RUNNING -> false;
      case TASK_DONE, TASK_FAILED, TASK_CANCELLED, UNRECOGNIZED -> true;
    };
  }
}
