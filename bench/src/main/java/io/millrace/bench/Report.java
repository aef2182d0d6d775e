package io.millrace.bench;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;

/** Named figures in order, printed as one line of text or as JSON for the scripts. */
final class Report {
  private final Map<String, Object> figures = new LinkedHashMap<>();

  Report put(String name, long value) {
    figures.put(name, value);
    return this;
  }

  Report put(String name, double value) {
    figures.put(name, value);
    return this;
  }

  Report put(String name, String value) {
    figures.put(name, value);
    return this;
  }

  Report put(String name, List<Report> parts) {
    figures.put(name, parts);
    return this;
  }

  String json() {
    return figures.entrySet().stream()
        .map(e -> quote(e.getKey()) + ": " + json(e.getValue()))
        .collect(Collectors.joining(", ", "{", "}"));
  }

  String line() {
    return figures.entrySet().stream()
        .filter(e -> !(e.getValue() instanceof List))
        .map(e -> e.getKey() + " " + plain(e.getValue()))
        .collect(Collectors.joining("  "));
  }

  private static String json(Object value) {
    return switch (value) {
      case List<?> parts ->
          parts.stream()
              .map(part -> ((Report) part).json())
              .collect(Collectors.joining(", ", "[", "]"));
      case String text -> quote(text);
      default -> plain(value);
    };
  }

  private static String plain(Object value) {
    return value instanceof Double d ? String.format(Locale.ROOT, "%.4f", d) : value.toString();
  }

  private static String quote(String text) {
    return '"' + text.replace("\\", "\\\\").replace("\"", "\\\"") + '"';
  }
}
