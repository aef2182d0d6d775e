package io.millrace.bench;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * A bench program's command line: {@code --name value}, {@code --flag}, and words. Unknown names
 * are refused, since a misspelt option would measure something else than asked.
 */
final class Arguments {
  private final Map<String, String> options = new HashMap<>();
  private final List<String> words = new ArrayList<>();

  /**
   * @param names options that take a value
   * @param flags options that don't
   */
  Arguments(String[] args, Set<String> names, Set<String> flags) {
    for (int i = 0; i < args.length; i++) {
      String name = args[i].startsWith("--") ? args[i].substring(2) : "";
      if (name.isEmpty()) {
        words.add(args[i]);
      } else if (flags.contains(name)) {
        options.put(name, "true");
      } else if (names.contains(name) && i + 1 < args.length && !args[i + 1].startsWith("--")) {
        options.put(name, args[++i]);
      } else {
        throw new IllegalArgumentException(
            args[i] + ": not known or without its value; options " + names + ", flags " + flags);
      }
    }
  }

  String word(int index, String what) {
    if (index >= words.size()) {
      throw new IllegalArgumentException("missing: " + what);
    }
    return words.get(index);
  }

  boolean flag(String name) {
    return options.containsKey(name);
  }

  String text(String name, String otherwise) {
    return options.getOrDefault(name, otherwise);
  }

  int number(String name, int otherwise) {
    return Math.toIntExact(longNumber(name, otherwise));
  }

  long longNumber(String name, long otherwise) {
    String value = options.get(name);
    return value == null ? otherwise : Long.parseLong(value);
  }

  /** A size such as {@code 4096}, {@code 4KiB}, {@code 1MiB}, {@code 2GiB}. */
  long bytes(String name, long otherwise) {
    String value = options.get(name);
    return value == null ? otherwise : parseBytes(value);
  }

  private static long parseBytes(String text) {
    int digits = 0;
    while (digits < text.length() && Character.isDigit(text.charAt(digits))) {
      digits++;
    }
    long count = Long.parseLong(text.substring(0, digits));
    int shift =
        switch (text.substring(digits)) {
          case "", "B" -> 0;
          case "KiB" -> 10;
          case "MiB" -> 20;
          case "GiB" -> 30;
          default -> throw new IllegalArgumentException("not a size (4096, 4KiB, 1MiB): " + text);
        };
    return Math.multiplyExact(count, 1L << shift);
  }
}
