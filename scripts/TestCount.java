import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import javax.xml.parsers.DocumentBuilderFactory;
import org.w3c.dom.Element;

/** Reads the test runner's reports: names what failed and what was skipped and why, then counts. */
public final class TestCount {
  public static void main(String[] args) throws Exception {
    boolean built = args[0].equals("0");
    int passed = 0;
    var failed = new ArrayList<String>();
    var skipped = new ArrayList<String>();
    for (Path report : reports(Path.of(args[1]))) {
      var factory = DocumentBuilderFactory.newInstance();
      var cases = factory.newDocumentBuilder().parse(report.toFile()).getElementsByTagName("testcase");
      for (int i = 0; i < cases.getLength(); i++) {
        var test = (Element) cases.item(i);
        String name = test.getAttribute("classname") + "." + test.getAttribute("name");
        if (has(test, "failure") || has(test, "error")) {
          failed.add(name);
        } else if (has(test, "skipped")) {
          var skip = (Element) test.getElementsByTagName("skipped").item(0);
          skipped.add(name + ": " + reason(skip));
        } else {
          passed++;
        }
      }
    }
    skipped.forEach(name -> System.out.println("skipped: " + name));
    failed.forEach(name -> System.out.println("FAILED: " + name));
    int failures = failed.size() + (built ? 0 : 1);
    if (!built) {
      System.out.println("FAILED: the build (see the log)");
    }
    System.out.println(passed + " passed, " + failures + " failed, " + skipped.size() + " skipped");
    System.exit(failures == 0 && passed > 0 ? 0 : 1);
  }

  /** In the attribute, or as the first line of the text: "exception: Assumption failed: reason". */
  private static String reason(Element skip) {
    String message = skip.getAttribute("message").strip();
    return message.isEmpty() ? skip.getTextContent().strip().lines().findFirst().orElse("") : message;
  }

  private static boolean has(Element test, String tag) {
    return test.getElementsByTagName(tag).getLength() > 0;
  }

  private static List<Path> reports(Path root) throws IOException {
    try (var files = Files.find(root, 5, (path, attributes) ->
        path.getParent() != null
            && path.getParent().endsWith("target/surefire-reports")
            && path.getFileName().toString().matches("TEST-.*\\.xml"))) {
      return files.sorted().toList();
    }
  }
}
