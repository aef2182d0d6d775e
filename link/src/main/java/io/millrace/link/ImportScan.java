package io.millrace.link;

import com.google.protobuf.ByteString;
import com.google.protobuf.UnsafeByteOperations;
import io.millrace.core.api.Bucket.ObjectInfo;
import io.millrace.core.api.Namespace;
import io.millrace.core.path.TreePath;
import io.millrace.proto.ImportEntry;
import io.millrace.proto.Inode;
import io.millrace.proto.ObjectVersion;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Optional;
import java.util.function.Predicate;

/**
 * Turns a sorted listing of keys into batches of directories and entries, leaving out what the
 * namespace has already (S2). Owned by the import's thread. Holds the directories on the path it is
 * at and nothing that grows with the number of keys.
 *
 * <p>A file waits until a key comes that does not begin with its own: only then is it known that no
 * directory of its name exists (S11). What waits begins one another, so it is few.
 */
final class ImportScan {

  /** Where the scan's findings go. Called on the import's thread. */
  interface Findings {
    /**
     * @return the draft to go on with
     */
    ImportBatchDraft full(ImportBatchDraft draft);

    void unchanged();

    /** A key that this tree can't hold (S12). */
    void refused(String key, String code);

    /** A file that shows under another name, its own being a directory's (S11). */
    void renamed(String key, String name);

    /** An entry of an existing directory that the listing does not have. */
    void missing(Inode entry);

    /** A file stands where the listing has a directory. */
    void makeWay(Inode file);
  }

  private record Waiting(
      ObjectInfo object,
      ImportDirectoryNode directory,
      String name,
      Inode before,
      String keyBefore,
      long askedNanos) {}

  private final Namespace namespace;
  private final Findings findings;
  private final Predicate<String> movedAway;
  private final int batchEntries;
  private final int rootPathBytes;
  private final Deque<ImportDirectoryNode> path = new ArrayDeque<>();
  private final Deque<Waiting> waiting = new ArrayDeque<>();
  private final String rootPrefix;
  private ImportBatchDraft draft = new ImportBatchDraft();
  private String lastKey = "";

  /**
   * @param movedAway whether keys below this prefix belong to a directory that was renamed
   */
  ImportScan(
      Namespace namespace,
      Findings findings,
      Predicate<String> movedAway,
      int batchEntries,
      long root,
      String rootPrefix) {
    this.namespace = namespace;
    this.findings = findings;
    this.movedAway = movedAway;
    this.batchEntries = batchEntries;
    this.rootPrefix = rootPrefix;
    this.rootPathBytes = TreePath.of(namespace, root).size();
    path.push(
        ImportDirectoryNode.found(
            null, rootPrefix, ByteString.EMPTY, root, new ListOrderCursor(namespace, root)));
  }

  /**
   * @param askedNanos when the page that has it was asked for
   */
  void object(ObjectInfo object, long askedNanos) {
    String key = object.key();
    if (KeyRules.isProbe(key)) {
      return;
    }
    settle(key);
    leave(key);
    ImportDirectoryNode directory = path.peek();
    int from = directory.prefix.length();
    if (from < key.length()) {
      Optional<String> problem = KeyRules.problem(key, from, rootPathBytes - rootPrefix.length());
      if (problem.isPresent()) {
        findings.refused(key, problem.get());
      } else {
        take(object, enter(directory, key, from), askedNanos);
      }
    }
    lastKey = key;
    if (draft.size() >= batchEntries) {
      flush();
    }
  }

  /** After the last key. */
  void end() {
    settle("");
    while (!path.isEmpty()) {
      close(path.pop());
    }
    flush();
  }

  private void flush() {
    draft.doneUpTo = waiting.isEmpty() ? lastKey : waiting.peekLast().keyBefore();
    draft = findings.full(draft);
  }

  private ImportDirectoryNode enter(ImportDirectoryNode top, String key, int from) {
    ImportDirectoryNode directory = top;
    int start = from;
    for (int slash = key.indexOf('/', start); slash >= 0; slash = key.indexOf('/', start)) {
      directory = open(directory, key.substring(start, slash), key.substring(0, slash + 1));
      path.push(directory);
      start = slash + 1;
    }
    return directory;
  }

  private ImportDirectoryNode open(ImportDirectoryNode parent, String part, String prefix) {
    ByteString name = bytes(part);
    collide(prefix);
    if (parent.movedAway || movedAway.test(prefix)) {
      return ImportDirectoryNode.moved(parent, prefix, name);
    }
    if (parent.before != null) {
      Optional<Inode> there = parent.before.advance(name, true, findings::missing);
      if (there.isPresent()) {
        long ino = there.get().getIno();
        return ImportDirectoryNode.found(
            parent, prefix, name, ino, new ListOrderCursor(namespace, ino));
      }
    }
    ImportDirectoryNode made = ImportDirectoryNode.missing(parent, prefix, name);
    draft.name(made);
    return made;
  }

  private void take(ObjectInfo object, ImportDirectoryNode directory, long askedNanos) {
    String key = object.key();
    if (key.length() == directory.prefix.length() || directory.movedAway) {
      return;
    }
    String name = key.substring(directory.prefix.length());
    Inode before = null;
    if (directory.before != null) {
      before = directory.before.advance(bytes(name), false, findings::missing).orElse(null);
    }
    waiting.push(new Waiting(object, directory, name, before, lastKey, askedNanos));
  }

  /** Files whose names no coming key can make a directory's. */
  private void settle(String key) {
    while (!waiting.isEmpty() && !key.startsWith(waiting.peek().object().key())) {
      Waiting file = waiting.pop();
      put(file, file.name(), file.before());
    }
  }

  /** A directory of this prefix exists: the file of that name gives way (S11). */
  private void collide(String prefix) {
    Waiting top = waiting.peek();
    if (top == null || top.object().key().length() != prefix.length() - 1) {
      return;
    }
    waiting.pop();
    if (top.before() != null) {
      findings.makeWay(top.before());
    }
    String name = top.name() + KeyRules.OBJECT_SUFFIX;
    findings.renamed(top.object().key(), name);
    long dir = top.directory().ino;
    Inode before = dir == 0 ? null : namespace.lookup(dir, bytes(name)).orElse(null);
    put(top, name, before);
  }

  private void put(Waiting file, String name, Inode before) {
    ObjectInfo object = file.object();
    if (before != null && same(before, object)) {
      findings.unchanged();
      return;
    }
    ImportEntry.Builder entry =
        ImportEntry.newBuilder()
            .setName(bytes(name))
            .setSize(object.size())
            .setMtimeNs(object.mtimeNanos())
            .setObject(version(object));
    draft.add(file.directory(), entry.build(), file.askedNanos());
  }

  /** Whether this is the version of the object that the inode was last in step with (H2). */
  static boolean same(Inode inode, ObjectInfo object) {
    ObjectVersion known = inode.getObject();
    return inode.hasObject()
        && same(known, object)
        && (!object.etag().isEmpty() || known.getMtimeNs() == object.mtimeNanos());
  }

  /** By size and etag: of stores that give none this says little. */
  static boolean same(ObjectVersion known, ObjectInfo object) {
    return known.getSize() == object.size() && known.getEtag().equals(bytes(object.etag()));
  }

  static ObjectVersion version(ObjectInfo object) {
    ObjectVersion.Builder version =
        ObjectVersion.newBuilder()
            .setEtag(bytes(object.etag()))
            .setSize(object.size())
            .setMtimeNs(object.mtimeNanos());
    if (!object.versionId().isEmpty()) {
      version.setVersionId(object.versionId());
    }
    return version.build();
  }

  private void leave(String key) {
    while (path.size() > 1 && !key.startsWith(path.peek().prefix)) {
      close(path.pop());
    }
  }

  private void close(ImportDirectoryNode directory) {
    if (directory.before != null) {
      directory.before.drain(findings::missing);
    }
  }

  private static ByteString bytes(String text) {
    return UnsafeByteOperations.unsafeWrap(text.getBytes(StandardCharsets.UTF_8));
  }
}
