package io.millrace.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Programs that check for themselves that the file system under them is right. */
@Tag("programs")
class VerifyingProgramsTest {
  private static final Path SCRIPTS =
      Path.of(System.getProperty("millrace.root"), "cli/src/test/resources/programs");

  /** Those that mend or measure nothing, one second each, all side by side. */
  private static final String STRESSORS =
      "access chdir chmod chown copy-file dentry dir dirdeep dirmany fallocate fcntl filename flock"
          + " fpunch getdent hdd io iomix lease link lockf lockofd open rename seek symlink"
          + " sync-file touch utime xattr";

  private static Product product;
  private static Path mount;

  @BeforeAll
  static void up() throws IOException, InterruptedException {
    product = new Product();
    product.shell(product.scratch(), "chmod 711 .").expect(0); // for the user postgres
    mount = product.directory("mnt");
    product.start(
        mount,
        "up",
        mount.toString(),
        "--dir",
        product.scratch().resolve("store").toString(),
        "--listen",
        "127.0.0.1:" + Product.freePort());
  }

  @AfterAll
  static void down() throws IOException, InterruptedException {
    product.close();
  }

  private static void needs(String what, String check) throws IOException, InterruptedException {
    assumeTrue(product.shell(mount, check).exit() == 0, what + " is not installed");
  }

  /** Runs a line in a new directory of the mount, which it must be able to remove afterwards. */
  private static String passes(String name, String line) throws IOException, InterruptedException {
    String out =
        product.shell(mount, "mkdir " + name + " && cd " + name + " && " + line).expect(0).out();
    product.shell(mount, "rm -r " + name).expect(0);
    return out;
  }

  @Test
  void fioVerifiesRandomWrites() throws Exception {
    needs("fio", "command -v fio");
    String out = passes("fio", "fio --output-format=terse " + SCRIPTS.resolve("verify.fio"));
    assertEquals(9, out.lines().filter(line -> line.startsWith("3;")).count(), out);
  }

  @Test
  void dbenchRunsItsLoad() throws Exception {
    needs("dbench", "command -v dbench");
    String out = passes("dbench", "dbench -D . -t 4 -c /usr/share/dbench/client.txt 4");
    assertEquals(1, out.lines().filter(line -> line.startsWith("Throughput")).count(), out);
  }

  @Test
  void stressNgVerifies() throws Exception {
    needs("stress-ng", "command -v stress-ng");
    String each = "for s in " + STRESSORS + "; do printf -- '--%s 1 ' $s; done";
    String out = passes("stress", "stress-ng --temp-path . --verify -t 3 $(" + each + ")");
    assertFalse(out.contains("fail"), out);
  }

  @Test
  void sqliteTakesParallelWritersInWalMode() throws Exception {
    passes("sqlite", "python3 " + SCRIPTS.resolve("sqlite_writers.py") + " a.db");
  }

  @Test
  void postgresRecoversAfterKill() throws Exception {
    needs("PostgreSQL", "ls /usr/lib/postgresql/*/bin/pg_amcheck && id postgres");
    assumeTrue(product.shell(mount, "test $(id -u) = 0").exit() == 0, "needs root to be postgres");
    passes("pg", "bash " + SCRIPTS.resolve("postgres.sh") + " $PWD " + Product.freePort());
  }

  @Test
  void makeWithManyJobsOfATreeFromTar() throws Exception {
    passes(
        "tarx",
        "mkdir a && for i in $(seq 50); do echo \"int f$i(void){return $i;}\" > a/f$i.c; done && "
            + "ln a/f1.c a/hard && ln -s f2.c a/soft && setfattr -n user.k -v v a/f3.c && "
            + "tar cf t.tar --xattrs a && mkdir b && tar xf t.tar --xattrs --xattrs-include='*' -C b && "
            + "diff -r a b/a && test b/a/hard -ef b/a/f1.c && test \"$(getfattr --only-values -n user.k b/a/f3.c)\" = v && "
            + "printf 'all: $(patsubst %%.c,%%.o,$(wildcard *.c))\\n' > b/a/Makefile && make -s -C b/a -j8 all && "
            + "test $(ls b/a/*.o | wc -l) = 50 && rsync -a --checksum --delete b/a/ c/ && "
            + "test -z \"$(rsync -ani --checksum --delete c/ b/a/)\"");
  }

  /** Parts of Python's own test suite that are about files, with TMPDIR here. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "test_os",
        "test_posix",
        "test_shutil",
        "test_mmap",
        "test_tempfile",
        "test_fileio",
        "test_pathlib",
        "test_glob",
        "test_zipfile",
        "test_largefile"
      })
  void pythonTests(String module) throws Exception {
    needs("Python's test suite", "python3 -c 'import test.libregrtest, test." + module + "'");
    passes(module, "TMPDIR=$PWD python3 -m test --tempdir $PWD " + module);
  }
}
