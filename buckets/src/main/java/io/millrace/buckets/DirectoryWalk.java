package io.millrace.buckets;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Collections;
import java.util.Comparator;
import java.util.Deque;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;

/**
 * Regular files below a directory in key order, from a key on, one directory in memory per level.
 * Directories that end before the key are not opened. One thread; sees a tree that changes as it
 * walks.
 */
final class DirectoryWalk implements Iterator<DirectoryWalk.Found> {
  /**
   * @param key of a directory: with its slash, which is how its files sort among others
   */
  record Found(String key, Path path) {
    boolean isDirectory() {
      return key.endsWith("/");
    }
  }

  private final String from;
  private final boolean inclusive;
  private final Deque<Iterator<Found>> levels = new ArrayDeque<>();
  private Found next;

  DirectoryWalk(Path root, String from, boolean inclusive) {
    this.from = from;
    this.inclusive = inclusive;
    levels.push(children(new Found("", root)));
    advance();
  }

  @Override
  public boolean hasNext() {
    return next != null;
  }

  @Override
  public Found next() {
    if (next == null) {
      throw new NoSuchElementException();
    }
    Found found = next;
    advance();
    return found;
  }

  private void advance() {
    next = null;
    while (next == null && !levels.isEmpty()) {
      if (!levels.peek().hasNext()) {
        levels.pop();
        continue;
      }
      Found child = levels.peek().next();
      if (child.isDirectory()) {
        levels.push(children(child));
      } else {
        next = child;
      }
    }
  }

  private Iterator<Found> children(Found directory) {
    try (var names = Files.list(directory.path())) {
      List<Found> children =
          names
              .map(path -> found(directory.key(), path))
              .filter(child -> child.isDirectory() || Files.isRegularFile(child.path()))
              .filter(child -> !Files.isSymbolicLink(child.path()))
              .filter(this::reaches)
              .sorted(Comparator.comparing(Found::key, KeyOrder.UTF8))
              .toList();
      return children.iterator();
    } catch (NoSuchFileException | NotDirectoryException e) {
      return Collections.emptyIterator(); // gone meanwhile
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static Found found(String parent, Path path) {
    String key = parent + path.getFileName();
    return new Found(Files.isDirectory(path) ? key + "/" : key, path);
  }

  private boolean reaches(Found child) {
    if (child.key().equals(DirectoryLayout.PRIVATE + "/")) {
      return false;
    }
    int order = KeyOrder.UTF8.compare(child.key(), from);
    return order > 0
        || (order == 0 && (inclusive || child.isDirectory()))
        || (child.isDirectory() && from.startsWith(child.key()));
  }
}
