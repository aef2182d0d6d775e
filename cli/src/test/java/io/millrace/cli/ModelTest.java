package io.millrace.cli;

import io.millrace.testkit.model.ReferenceModel.Plan;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * Random operations give on the mount what they give on the disk's own file system. {@code
 * -Dmillrace.model.seed=N} replays, {@code -Dmillrace.model.operations=N} says how many. The seed
 * is fixed here; {@link ModelLongTest} takes new ones.
 */
@Tag("model")
class ModelTest {
  private static long seed() {
    return Long.getLong("millrace.model.seed", 20261123);
  }

  @BeforeAll
  static void canRun() throws Exception {
    ModelRun.assumeThatItCanRun();
  }

  @Test
  void oneMount() throws Exception {
    ModelRun.sequential(1, new Plan(seed(), ModelRun.operations(8_000), 2_000, 250, 0));
  }

  @Test
  void oneMountWithRestartsOfBothProcesses() throws Exception {
    ModelRun.sequential(1, new Plan(seed(), ModelRun.operations(1_000), 500, 250, 250));
  }

  /** Every operation on one mount is seen by the next on the other. */
  @Test
  void twoMountsTakeTurns() throws Exception {
    long seed = Long.getLong("millrace.model.seed", 3000);
    ModelRun.sequential(2, new Plan(seed, ModelRun.operations(4_000), 2_000, 250, 0));
  }

  @Test
  void twoMountsAtTheSameTimeDoNotBlockEachOther() throws Exception {
    ModelRun.concurrent(seed(), 3, ModelRun.seconds(6));
  }
}
