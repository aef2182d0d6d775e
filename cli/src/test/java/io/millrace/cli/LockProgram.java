package io.millrace.cli;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;

/**
 * A program that opens and locks files as it is told, one Python expression at a time: each answers
 * with its value, or with the name of its errno.
 */
final class LockProgram implements AutoCloseable {
  private static final String SCRIPT =
      """
      import ctypes, errno, fcntl, os, signal, struct, sys
      def interrupted(number, frame): raise OSError(errno.EINTR, 'signal')
      signal.signal(signal.SIGUSR1, interrupted)
      types = {'r': fcntl.F_RDLCK, 'w': fcntl.F_WRLCK, 'u': fcntl.F_UNLCK}
      OFD_GETLK, OFD_SETLK, OFD_SETLKW = 36, 37, 38
      def ask(fd, command, how, start, length):
        asked = struct.pack('hhqqi4x', types[how], os.SEEK_SET, start, length, 0)
        return struct.unpack('hhqqi4x', fcntl.fcntl(fd, command, asked))
      def lock(fd, how, start=0, length=0, wait=False, ofd=False):
        plain = fcntl.F_SETLKW if wait else fcntl.F_SETLK
        ask(fd, (OFD_SETLKW if wait else OFD_SETLK) if ofd else plain, how, start, length)
      def test(fd, how, start=0, length=0):
        how, _, start, length, pid = ask(fd, fcntl.F_GETLK, how, start, length)
        return 'none' if how == fcntl.F_UNLCK else ('rw'[how] + ' %d %d' % (start, length), pid)
      def file(name, flags=os.O_RDWR | os.O_CREAT): return os.open(name, flags, 0o644)
      def flock(fd, how): fcntl.flock(fd, how)
      EX, SH, UN, NB = fcntl.LOCK_EX, fcntl.LOCK_SH, fcntl.LOCK_UN, fcntl.LOCK_NB
      fds = {}
      for line in sys.stdin:
        try:
          name, eq, text = line.strip().partition(' := ')
          if eq: globals()[name] = eval(text); print(None)
          else: print(eval(line))
        except OSError as e:
          print('EDEADLK' if e.errno == errno.EDEADLK else errno.errorcode.get(e.errno, e))
      """;

  private final Process process;
  private final BufferedReader answers;
  private final OutputStream orders;

  LockProgram(Path directory) throws IOException {
    process =
        new ProcessBuilder("python3", "-u", "-c", SCRIPT)
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start();
    answers =
        new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8));
    orders = process.getOutputStream();
    ask("os.chdir('" + directory + "')");
  }

  long pid() {
    return process.pid();
  }

  String ask(String expression) throws IOException {
    begin(expression);
    return end();
  }

  void begin(String expression) throws IOException {
    orders.write((expression + "\n").getBytes(StandardCharsets.UTF_8));
    orders.flush();
  }

  /** The answer to what was begun. */
  String end() throws IOException {
    String answer = answers.readLine();
    if (answer == null) {
      throw new AssertionError("the program has ended");
    }
    return answer;
  }

  boolean answered() throws IOException {
    return answers.ready();
  }

  /** Begins, and returns when the kernel has it waiting in fcntl or flock. */
  void beginWaiting(String expression) throws IOException {
    begin(expression);
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(30);
    while (!inLockCall() && System.nanoTime() < deadline) {
      Thread.onSpinWait();
    }
    if (answered()) {
      throw new AssertionError("did not wait: " + expression + " gave " + end());
    }
  }

  private boolean inLockCall() throws IOException {
    String call = Files.readString(Path.of("/proc", Long.toString(pid()), "syscall"));
    return call.startsWith("72 ") || call.startsWith("73 ");
  }

  void signal() throws IOException, InterruptedException {
    new ProcessBuilder("kill", "-USR1", Long.toString(pid())).start().waitFor();
  }

  void kill() throws InterruptedException {
    process.destroyForcibly().waitFor();
  }

  @Override
  public void close() {
    process.destroyForcibly();
  }
}
