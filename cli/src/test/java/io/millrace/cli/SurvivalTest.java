package io.millrace.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * H17: real programs on a mount whose process is killed, or replaced in order. They wait and go on;
 * the only error is EIO for a file with writes that were not stored.
 */
@Tag("crash")
@Timeout(300)
class SurvivalTest {
  private static final int KILLS = 3;
  private static final long WAIT_SECONDS = 90;

  private final ExecutorService programs = Executors.newCachedThreadPool();
  private Product product;

  @BeforeEach
  void make() throws IOException {
    product = new Product();
  }

  @AfterEach
  void stop() throws IOException {
    if (!Files.exists(outside("stop"))) {
      Files.createFile(outside("stop"));
    }
    programs.shutdown();
    product.close();
  }

  private Product.Running up() throws IOException {
    Path point = product.directory("mnt");
    return product.start(
        point,
        "up",
        point.toString(),
        "--supervisor",
        "--dir",
        product.scratch().resolve("store").toString(),
        "--listen",
        "127.0.0.1:" + Product.freePort());
  }

  private Product.Running mount() throws IOException {
    return mount("--supervisor");
  }

  private Product.Running mount(String... options) throws IOException {
    String server = "127.0.0.1:" + Product.freePort();
    product.start(
        null, "node", "--dir", product.scratch().resolve("s").toString(), "--listen", server);
    Path point = product.directory("mnt");
    var arguments = new java.util.ArrayList<>(List.of("mount", server, point.toString()));
    arguments.addAll(List.of(options));
    return product.start(point, arguments.toArray(String[]::new));
  }

  /** The process that serves, a child of the one that was started. */
  private static ProcessHandle server(Product.Running mount) {
    return mount
        .process()
        .children()
        .filter(p -> p.info().command().orElse("").endsWith("java"))
        .findFirst()
        .orElse(null);
  }

  private static void eventually(BooleanSupplier condition, String what)
      throws InterruptedException {
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(WAIT_SECONDS);
    while (!condition.getAsBoolean()) {
      assertTrue(System.nanoTime() < deadline, what);
      Thread.sleep(20);
    }
  }

  /** Kills the process that serves, and waits until another one does. */
  private void kill(Product.Running mount) throws Exception {
    ProcessHandle before = server(mount);
    before.destroyForcibly();
    eventually(() -> !before.isAlive(), "it dies");
    product.shell(mount.mountPoint(), "ls > /dev/null").expect(0);
  }

  private CompletableFuture<Product.Outcome> begin(Product.Running mount, String script) {
    return CompletableFuture.supplyAsync(
        () -> {
          try {
            return product.shell(mount.mountPoint(), script);
          } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
          } catch (InterruptedException e) {
            throw new IllegalStateException(e);
          }
        },
        programs);
  }

  private Path outside(String name) {
    return product.scratch().resolve(name);
  }

  /** Programs of four kinds run while the process is killed again and again. */
  private void programsGoOn(Product.Running mount) throws Exception {
    product
        .shell(
            mount.mountPoint(),
            "mkdir a && echo hi > a/f && head -c 3000000 /dev/urandom > big && sync big")
        .expect(0);
    Path stop = outside("stop");
    Path acked = outside("acked");
    var reader =
        begin(
            mount,
            "exec 3< big; h=$(md5sum <&3); while [ ! -e %1$s ]; do [ \"$(md5sum < big)\" = \"$h\" ]"
                    .formatted(stop)
                + " && cat a/f && ls a || exit 1; done > /dev/null");
    var maker =
        begin(
            mount,
            ("i=0; while [ ! -e %s ]; do mkdir d$i && : > d$i/x && mv d$i/x d$i/y && ln d$i/y d$i/z"
                    + " && rm d$i/z d$i/y && rmdir d$i || exit 1; i=$((i+1)); done")
                .formatted(stop));
    // Not echo >> log: a shell doesn't look at what close says.
    var log =
        begin(
            mount,
            ("i=0; while [ ! -e %s ]; do echo line$i. | dd of=log oflag=append conv=notrunc,fsync"
                    + " status=none && echo line$i. >> %s; i=$((i+1)); done; true")
                .formatted(stop, acked));
    var deleted =
        begin(
            mount,
            ("exec 4> gone 5< gone && rm gone && while [ ! -e %s ]; do sleep 0.1; done;"
                    + " echo still >&4 && cat <&5")
                .formatted(stop));
    for (int i = 0; i < KILLS; i++) {
      long lines = Files.exists(acked) ? Files.size(acked) : 0;
      eventually(() -> acked.toFile().length() > lines + 30, "the log grows");
      kill(mount);
    }
    Files.createFile(stop);
    reader.get().expect(0);
    maker.get().expect(0);
    assertEquals("still\n", deleted.get().expect(0).out());
    String errors = log.get().expect(0).out();
    assertTrue(errors.lines().allMatch(line -> line.contains("Input/output error")), () -> errors);
    // What was lost, and reported, is a hole.
    product
        .shell(
            mount.mountPoint(),
            "tr -d '\\0' < log | sort -u > %1$s.have; sort -u %1$s | comm -23 - %1$s.have > %1$s.lost;"
                    .formatted(acked)
                + " test ! -s %1$s.lost || { cat %1$s.lost; exit 1; }".formatted(acked))
        .expect(0);
  }

  @Test
  void H17_programsOnAMountGoOn() throws Exception {
    programsGoOn(mount());
  }

  @Test
  void H17_programsGoOnWhenNodeAndMountDie() throws Exception {
    programsGoOn(up());
  }

  @Test
  void H17_tarReportsWhatWasLostAndNothingElse() throws Exception {
    Product.Running mount = mount();
    Path source = outside("source");
    Path archive = outside("a.tar");
    product
        .shell(
            product.scratch(),
            ("mkdir %1$s && cd %1$s && for i in $(seq 400); do head -c $((i * 300)) /dev/urandom > f$i;"
                    + " done && tar cf %2$s .")
                .formatted(source, archive))
        .expect(0);
    var tar = begin(mount, "mkdir t && cd t && tar xf " + archive);
    eventually(() -> server(mount) != null, "it is served");
    for (int i = 0; i < KILLS && !tar.isDone(); i++) {
      kill(mount);
    }
    String said = tar.get().out();
    List<String> lost = said.lines().filter(line -> line.contains("Input/output error")).toList();
    assertTrue(
        said.lines()
            .allMatch(line -> line.contains("Input/output error") || line.contains("Exiting with")),
        said);
    String differ =
        product.shell(mount.mountPoint(), "diff -rq " + source + " t || true").expect(0).out();
    assertTrue(
        differ.lines().allMatch(line -> lost.stream().anyMatch(l -> l.contains(name(line) + ":"))),
        () -> said + differ);
  }

  /** {@code Files …/f12 and t/f12 differ}: f12. */
  private static String name(String line) {
    String rest = line.substring(line.lastIndexOf("/f") + 1);
    int end = rest.indexOf(' ');
    return end < 0 ? rest : rest.substring(0, end);
  }

  @Test
  void H17_anUpgradeLosesNothing() throws Exception {
    Product.Running mount = mount();
    Path stop = outside("stop");
    var writer =
        begin(
            mount,
            ("exec 3> out 4> %2$s; i=0; while [ ! -e %1$s ]; do i=$((i+1)); echo some text $i >&3"
                    + " || exit 1; echo some text $i >&4; done; exec 3>&- || exit 2;"
                    + " cmp out %2$s || exit 3")
                .formatted(stop, outside("copy")));
    for (int i = 0; i < 2; i++) {
      long size = outside("copy").toFile().length();
      eventually(() -> outside("copy").toFile().length() > size + 2000, "the writer writes");
      ProcessHandle before = server(mount);
      product.shell(product.scratch(), "kill -HUP " + mount.process().pid()).expect(0);
      eventually(() -> !before.isAlive(), "it hands over");
    }
    Files.createFile(stop);
    writer.get().expect(0);
  }

  @Test
  void theSupervisorsDeathIsTheMountsEnd() throws Exception {
    Product.Running mount = mount();
    ProcessHandle server = server(mount);
    mount.kill();
    eventually(() -> !server.isAlive(), "it dies with its parent");
    assertFalse(
        product.shell(product.scratch(), "timeout 10 ls " + mount.mountPoint()).exit() == 0);
  }

  @Test
  void unsupervisedItIsOneProcess() throws Exception {
    Product.Running mount = mount("--no-supervisor");
    assertTrue(mount.process().info().command().orElse("").endsWith("java"));
    mount.kill();
    assertFalse(
        product.shell(product.scratch(), "timeout 10 ls " + mount.mountPoint()).exit() == 0);
  }

  @Test
  void theSupervisorGivesUpAtLast() throws Exception {
    Path ledger = Files.write(outside("ledger"), new byte[4096]);
    Path script = outside("supervise.sh");
    try (var in = Supervisor.class.getResourceAsStream("supervise.sh")) {
      Files.copy(in, script);
    }
    Path started = outside("started");
    var outcome =
        product.shell(
            product.scratch(),
            ("exec 9<> %s && MILLRACE_SUPERVISED=7,8,9 sh %s %s/nowhere sh -c"
                    + " 'printf S | dd of=/proc/self/fd/9 conv=notrunc 2>/dev/null; echo >> %s;"
                    + " kill -9 $$'")
                .formatted(ledger, script, product.scratch(), started));
    assertEquals(1, outcome.exit(), outcome.out());
    assertTrue(outcome.out().contains("6 times in a minute"), outcome.out());
    assertEquals(6, Files.readAllLines(started).size());
  }
}
