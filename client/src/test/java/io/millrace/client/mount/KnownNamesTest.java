package io.millrace.client.mount;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertFalse;

import io.millrace.client.Freshness;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

class KnownNamesTest {
  @Test
  void moreDirectoriesThanItKnowsAreForgottenInTurn() {
    var names =
        new KnownNames(null, new Freshness(new AtomicLong())); // one miss each: nothing is listed
    for (long dir = 1; dir <= 1000; dir++) {
      long missed = dir;
      assertDoesNotThrow(() -> names.missed(missed, 0));
    }
    assertFalse(names.isAbsent(1, new byte[] {'a'}));
  }
}
