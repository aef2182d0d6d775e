package io.millrace.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * Ten minutes of all operations by four programs at once ({@code soak.py} checks every byte), and
 * the memory of {@code up} meanwhile: resident, and the heap after a collection. Both must be flat
 * once the load has run for a third of the time. Seeds are printed; {@code -Dseed=N} replays,
 * {@code -Dmillrace.soak.seconds=N} says how long.
 */
@Tag("long")
class SoakTest {
  private static final int SECONDS = Integer.getInteger("millrace.soak.seconds", 600);
  private static final int PROGRAMS = 4;
  private static final int SAMPLES = 30;
  private static final double RESIDENT_GROWTH_MAX = 1.06;
  private static final long HEAP_GROWTH_MAX_KIB = 8 << 10;
  private static final Pattern USED = Pattern.compile("used (\\d+)K");

  private record Sample(long seconds, long residentKib, long heapKib) {}

  private final long seed = Long.getLong("seed", System.nanoTime() & 0xffffff);

  @Test
  void memoryIsFlatUnderAllOperations() throws Exception {
    try (var product = new Product()) {
      Path mount = product.directory("mnt");
      var up =
          product.start(
              mount,
              "up",
              mount.toString(),
              "--dir",
              product.scratch().resolve("store").toString(),
              "--listen",
              "127.0.0.1:0");
      List<Process> programs = programs(product, mount);
      try {
        check(samples(up.process().pid(), programs));
        for (Process program : programs) {
          assertTrue(program.waitFor(SECONDS, TimeUnit.SECONDS), "a program hangs");
          assertEquals(0, program.exitValue(), "seed " + seed + ": see above");
        }
      } finally {
        programs.forEach(Process::destroyForcibly);
      }
    }
  }

  private List<Process> programs(Product product, Path mount) throws Exception {
    Path script = product.scratch().resolve("soak.py");
    try (InputStream source = SoakTest.class.getResourceAsStream("soak.py")) {
      Files.copy(source, script);
    }
    System.out.println("soak: seeds " + seed + " to " + (seed + PROGRAMS - 1));
    var programs = new ArrayList<Process>();
    for (int p = 0; p < PROGRAMS; p++) {
      var command =
          List.of("python3", script.toString(), mount + "/p" + p, "" + (seed + p), "" + SECONDS);
      programs.add(new ProcessBuilder(command).inheritIO().start());
    }
    return programs;
  }

  private static List<Sample> samples(long pid, List<Process> programs) throws Exception {
    var samples = new ArrayList<Sample>();
    long begun = System.nanoTime();
    for (int i = 1; i <= SAMPLES; i++) {
      long due = begun + TimeUnit.SECONDS.toNanos(SECONDS) * i / SAMPLES;
      boolean ended = programs.getFirst().waitFor(due - System.nanoTime(), TimeUnit.NANOSECONDS);
      if (ended && i < SAMPLES) {
        throw new AssertionError("a program ended early; its message is above");
      }
      var sample =
          new Sample((long) SECONDS * i / SAMPLES, resident(pid), heapAfterCollection(pid));
      System.out.println("soak: " + sample);
      samples.add(sample);
    }
    return samples;
  }

  private static long resident(long pid) throws Exception {
    for (String line : Files.readAllLines(Path.of("/proc/" + pid + "/status"))) {
      if (line.startsWith("VmRSS:")) {
        return Long.parseLong(line.replaceAll("\\D", ""));
      }
    }
    throw new AssertionError("no VmRSS of " + pid);
  }

  private static long heapAfterCollection(long pid) throws Exception {
    jcmd(pid, "GC.run");
    Matcher used = USED.matcher(jcmd(pid, "GC.heap_info"));
    long sum = 0;
    for (int generation = 0; generation < 2 && used.find(); generation++) {
      sum += Long.parseLong(used.group(1));
    }
    return sum;
  }

  private static String jcmd(long pid, String what) throws Exception {
    String jcmd = Path.of(System.getProperty("java.home"), "bin", "jcmd").toString();
    Process process = new ProcessBuilder(jcmd, "" + pid, what).redirectErrorStream(true).start();
    String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertEquals(0, process.waitFor(), out);
    return out;
  }

  /** The middle third against the last: medians, so that one sample says nothing. */
  private static void check(List<Sample> samples) {
    long residentBefore = median(samples, 1, Sample::residentKib);
    long residentAfter = median(samples, 2, Sample::residentKib);
    long heapBefore = median(samples, 1, Sample::heapKib);
    long heapAfter = median(samples, 2, Sample::heapKib);
    System.out.printf(
        "soak: resident %d -> %d KiB, heap after collection %d -> %d KiB%n",
        residentBefore, residentAfter, heapBefore, heapAfter);
    assertTrue(
        residentAfter <= residentBefore * RESIDENT_GROWTH_MAX,
        "resident memory grows: " + residentBefore + " -> " + residentAfter + " KiB");
    assertTrue(
        heapAfter <= heapBefore + HEAP_GROWTH_MAX_KIB,
        "heap grows: " + heapBefore + " -> " + heapAfter + " KiB");
  }

  private static long median(
      List<Sample> samples, int third, java.util.function.ToLongFunction<Sample> figure) {
    int size = samples.size() / 3;
    long[] sorted =
        samples.subList(third * size, (third + 1) * size).stream()
            .mapToLong(figure)
            .sorted()
            .toArray();
    return sorted[sorted.length / 2];
  }
}
