package io.millrace.cli;

import io.millrace.testkit.model.ReferenceModel.Plan;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * Random operations give on the mount what they give on the disk's own file system. {@code
 * -Dmillrace.model.seed=N} replays, {@code -Dmillrace.model.operations=N} says how many.
 */
@Tag("model")
class ModelTest {
  private static final long FIXED_SEED = 20261123;

  @BeforeAll
  static void canRun() throws Exception {
    ModelRun.assumeThatItCanRun();
  }

  @Test
  void oneMountFixedSeed() throws Exception {
    ModelRun.sequential(1, new Plan(FIXED_SEED, ModelRun.operations(8_000), 2_000, 250, 0));
  }

  @Test
  void oneMountRandomSeed() throws Exception {
    ModelRun.sequential(1, new Plan(ModelRun.seed(), ModelRun.operations(8_000), 2_000, 250, 0));
  }

  @Test
  void oneMountWithRestartsOfBothProcesses() throws Exception {
    ModelRun.sequential(1, new Plan(ModelRun.seed(), ModelRun.operations(1_000), 500, 250, 250));
  }

  @Test
  void twoMountsTakeTurns() throws Exception {
    ModelRun.sequential(2, new Plan(ModelRun.seed(), ModelRun.operations(4_000), 1_000, 250, 0));
  }

  @Test
  void twoMountsAtTheSameTimeDoNotBlockEachOther() throws Exception {
    ModelRun.concurrent(ModelRun.seed(), 3, ModelRun.seconds(6));
  }
}
