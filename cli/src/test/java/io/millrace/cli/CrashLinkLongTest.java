package io.millrace.cli;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** {@link CrashLinkTest} with many kills. */
@Tag("long")
class CrashLinkLongTest {
  private static final int KILLS = Integer.getInteger("millrace.kills", 40);

  @Test
  void linkedFilesSurviveManyKillsOfUp() throws Exception {
    new CrashLinkTest().run(true, KILLS);
  }

  @Test
  void linkedFilesSurviveManyKillsOfNodeAndMount() throws Exception {
    new CrashLinkTest().run(false, KILLS);
  }
}
