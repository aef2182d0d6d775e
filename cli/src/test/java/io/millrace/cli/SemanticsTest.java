package io.millrace.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/** Each row of a table in docs/SEMANTICS.md names tests in its last column, which exist. */
class SemanticsTest {
  private static final Pattern TEST_METHOD =
      Pattern.compile(
          "@(?:Test|ParameterizedTest|Property|RepeatedTest|TestFactory)\\b[^;{]*? (\\w+)\\(");
  private static final Pattern QUOTED = Pattern.compile("`(\\w+)`");
  private static final Pattern TABLE_HEAD = Pattern.compile("\\|\\s*-+.*");

  private static Set<String> tests() throws IOException {
    var names = new HashSet<String>();
    for (Path file : Sources.java()) {
      if (file.toString().contains("/src/test/") && file.toString().endsWith("Test.java")) {
        names.add(file.getFileName().toString().replace(".java", ""));
        Matcher method = TEST_METHOD.matcher(Files.readString(file));
        while (method.find()) {
          names.add(method.group(1));
        }
      }
    }
    return names;
  }

  @Test
  void everyRowNamesItsTests() throws IOException {
    Set<String> tests = tests();
    List<String> lines = Files.readAllLines(Sources.ROOT.resolve("docs/SEMANTICS.md"));
    var wrong = new ArrayList<String>();
    int rows = 0;
    for (int i = 1; i < lines.size(); i++) {
      boolean isRow = lines.get(i).startsWith("|") && lines.get(i - 1).startsWith("|");
      if (isRow && !TABLE_HEAD.matcher(lines.get(i)).matches()) {
        rows++;
        check(lines.get(i), tests, wrong);
      }
    }
    assertEquals(List.of(), wrong);
    assertTrue(rows > 50, "rows: " + rows);
  }

  private static void check(String row, Set<String> tests, List<String> wrong) {
    int second = row.indexOf(" | ");
    int last = row.lastIndexOf(" | ");
    String name = row.substring(0, second);
    Matcher test = QUOTED.matcher(row.substring(last));
    boolean any = false;
    while (test.find()) {
      any = true;
      if (!tests.contains(test.group(1))) {
        wrong.add("no test " + test.group(1) + ": " + name);
      }
    }
    if (!any || second == last) {
      wrong.add("names no test: " + name);
    }
  }
}
