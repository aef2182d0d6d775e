package io.millrace.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Real programs on the mount leave what they leave on the disk's own file system. */
@Tag("programs")
class ProgramsTest {
  /** Names, types, permissions, sizes, link targets and checksums of a tree, in one order. */
  private static final String DIGEST =
      "find . -mindepth 1 -not -path '*/.git/*' -printf '%p %y %m %l ' "
          + "\\( -type f -printf '%s ' -exec sha256sum {} \\; -o -printf '\\n' \\) | LC_ALL=C sort";

  private static final String SOURCES =
      "d=$(dirname $(dirname $(readlink -f $(command -v python3)))); "
          + "src=/usr/share/perl; [ -d $src ] || src=/usr/share/doc; ";

  private static Product product;
  private static Path mount;
  private static Path disk;

  @BeforeAll
  static void up() throws IOException {
    product = new Product();
    mount = product.directory("mnt");
    disk = product.directory("disk");
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

  /** Runs the same line on both file systems and compares what it leaves. */
  private static void same(String name, String line) throws IOException, InterruptedException {
    String make = "mkdir " + name + " && cd " + name + " && ";
    product.shell(disk, make + line).expect(0);
    product.shell(mount, make + line).expect(0);
    String wanted = product.shell(disk.resolve(name), DIGEST).expect(0).out();
    String got = product.shell(mount.resolve(name), DIGEST).expect(0).out();
    assertFalse(wanted.isBlank(), "the line left nothing: " + line);
    assertEquals(wanted, got);
  }

  @Test
  void copyRecursively() throws Exception {
    same("cp", SOURCES + "cp -r $src tree && diff -r $src tree");
  }

  @Test
  void copyKeepingAttributes() throws Exception {
    same("cpa", SOURCES + "cp -a $src tree && cp -a tree again && diff -r tree again");
  }

  @Test
  void rsyncArchive() throws Exception {
    same(
        "rsync",
        SOURCES
            + "rsync -a $src/ tree/ && rsync -a --delete tree/ again/ && rsync -acn --itemize-changes $src/ again/ | grep -v '^\\.' ; true");
  }

  @Test
  void tarExtract() throws Exception {
    same(
        "tar",
        SOURCES
            + "tar cf a.tar --sort=name --mtime=@0 -C $src . && mkdir x && tar xf a.tar -C x && rm a.tar");
  }

  @Test
  void gitClone() throws Exception {
    same(
        "git",
        "export GIT_AUTHOR_DATE='2026-01-01T00:00:00Z' GIT_COMMITTER_DATE='2026-01-01T00:00:00Z' HOME=$PWD; "
            + "git -c init.defaultBranch=main init -q origin && cd origin && "
            + "for i in $(seq 200); do mkdir -p d$((i % 10)); echo line $i > d$((i % 10))/f$i; done && "
            + "git -c user.name=t -c user.email=t@example.org add . && "
            + "git -c user.name=t -c user.email=t@example.org commit -qm one && cd .. && "
            + "git clone -q origin clone && git -C clone fsck --strict && git -C clone gc -q && "
            + "git -C clone status --porcelain && git -C clone rev-parse HEAD > head");
  }

  @Test
  void makeOfACProject() throws Exception {
    same(
        "make",
        "for i in $(seq 20); do echo \"int f$i(void) { return $i; }\" > f$i.c; done; "
            + "{ for i in $(seq 20); do echo \"int f$i(void);\"; done; echo 'int main(void) { return f20() == 20 ? 0 : 1; }'; } > main.c; "
            + "printf 'prog: $(patsubst %%.c,%%.o,$(wildcard *.c))\\n\\tgcc -o $@ $^\\n' > Makefile; "
            + "make -j2 -s && ./prog && make -s | grep -c . ; ./prog && rm -f prog *.o");
  }

  @Test
  void sqliteDatabase() throws Exception {
    same(
        "sqlite",
        "sqlite3 a.db 'create table t(i integer primary key, s text); "
            + "with recursive n(i) as (select 1 union all select i + 1 from n where i < 20000) "
            + "insert into t select i, printf(\"%032d\", i) from n; delete from t where i % 3 = 0; vacuum;' && "
            + "test \"$(sqlite3 a.db 'pragma integrity_check')\" = ok && "
            + "sqlite3 b.db 'pragma journal_mode=wal; create table t(i); insert into t values (1), (2);' && "
            + "sqlite3 b.db 'select sum(i) from t' > sum && sqlite3 a.db .dump > dump && rm -f b.db* ");
  }

  @Test
  void pythonCompileall() throws Exception {
    same(
        "py",
        "cp -r $(python3 -c 'import json, os; print(os.path.dirname(json.__file__))') json && "
            + "find . -name __pycache__ -prune -exec rm -rf {} + ; find . -exec touch -d @1700000000 {} + ; "
            + "python3 -m compileall -q json && python3 -c 'import json.decoder' && find . -name '*.pyc' | wc -l > count");
  }

  @Test
  void openButUnlinkedFileStaysReadable() throws Exception {
    same("unlinked", "echo content > f; exec 3< f; rm f; cat <&3 > copy; exec 3<&-; test ! -e f");
  }

  @Test
  void appendTruncateAndSparse() throws Exception {
    same(
        "sparse",
        "echo one > f; echo two >> f; truncate -s 100000 f; printf x | dd of=f bs=1 seek=70000 conv=notrunc status=none; "
            + "truncate -s 3 f.new; dd if=/dev/zero of=big bs=1M count=20 status=none; printf y | dd of=big bs=1 seek=9000000 conv=notrunc status=none");
  }

  @Test
  void nameThatIsTooLong() throws Exception {
    String line = "touch $(printf 'n%.0s' $(seq 256))";
    var outcome = product.shell(mount, line);
    assertEquals(1, outcome.exit());
    assertEquals(true, outcome.out().contains("File name too long"), outcome.out());
  }
}
