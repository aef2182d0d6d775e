package io.millrace.cli;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** {@link CrashTest} with hundreds of kills. */
@Tag("long")
class CrashLongTest {
  private static final int KILLS = Integer.getInteger("millrace.kills", 200);

  @Test
  void acknowledgedChangesSurviveHundredsOfKillsOfUp() throws Exception {
    new CrashTest().run(true, KILLS);
  }

  @Test
  void acknowledgedChangesSurviveHundredsOfKillsOfNodeAndMount() throws Exception {
    new CrashTest().run(false, KILLS);
  }

  @Test
  void whatWasDeletedIsInTheTrashAfterHundredsOfKills() throws Exception {
    var test = new CrashTest();
    test.trash = true;
    test.run(false, KILLS / 2);
  }
}
