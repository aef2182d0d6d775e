package io.millrace.cli;

import java.time.Duration;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** Sizes and times as people write them: {@code 64MiB}, {@code 7d}. */
final class Units {
  private static final Pattern SIZE = Pattern.compile("(\\d+)\\s*([KMGT]?)(i?B)?");
  private static final Pattern TIME = Pattern.compile("(\\d+)(ms|s|m|h|d)?");

  private Units() {}

  static String bytes(long bytes) {
    String[] units = {"B", "KiB", "MiB", "GiB", "TiB"};
    double value = bytes;
    int unit = 0;
    while (value >= 1024 && unit < units.length - 1) {
      value /= 1024;
      unit++;
    }
    return unit == 0
        ? bytes + " B"
        : String.format(Locale.ROOT, value < 10 ? "%.1f %s" : "%.0f %s", value, units[unit]);
  }

  static String time(Duration time) {
    long seconds = time.toSeconds();
    return seconds >= 3600
        ? String.format(Locale.ROOT, "%d:%02d h", seconds / 3600, seconds / 60 % 60)
        : seconds >= 60
            ? String.format(Locale.ROOT, "%d:%02d min", seconds / 60, seconds % 60)
            : seconds + " s";
  }

  /** {@code 4GiB}, {@code 512M}, {@code 1048576}; always powers of 1,024. */
  static final class Size implements ITypeConverter<Long> {
    @Override
    public Long convert(String text) {
      Matcher match = SIZE.matcher(text);
      if (!match.matches()) {
        throw new TypeConversionException("'" + text + "' is no size; write 64MiB or 4GiB");
      }
      int power = "KMGT".indexOf(match.group(2)) + 1;
      return Long.parseLong(match.group(1)) << (match.group(2).isEmpty() ? 0 : 10 * power);
    }
  }

  /** {@code 500ms}, {@code 30s}, {@code 10m}, {@code 12h}, {@code 7d}; a bare number is seconds. */
  static final class Time implements ITypeConverter<Duration> {
    @Override
    public Duration convert(String text) {
      Matcher match = TIME.matcher(text);
      if (!match.matches()) {
        throw new TypeConversionException("'" + text + "' is no time; write 30s, 10m or 7d");
      }
      long number = Long.parseLong(match.group(1));
      return switch (match.group(2) == null ? "s" : match.group(2)) {
        case "ms" -> Duration.ofMillis(number);
        case "m" -> Duration.ofMinutes(number);
        case "h" -> Duration.ofHours(number);
        case "d" -> Duration.ofDays(number);
        default -> Duration.ofSeconds(number);
      };
    }
  }
}
