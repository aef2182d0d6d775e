package io.millrace.cli;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;

/**
 * The processes that are killed: a node with a mount, or both as {@code up}. The store's directory
 * and the mount point stay the same from life to life.
 *
 * <p>They are started by a shell that was started first: a process forked by this one would inherit
 * the files that are open on the mount, close them, and so wait for the node that it is to start.
 */
final class CrashRig implements AutoCloseable {
  /** What gets SIGKILL. */
  enum Victim {
    UP,
    NODE,
    MOUNT,
    BOTH
  }

  private static final String LEASE = "500ms";
  private static final long START_SECONDS = 60;
  private static final Path LAUNCHER =
      Path.of(System.getProperty("millrace.root")).resolve("millrace");

  private final Product product = new Product();
  private final Process shell;
  private final PrintStream commands;
  private final BufferedReader answers;
  private final boolean together;
  private final String server;
  private final String moreNodeOptions;
  final Path mount;
  final Path store;
  private ProcessHandle node;
  private ProcessHandle client;
  private int started;

  CrashRig(boolean together) throws IOException {
    this(together, "");
  }

  /**
   * @param nodeOptions more of them
   */
  CrashRig(boolean together, String nodeOptions) throws IOException {
    this.together = together;
    this.moreNodeOptions = nodeOptions;
    server = "127.0.0.1:" + Product.freePort();
    mount = product.directory("mnt");
    store = product.directory("store");
    shell = new ProcessBuilder("bash").redirectError(ProcessBuilder.Redirect.DISCARD).start();
    commands = new PrintStream(shell.getOutputStream(), true, StandardCharsets.UTF_8);
    answers =
        new BufferedReader(new InputStreamReader(shell.getInputStream(), StandardCharsets.UTF_8));
  }

  void startAll() throws IOException, InterruptedException {
    if (together) {
      client = start("up " + mount + nodeOptions());
    } else {
      startNode();
      startMount();
    }
  }

  /** Every change counts in it: fsck after a kill compares. */
  void limitAll() throws IOException {
    ask(LAUNCHER + " quota set / --files 100000000 --wait --server " + server + " | head -1");
  }

  void startNode() throws IOException, InterruptedException {
    node = start("node" + nodeOptions());
  }

  private String nodeOptions() {
    return " --dir " + store + " --listen " + server + " --lease " + LEASE + " " + moreNodeOptions;
  }

  void startMount() throws IOException, InterruptedException {
    client = start("mount " + server + " " + mount);
  }

  private ProcessHandle start(String arguments) throws IOException, InterruptedException {
    Path out = product.scratch().resolve("out-" + started);
    Path err = product.scratch().resolve("err-" + started++);
    String answer = ask(LAUNCHER + " " + arguments + " >" + out + " 2>" + err + " & echo $!");
    ProcessHandle process = ProcessHandle.of(Long.parseLong(answer)).orElseThrow();
    long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(START_SECONDS);
    while (!Files.exists(out) || !Files.readString(out).contains("ready")) {
      if (!process.isAlive() || System.nanoTime() > end) {
        throw new AssertionError(arguments + " did not start: " + Files.readString(err));
      }
      Thread.sleep(5); // polls
    }
    return process;
  }

  private synchronized String ask(String command) throws IOException {
    commands.println(command);
    String answer = answers.readLine();
    if (answer == null) {
      throw new IOException("the shell has ended at " + command);
    }
    return answer;
  }

  void kill(Victim victim) {
    switch (victim) {
      case UP, MOUNT -> end(client);
      case NODE -> end(node);
      case BOTH -> {
        node.destroyForcibly();
        end(client);
        end(node);
      }
    }
  }

  private static void end(ProcessHandle process) {
    process.destroyForcibly();
    process.onExit().join();
  }

  void unmount() throws IOException {
    String answer = ask("umount -l " + mount + " && echo done");
    if (!answer.equals("done")) {
      throw new IOException(answer);
    }
  }

  /** Bytes of blocks that only the node has, as it says. Forks nothing here, as all else. */
  long dirtyBytes() throws IOException {
    String answer = ask(LAUNCHER + " status --server " + server + " --json | grep dirty_bytes");
    return Long.parseLong(answer.replaceAll("\\D", ""));
  }

  /** Runs a command of the product to its end, which must be good. */
  void millrace(String arguments) throws IOException {
    String command = LAUNCHER + " " + arguments + " --server " + server;
    String answer = ask(command + " 2>&1 | tr '\\n' ' '; echo \"exit ${PIPESTATUS[0]}\"");
    if (!answer.endsWith("exit 0")) {
      throw new AssertionError(arguments + ": " + answer);
    }
  }

  /** What {@code fsck --deep} says, in one line; nothing may run. */
  String fsck() throws IOException {
    return ask(LAUNCHER + " fsck --deep --json --dir " + store + " | tr -d '\\n'; echo");
  }

  /** What the processes of the last life said, for a failure's message. */
  String said() throws IOException {
    var all = new StringBuilder();
    for (int life = Math.max(0, started - 2); life < started; life++) {
      all.append(Files.readString(product.scratch().resolve("out-" + life)))
          .append(Files.readString(product.scratch().resolve("err-" + life)));
    }
    return all.toString();
  }

  /** TERM, in order: what is left is on disk. */
  void stopAll() throws IOException {
    stop(client);
    stop(node);
  }

  private static void stop(ProcessHandle process) {
    if (process != null && process.isAlive()) {
      process.destroy();
      process.onExit().orTimeout(START_SECONDS, TimeUnit.SECONDS).join();
    }
  }

  @Override
  public void close() throws IOException {
    if (client != null) {
      end(client);
    }
    if (node != null) {
      end(node);
    }
    while (Product.mounted(mount)) {
      unmount();
    }
    shell.destroyForcibly();
    product.close();
  }
}
