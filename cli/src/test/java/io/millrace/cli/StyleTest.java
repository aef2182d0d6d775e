package io.millrace.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.source.tree.ClassTree;
import com.sun.source.tree.CompilationUnitTree;
import com.sun.source.tree.MethodTree;
import com.sun.source.util.JavacTask;
import com.sun.source.util.SourcePositions;
import com.sun.source.util.TreeScanner;
import com.sun.source.util.Trees;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/**
 * The house rules that a machine can check. Old sins may only shrink: each list of exceptions must
 * hold exactly what breaks the rule today, so that mending one takes it off the list.
 */
class StyleTest {
  private static final int FILE_LINES_MAX = 600;
  private static final int METHOD_LINES_MAX = 70;
  private static final Pattern EMPTY_NAME =
      Pattern.compile(".*(Util|Utils|Common|Impl|Manager|Helper|Helpers|Misc)");
  private static final Pattern TODO = Pattern.compile("\\b(TODO|FIXME|XXX|HACK)\\b(?!.*#\\d)");

  private static final Set<String> LONG_FILES = Set.of();
  private static final Set<String> LONG_METHODS = Set.of();

  private static final Path ROOT = Sources.ROOT;
  private static List<Path> sources;

  @BeforeAll
  static void findSources() throws IOException {
    sources = Sources.java();
    assertTrue(sources.size() > 100, "sources not found below " + ROOT);
  }

  @Test
  void filesAreShort() throws IOException {
    var found = new ArrayList<String>();
    for (Path file : sources) {
      if (Files.readAllLines(file).size() > FILE_LINES_MAX) {
        found.add(ROOT.relativize(file).toString());
      }
    }
    assertEquals(Set.of(), difference(found, LONG_FILES), "split these files");
    assertEquals(Set.of(), difference(LONG_FILES, Set.copyOf(found)), "take these off LONG_FILES");
  }

  @Test
  void methodsAreShortAndNamesMeanSomething() throws IOException {
    var scan = new Scan();
    var compiler = ToolProvider.getSystemJavaCompiler();
    try (var files = compiler.getStandardFileManager(null, null, null)) {
      var task =
          (JavacTask)
              compiler.getTask(
                  null,
                  files,
                  diagnostic -> {},
                  List.of(),
                  null,
                  files.getJavaFileObjectsFromPaths(sources));
      scan.positions = Trees.instance(task).getSourcePositions();
      for (CompilationUnitTree unit : task.parse()) {
        scan.unit = unit;
        scan.scan(unit, null);
      }
    }
    assertEquals(Set.of(), difference(scan.longMethods, LONG_METHODS), "split these methods");
    assertEquals(
        Set.of(), difference(LONG_METHODS, Set.copyOf(scan.longMethods)), "off LONG_METHODS");
    assertEquals(List.of(), scan.emptyNames, "name these by what they do");
    assertTrue(scan.methods > 500, "scanned only " + scan.methods + " methods");
  }

  @Test
  void todosNameAnIssue() throws IOException {
    var found = new ArrayList<String>();
    for (Path file : sources) {
      if (file.endsWith("StyleTest.java")) {
        continue;
      }
      int number = 0;
      for (String line : Files.readAllLines(file)) {
        number++;
        if (TODO.matcher(line).find()) {
          found.add(ROOT.relativize(file) + ":" + number);
        }
      }
    }
    assertEquals(List.of(), found, "write the issue's number (#N) or do it");
  }

  private static Set<String> difference(Iterable<String> from, Set<String> without) {
    var rest = new java.util.TreeSet<String>();
    from.forEach(rest::add);
    rest.removeAll(without);
    return rest;
  }

  private static final class Scan extends TreeScanner<Void, Void> {
    private final List<String> longMethods = new ArrayList<>();
    private final List<String> emptyNames = new ArrayList<>();
    private SourcePositions positions;
    private CompilationUnitTree unit;
    private String type = "";
    private int methods;

    @Override
    public Void visitClass(ClassTree tree, Void unused) {
      String outer = type;
      if (!tree.getSimpleName().isEmpty()) {
        type = tree.getSimpleName().toString();
      }
      if (EMPTY_NAME.matcher(type).matches()) {
        emptyNames.add(type);
      }
      super.visitClass(tree, null);
      type = outer;
      return null;
    }

    @Override
    public Void visitMethod(MethodTree tree, Void unused) {
      methods++;
      var lines = unit.getLineMap();
      long first = lines.getLineNumber(positions.getStartPosition(unit, tree));
      long last = lines.getLineNumber(positions.getEndPosition(unit, tree));
      if (last - first + 1 > METHOD_LINES_MAX) {
        longMethods.add(type + "." + tree.getName());
      }
      return super.visitMethod(tree, null);
    }
  }
}
