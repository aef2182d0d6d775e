package io.millrace.link;

import com.google.protobuf.ByteString;
import io.millrace.core.api.Namespace;
import io.millrace.core.path.FileType;
import io.millrace.proto.Inode;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * One directory's entries in the order in which a bucket lists them, where a directory sorts with
 * its slash: {@code a-b} before {@code a/}. Owned by one thread. Holds one page of entries and the
 * directories whose names begin one another, nothing else.
 */
final class ListOrderCursor {
  private static final int PAGE = 256;

  private final Namespace namespace;
  private final long dir;
  private final Deque<Inode> page = new ArrayDeque<>();
  private final Deque<Inode> held = new ArrayDeque<>();
  private ByteString last = ByteString.EMPTY;
  private boolean ended;
  private Inode head;

  ListOrderCursor(Namespace namespace, long dir) {
    this.namespace = namespace;
    this.dir = dir;
    this.head = next();
  }

  /**
   * Goes to the place of this name.
   *
   * @param passed gets the entries before it
   * @return the entry of this name and type; the cursor is then behind it
   */
  Optional<Inode> advance(ByteString name, boolean directory, Consumer<Inode> passed) {
    while (head != null) {
      int order = compare(head.getName(), FileType.isDirectory(head), name, directory);
      if (order > 0) {
        return Optional.empty();
      }
      Inode entry = head;
      head = next();
      if (order == 0) {
        return Optional.of(entry);
      }
      passed.accept(entry);
    }
    return Optional.empty();
  }

  void drain(Consumer<Inode> passed) {
    while (head != null) {
      Inode entry = head;
      head = next();
      passed.accept(entry);
    }
  }

  private Inode next() {
    while (true) {
      Inode raw = peek();
      Inode top = held.peek();
      if (top != null
          && (raw == null
              || compare(top.getName(), true, raw.getName(), FileType.isDirectory(raw)) < 0)) {
        return held.pop();
      }
      if (raw == null) {
        return null;
      }
      page.poll();
      if (!FileType.isDirectory(raw)) {
        return raw;
      }
      held.push(raw);
    }
  }

  private Inode peek() {
    if (page.isEmpty() && !ended) {
      ended = namespace.list(dir, last, PAGE, page::add);
      if (!page.isEmpty()) {
        last = page.peekLast().getName();
      }
    }
    return page.peek();
  }

  private static int compare(ByteString a, boolean aSlash, ByteString b, boolean bSlash) {
    int shared = Math.min(a.size(), b.size());
    for (int i = 0; i < shared; i++) {
      int order = Integer.compare(a.byteAt(i) & 0xff, b.byteAt(i) & 0xff);
      if (order != 0) {
        return order;
      }
    }
    for (int i = shared; ; i++) {
      int left = at(a, aSlash, i);
      int right = at(b, bSlash, i);
      if (left != right || left < 0) {
        return Integer.compare(left, right);
      }
    }
  }

  private static int at(ByteString name, boolean slash, int i) {
    if (i < name.size()) {
      return name.byteAt(i) & 0xff;
    }
    return slash && i == name.size() ? '/' : -1;
  }
}
