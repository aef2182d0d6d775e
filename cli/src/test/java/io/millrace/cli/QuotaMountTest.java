package io.millrace.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** What programs see of quotas, through two mounts of one node. */
@Tag("mount")
class QuotaMountTest {
  private static final String MIB = "1048576";
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
    node = startNode();
    a = mount("a");
    b = mount("b");
    product.shell(a, "mkdir q other").expect(0);
  }

  private Product.Running startNode() throws IOException {
    return product.start(null, "node", "--dir", store.toString(), "--listen", server);
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

  private Product.Outcome quota(String... arguments) throws IOException, InterruptedException {
    var all = new ArrayList<>(List.of("quota", arguments[0], "--server", server));
    all.addAll(List.of(arguments).subList(1, arguments.length));
    return product.millrace(all.toArray(String[]::new));
  }

  private JsonNode shown(String path) throws IOException, InterruptedException {
    return new ObjectMapper().readTree(quota("show", path, "--json").expect(0).out()).get(0);
  }

  private void refused(String line, String why) throws IOException, InterruptedException {
    Product.Outcome outcome = product.shell(a, line);
    assertTrue(outcome.exit() != 0 && outcome.out().contains(why), line + ": " + outcome);
  }

  @Test
  void everyCallThatTakesRoomIsRefusedAtTheLimit() throws Exception {
    quota("set", "/q", "--bytes", "1MiB", "--files", "4").expect(0);
    assertEquals("256 4096\n", product.shell(a, "stat -f -c '%b %S' q").expect(0).out());
    refused("dd if=/dev/zero of=q/f bs=96k count=20", "Disk quota exceeded");
    assertEquals(MIB + "\n", product.shell(b, "stat -c %s q/f").expect(0).out());
    refused("echo more >> q/f", "Disk quota exceeded");
    refused("truncate -s 2M q/f", "Disk quota exceeded");
    refused("fallocate -l 2M q/f", "Disk quota exceeded");
    product.shell(a, "dd if=/dev/zero of=q/f bs=96k count=10 conv=notrunc").expect(0);
    product.shell(b, "mkdir q/d && touch q/d/e && mkfifo q/s").expect(0);
    refused("mkdir q/d2", "Disk quota exceeded");
    refused("touch q/d/g", "Disk quota exceeded");
    product.shell(a, "ln q/f q/again").expect(0);
    refused("ln q/f other/f", "Invalid cross-device link");
    String renaming = "perl -e 'rename(\"q/f\", \"other/f\") or die \"$!\\n\"'";
    refused(renaming, "Invalid cross-device link");
    JsonNode shown = shown("/q/d");
    assertEquals(MIB + " 4", shown.get("bytes").asText() + " " + shown.get("files").asText());
    assertEquals("0\n", product.shell(b, "stat -f -c %f q").expect(0).out());
    // the other mount makes room, which is there at once
    product.shell(b, "truncate -s 10000 q/f && rm q/again q/s").expect(0);
    product.shell(a, "head -c 1000000 /dev/zero > q/g").expect(0);
    assertEquals("1010000", shown("/q").get("bytes").asText());
    quota("rm", "/q").expect(0);
    product.shell(a, "head -c 2000000 /dev/zero > q/g && mv q/g other").expect(0);
    assertEquals(1, quota("show", "/q").exit());
    assertEquals(1, quota("rm", "/q").exit());
    assertEquals(2, quota("set", "/q").exit());
  }

  private static final String WRITERS =
      "ok=0; for i in $(seq 25); do dd if=/dev/zero of=q/$0-$i bs=64k count=1 2>/dev/null"
          + " && ok=$((ok+1)); done; echo $ok";

  @Test
  void twoMountsTogetherFillAQuotaExactly() throws Exception {
    quota("set", "/q", "--bytes", "2MiB").expect(0);
    var other = new ArrayList<Product.Outcome>();
    var beside =
        Thread.ofPlatform()
            .start(
                () -> {
                  try {
                    other.add(product.shell(b, "bash -c '" + WRITERS + "' b"));
                  } catch (IOException | InterruptedException e) {
                    throw new AssertionError(e);
                  }
                });
    String mine = product.shell(a, "bash -c '" + WRITERS + "' a").expect(0).out();
    beside.join();
    int stored = Integer.parseInt(mine.strip()) + Integer.parseInt(other.getFirst().out().strip());
    assertEquals(32, stored);
    assertEquals("2097152", shown("/q").get("bytes").asText());
    node.kill();
    product.shell(Path.of("/"), "umount -l " + a + "; umount -l " + b).expect(0);
    product.millrace("fsck", "--dir", store.toString()).expect(0);
  }

  @Test
  void whatWasThereIsCountedAndSurvivesAKill() throws Exception {
    product
        .shell(
            a,
            "for d in $(seq 30); do mkdir q/$d; for f in $(seq 40); do"
                + " echo $f > q/$d/$f; done; done; ln q/1/1 q/2/hard")
        .expect(0);
    quota("set", "/q", "--files", "100000").expect(0);
    node.kill();
    node = startNode();
    quota("set", "/q", "--bytes", "1GiB", "--wait").expect(0);
    JsonNode shown = shown("/q");
    assertEquals("1230", shown.get("files").asText());
    assertEquals(Integer.toString(30 * (9 * 2 + 31 * 3)), shown.get("bytes").asText());
    product.shell(b, "rm -r q && test ! -e q").expect(0);
    assertEquals("[ ]\n", quota("ls", "--json").expect(0).out());
  }
}
