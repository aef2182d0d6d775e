package io.millrace.buckets;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.Properties;

/**
 * User metadata and content type of an object, as a properties file: {@code type} and {@code
 * meta.NAME}.
 */
record Sidecar(Map<String, String> metadata, String contentType) {
  static final Sidecar NONE = new Sidecar(Map.of(), "");

  private static final String TYPE = "type";
  private static final String META = "meta.";

  Sidecar {
    metadata = Map.copyOf(metadata);
  }

  boolean isEmpty() {
    return metadata.isEmpty() && contentType.isEmpty();
  }

  /** What is not there is {@link #NONE}. */
  static Sidecar read(Path path) throws IOException {
    var lines = new Properties();
    try (var in = Files.newBufferedReader(path, StandardCharsets.UTF_8)) {
      lines.load(in);
    } catch (NoSuchFileException e) {
      return NONE;
    }
    var metadata = new HashMap<String, String>();
    for (String name : lines.stringPropertyNames()) {
      if (name.startsWith(META)) {
        metadata.put(name.substring(META.length()), lines.getProperty(name));
      }
    }
    return new Sidecar(metadata, lines.getProperty(TYPE, ""));
  }

  void write(Path path) throws IOException {
    var lines = new Properties();
    lines.setProperty(TYPE, contentType);
    metadata.forEach((name, value) -> lines.setProperty(META + name, value));
    Files.createDirectories(path.getParent());
    try (var out = Files.newBufferedWriter(path, StandardCharsets.UTF_8)) {
      lines.store(out, null);
    }
    FileSync.sync(path);
  }
}
