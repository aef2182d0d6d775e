package io.millrace.cli;

import java.util.logging.ConsoleHandler;
import java.util.logging.Formatter;
import java.util.logging.Level;
import java.util.logging.LogManager;
import java.util.logging.LogRecord;
import java.util.logging.Logger;

/** One line a record on standard error; libraries only from WARNING on. */
final class Logging {
  private Logging() {}

  static void configure() {
    LogManager.getLogManager().reset();
    var handler = new ConsoleHandler();
    handler.setFormatter(new Line());
    Logger root = Logger.getLogger("");
    root.addHandler(handler);
    root.setLevel(Level.parse(System.getProperty("millrace.log", "WARNING")));
  }

  private static final class Line extends Formatter {
    @Override
    public String format(LogRecord entry) {
      var line =
          new StringBuilder()
              .append(entry.getInstant())
              .append(' ')
              .append(entry.getLevel())
              .append(' ')
              .append(entry.getLoggerName())
              .append(": ")
              .append(formatMessage(entry))
              .append('\n');
      for (Throwable cause = entry.getThrown(); cause != null; cause = cause.getCause()) {
        line.append("  ").append(cause).append('\n');
        for (StackTraceElement frame : cause.getStackTrace()) {
          line.append("    at ").append(frame).append('\n');
        }
      }
      return line.toString();
    }
  }
}
