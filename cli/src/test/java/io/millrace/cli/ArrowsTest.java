package io.millrace.cli;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** Holds the arrows of docs/ARCHITECTURE.md: who may know whom. */
class ArrowsTest {
  private static final String ROOT = "io.millrace.";

  /** Module to the modules it may use; what is not named it may not. */
  private static final Map<String, List<String>> MAY_USE =
      Map.of(
          "core", List.of("proto"),
          "meta", List.of("core", "proto"),
          "blocks", List.of("core", "proto"),
          "buckets", List.of("core", "proto"),
          "fuse", List.of(),
          "link", List.of("core", "proto"),
          "client", List.of("core", "proto", "fuse"),
          "node", List.of("core", "proto", "meta", "blocks", "buckets", "link"));

  private final JavaClasses all =
      new ClassFileImporter()
          .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
          .importPackages("io.millrace");

  @Test
  void modulesUseOnlyWhatTheyMay() {
    for (var entry : MAY_USE.entrySet()) {
      var forbidden = new ArrayList<String>();
      for (String other : MAY_USE.keySet()) {
        if (!other.equals(entry.getKey()) && !entry.getValue().contains(other)) {
          forbidden.add(ROOT + other + "..");
        }
      }
      forbidden.add(ROOT + "cli..");
      forbidden.add(ROOT + "testkit..");
      String self = ROOT + entry.getKey() + "..";
      assertTrue(
          all.stream().anyMatch(type -> type.getPackageName().startsWith(ROOT + entry.getKey())),
          "no classes of " + self);
      noClasses()
          .that()
          .resideInAPackage(self)
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage(forbidden.toArray(String[]::new))
          .check(all);
    }
  }

  @Test
  void fuseKnowsTheJdkOnly() {
    classes()
        .that()
        .resideInAPackage(ROOT + "fuse..")
        .should()
        .onlyDependOnClassesThat()
        .resideInAnyPackage(ROOT + "fuse..", "java..")
        .check(all);
  }

  @Test
  void packagesHaveNoCycles() {
    slices().matching("io.millrace.(**)").should().beFreeOfCycles().check(all);
  }

  @Test
  void portsAreFreeOfTheirImplementations() {
    noClasses()
        .that()
        .resideInAPackage(ROOT + "core.api..")
        .should()
        .dependOnClassesThat()
        .resideInAnyPackage("io.netty..", "org.rocksdb..", "software.amazon..")
        .check(all);
  }
}
