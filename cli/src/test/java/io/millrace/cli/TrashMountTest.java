package io.millrace.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Deleted files go to the trash and come back, through two mounts of one node. */
@Tag("mount")
class TrashMountTest {
  private static final String SUMS = "find t -type f | sort | xargs md5sum; ls -lR t | wc -l";
  private Product product;
  private String server;
  private Path store;
  private Path a;
  private Path b;
  private Product.Running node;

  @BeforeEach
  void start() throws IOException, InterruptedException {
    product = new Product();
    server = "127.0.0.1:" + Product.freePort();
    store = product.scratch().resolve("store");
    node = product.start(null, "node", "--dir", store.toString(), "--listen", server);
    a = mount("a");
    b = mount("b");
    product
        .shell(
            a,
            "mkdir -p t/x/y t/e && ln -s x t/s && for i in 1 2 3 4 5; do"
                + " head -c ${i}00000 /dev/urandom > t/x/$i; echo $i > t/x/y/$i; done")
        .expect(0);
  }

  private Path mount(String name) throws IOException {
    Path point = product.directory(name);
    product.start(point, "mount", server, point.toString());
    return point;
  }

  @AfterEach
  void stop() throws IOException {
    product.close();
  }

  private Product.Outcome trash(String... arguments) throws IOException, InterruptedException {
    var all = new ArrayList<>(List.of("trash", arguments[0], "--server", server));
    all.addAll(List.of(arguments).subList(1, arguments.length));
    return product.millrace(all.toArray(String[]::new));
  }

  @Test
  void wholeTreeComesBackAsItWas() throws Exception {
    trash("set", "/", "--keep", "7d").expect(0);
    String before = product.shell(a, SUMS).expect(0).out();
    product.shell(b, "rm -r t && test ! -e t").expect(0);
    product.shell(a, "test ! -e t && mkdir u && echo kept > u/f").expect(0);
    // an open file goes on where it is
    String open = "exec 3<>u/f && rm u/f && echo more >&3 && stat -L -c %h /proc/self/fd/3";
    assertEquals("1\n", product.shell(a, open).expect(0).out());
    assertEquals("11\n", product.shell(a, "find .trash -type f | wc -l").expect(0).out());
    Product.Outcome listed = trash("ls", "/t/x");
    assertTrue(listed.expect(0).out().contains("/t/x/y/5\n"), listed.out());
    assertTrue(!listed.out().contains("/u/f"), listed.out());
    node.kill();
    node = product.start(null, "node", "--dir", store.toString(), "--listen", server);
    trash("restore", "/t").expect(0);
    assertEquals(before, product.shell(a, SUMS).expect(0).out());
    assertEquals(before, product.shell(b, SUMS).expect(0).out());
    trash("restore", "/u/f", "--to", "/t/e").expect(0);
    product.shell(b, "grep -q more t/e/f").expect(0);
    assertEquals(1, trash("restore", "/t/nothing").exit());
  }

  @Test
  void emptiedTrashGivesItsRoomBack() throws Exception {
    trash("set", "/t", "--keep", "1h").expect(0);
    product.shell(a, "chmod 700 .trash; test $(stat -c %a%u .trash) = 7000").expect(0);
    product.shell(a, "echo new > t/n && mv t/n t/x/1").expect(0);
    String kept = "find .trash -type f | wc -l";
    assertEquals("1\n", product.shell(a, kept).expect(0).out());
    assertEquals("1\n", product.shell(b, kept).expect(0).out());
    product.shell(b, "rm t/x/2").expect(0);
    trash("empty", "/t").expect(0);
    assertEquals("0\n", product.shell(a, kept).expect(0).out());
    assertEquals("0\n", product.shell(b, kept).expect(0).out());
    trash("off", "/t").expect(0);
    product.shell(b, "rm t/x/3").expect(0);
    assertEquals("0\n", product.shell(b, kept).expect(0).out());
    assertEquals(1, trash("off", "/t").exit());
    node.kill();
    product.shell(Path.of("/"), "umount -l " + a + "; umount -l " + b).expect(0);
    product.millrace("fsck", "--dir", store.toString()).expect(0);
  }
}
