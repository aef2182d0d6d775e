package io.millrace.cli;

import io.millrace.testkit.model.ReferenceModel.Plan;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** {@link ModelTest} at length: millions of operations. */
@Tag("long")
class ModelLongTest {
  @BeforeAll
  static void canRun() throws Exception {
    ModelRun.assumeThatItCanRun();
  }

  @Test
  void oneMount() throws Exception {
    ModelRun.sequential(
        1, new Plan(ModelRun.seed(), ModelRun.operations(2_000_000), 5_000, 500, 0));
  }

  @Test
  void oneMountWithRestartsOfBothProcesses() throws Exception {
    ModelRun.sequential(
        1, new Plan(ModelRun.seed(), ModelRun.operations(100_000), 2_000, 250, 1_000));
  }

  @Test
  void twoMountsTakeTurns() throws Exception {
    ModelRun.sequential(2, new Plan(ModelRun.seed(), ModelRun.operations(500_000), 2_000, 250, 0));
  }

  @Test
  void twoMountsAtTheSameTimeDoNotBlockEachOther() throws Exception {
    ModelRun.concurrent(ModelRun.seed(), 4, ModelRun.seconds(600));
  }
}
