package io.millrace.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.millrace.testkit.s3.S3ProxyServer;
import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Node and mounts as processes of their own, over the wire. */
@Tag("cluster")
class NodeAndMountTest {
  private Product product;
  private String server;
  private Path store;
  private Product.Running node;

  @BeforeEach
  void start() throws IOException {
    product = new Product();
    server = "127.0.0.1:" + Product.freePort();
    store = product.scratch().resolve("store");
    node = startNode();
  }

  private Product.Running startNode() throws IOException {
    return product.start(null, "node", "--dir", store.toString(), "--listen", server);
  }

  private Path mount(String name, String... options) throws IOException {
    Path point = product.directory(name);
    var arguments = new java.util.ArrayList<>(java.util.List.of("mount", server, point.toString()));
    arguments.addAll(java.util.List.of(options));
    product.start(point, arguments.toArray(String[]::new));
    return point;
  }

  @AfterEach
  void stop() throws IOException, InterruptedException {
    product.close();
  }

  @Test
  void twoMountsSeeEachOthersChanges() throws Exception {
    Path a = mount("a");
    Path b = mount("b");
    product.shell(a, "mkdir d && echo one > d/f && ls d").expect(0);
    assertEquals("one\n", product.shell(b, "cat d/f").expect(0).out());
    product.shell(a, "echo two > d/f").expect(0);
    assertEquals("two\n", product.shell(b, "cat d/f").expect(0).out());
    product.shell(b, "mv d/f d/g").expect(0);
    assertEquals("g\n", product.shell(a, "ls d && test ! -e d/f").expect(0).out());
    product.shell(a, "rm d/g").expect(0);
    product.shell(b, "test ! -e d/g && rmdir d").expect(0);
    product.shell(a, "test ! -e d").expect(0);
  }

  private static final String APPENDERS =
      """
      for w in 1 2 3; do (exec 3>> log; for i in $(seq 200); do
        echo "$(basename $PWD)-$w $i $(head -c $((i * 7)) /dev/zero | tr '\\0' x)" >&3
      done) & done; wait; tail -n 1 log > /dev/null""";

  /** Each writer holds its descriptor open; every line is there once, whole and in its order. */
  @Test
  void appendsOfTwoMountsAreAtomic() throws Exception {
    Path a = mount("a");
    Path b = mount("b");
    var other =
        Thread.ofPlatform()
            .start(
                () -> {
                  try {
                    product.shell(b, APPENDERS).expect(0);
                  } catch (IOException | InterruptedException e) {
                    throw new AssertionError(e);
                  }
                });
    product.shell(a, APPENDERS).expect(0);
    other.join();
    String perWriter =
        "awk '{ if ($2 != ++n[$1] || length($3) != $2 * 7) exit 1 } END { for (w in n) t += n[w]; print t }' log";
    assertEquals("1200\n", product.shell(a, perWriter).expect(0).out());
    assertEquals("1200\n", product.shell(b, perWriter).expect(0).out());
  }

  @Test
  void mountSurvivesARestartOfTheNode() throws Exception {
    Path a = mount("a");
    product.shell(a, "mkdir d && echo one > d/f").expect(0);
    node.kill();
    var restarted =
        new Thread(
            () -> {
              try {
                startNode();
              } catch (IOException e) {
                throw new java.io.UncheckedIOException(e);
              }
            });
    restarted.start();
    // These wait for the node, then go on.
    assertEquals(
        "one\n", product.shell(a, "cat d/f && echo two > d/g && mv d/g d/h").expect(0).out());
    restarted.join();
    assertEquals("two\n", product.shell(a, "cat d/h").expect(0).out());
  }

  @Test
  void acknowledgedFilesSurviveKillOfBoth() throws Exception {
    Path a = mount("a");
    product.shell(a, "for i in $(seq 100); do echo $i > f$i; done").expect(0);
    node.kill();
    product.shell(Path.of("/"), "umount -l " + a).expect(0);
    startNode();
    Path b = mount("b");
    assertEquals(
        "5050\n", product.shell(b, "cat f* | awk '{s+=$1} END {print s}'").expect(0).out());
  }

  @Test
  void doesAllThatUpDoes() throws Exception {
    try (var s3 = S3ProxyServer.start()) {
      Path writer = mount("a");
      Path dataset = mount("data", "--mode", "dataset");
      new RoundTrip(product, s3.endpoint()).run(writer, dataset);
      var refused = product.shell(dataset, "touch l/x");
      assertTrue(refused.exit() != 0 && refused.out().contains("Read-only"), refused.out());
    }
  }
}
