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

/** A node that takes nobody's word for being root, through real mounts. */
@Tag("cluster")
class SquashTest {
  private static final String USER = "setpriv --reuid 1001 --regid 1001 --clear-groups ";
  private static final String PREPARED =
      "mkdir all && chmod 1777 all && mkdir home && chown 1001:1001 home && echo x > secret"
          + " && chmod 600 secret && echo x > shown && chmod 644 shown && "
          + USER
          + "sh -c 'echo x > home/f && chmod 600 home/f && echo x > home/lost && echo x > all/f'";
  private Product product;
  private String server;
  private Path store;
  private Product.Running node;

  /** What root makes before it is squashed. */
  @BeforeEach
  void prepare() throws IOException, InterruptedException {
    product = new Product();
    server = "127.0.0.1:" + Product.freePort();
    store = product.scratch().resolve("store");
    node = product.start(null, "node", "--dir", store.toString(), "--listen", server);
    product.shell(mount("before"), PREPARED).expect(0);
    trash("set", "/", "--keep", "1d").expect(0);
  }

  @AfterEach
  void stop() throws IOException {
    product.close();
  }

  private Path mount(String name) throws IOException {
    Path point = product.directory(name);
    product.start(point, "mount", server, point.toString());
    return point;
  }

  private Product.Outcome trash(String... arguments) throws IOException, InterruptedException {
    var all = new ArrayList<>(List.of("trash", arguments[0], "--server", server));
    all.addAll(List.of(arguments).subList(1, arguments.length));
    return product.millrace(all.toArray(String[]::new));
  }

  /** A mount of a node that now squashes. */
  private Path squashed(String who) throws IOException, InterruptedException {
    product.stop(node);
    node =
        product.start(null, "node", "--dir", store.toString(), "--listen", server, "--squash", who);
    return mount("squashed");
  }

  private void refused(String why, Path at, String line) throws IOException, InterruptedException {
    Product.Outcome outcome = product.shell(at, line);
    assertTrue(outcome.exit() != 0 && outcome.out().contains(why), line + ": " + outcome);
  }

  @Test
  void H31_rootIsNobodyThroughAMount() throws Exception {
    Path a = squashed("root");
    for (String line :
        List.of("touch x", "mkdir x", "rm secret", "cat secret", "echo y >> shown", "rm home/f")) {
      refused("Permission denied", a, line);
    }
    for (String line : List.of("chmod 777 home", "chown 0 home", "rm all/f", "mv all/f all/g")) {
      refused("Operation not permitted", a, line);
    }
    assertEquals("x\n", product.shell(a, "cat shown").expect(0).out());
    String own = "echo y > all/mine && stat -c '%u %g' all/mine && cat all/mine && rm all/mine";
    assertEquals("65534 65534\ny\n", product.shell(a, own).expect(0).out());
  }

  @Test
  void H31_usersAreThemselvesWhereRootIsSquashed() throws Exception {
    Path a = squashed("root");
    String own = "sh -c 'echo y >> home/f && cat home/f && chmod 640 home/f && rm home/lost all/f'";
    assertEquals("x\ny\n", product.shell(a, USER + own).expect(0).out());
    assertEquals("1001\n", product.shell(a, "stat -c %u home/f").expect(0).out());
    trash("restore", "/home/lost").expect(0);
    assertEquals("x\n", product.shell(a, USER + "cat home/lost").expect(0).out());
  }

  @Test
  void H31_allAreNobodyThroughAMount() throws Exception {
    Path a = squashed("all");
    refused("Permission denied", a, USER + "touch home/g");
    refused("Operation not permitted", a, USER + "rm -f all/f");
    String made = USER + "sh -c 'echo y > all/theirs && stat -c %u all/theirs'";
    assertEquals("65534\n", product.shell(a, made).expect(0).out());
  }
}
