package io.millrace.client.mount;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class NameFilterTest {
  @Test
  void neverDeniesWhatWasAddedAndSeldomKeepsWhatWasNot() {
    var filter = new NameFilter();
    int names = 200_000;
    var added = new SplittableRandom(1);
    for (int i = 0; i < names; i++) {
      assertTrue(filter.add(added.nextLong()));
    }
    var again = new SplittableRandom(1);
    for (int i = 0; i < names; i++) {
      assertTrue(filter.mayHave(again.nextLong()));
    }
    var others = new SplittableRandom(2);
    int wrong = 0;
    for (int i = 0; i < names; i++) {
      wrong += filter.mayHave(others.nextLong()) ? 1 : 0;
    }
    assertTrue(wrong < names / 100, wrong + " of " + names);
    assertTrue(filter.bytes() < 4L * names, filter.bytes() + " bytes");
  }

  @Test
  void hasABound() {
    var filter = new NameFilter();
    long names = 0;
    while (filter.add(names * 0x9E3779B97F4A7C15L)) {
      names++;
    }
    assertTrue(names > 1_000_000 && names < 2_000_000, names + " names");
    assertTrue(filter.bytes() < 4 << 20, filter.bytes() + " bytes");
    assertFalse(filter.add(-1));
  }
}
