package io.millrace.link;

/** The work of one task. Runs once, on the task's thread; an interrupt is its cancellation. */
@FunctionalInterface
interface Job {

  /**
   * Failures of single files go to the progress.
   *
   * @throws io.millrace.core.api.FsException the task as a whole can't go on
   */
  void run() throws InterruptedException;
}
