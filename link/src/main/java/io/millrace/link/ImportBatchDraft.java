package io.millrace.link;

import io.millrace.proto.Command;
import io.millrace.proto.ImportBatch;
import io.millrace.proto.ImportDirectory;
import io.millrace.proto.ImportEntry;
import io.millrace.proto.ImportResult;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BiPredicate;

/**
 * A batch being filled: parts of several directories, parents before children. Owned by the
 * import's thread.
 */
final class ImportBatchDraft {
  /** Stands for all batches that were applied and let go. */
  private static final ImportBatchDraft EARLIER = new ImportBatchDraft();

  final List<ImportDirectoryNode> directories = new ArrayList<>();

  /** Parts as they were filled, in step with {@link #directories}. */
  final List<ImportDirectory.Builder> parts = new ArrayList<>();

  /** A restart may go on after this key. */
  String doneUpTo = "";

  /** When the page of each entry was asked for, in step with {@link #parts}. */
  private final List<List<Long>> asked = new ArrayList<>();

  private final List<Integer> sent = new ArrayList<>();
  private final List<Integer> lost = new ArrayList<>();
  private int size;

  int size() {
    return size;
  }

  void add(ImportDirectoryNode directory, ImportEntry entry, long askedNanos) {
    name(directory).addEntries(entry);
    asked.get(directory.index).add(askedNanos);
    size++;
  }

  /** When the first of the pages was asked for whose entries are in it. */
  long oldestAsked() {
    return asked.stream()
        .flatMap(List::stream)
        .mapToLong(Long::longValue)
        .reduce((a, b) -> a - b < 0 ? a : b)
        .orElseGet(System::nanoTime);
  }

  /**
   * Takes entries out whose listing is out of date.
   *
   * @param stale told the key and when its page was asked for
   * @return how many
   */
  int leaveOut(BiPredicate<String, Long> stale) {
    int left = 0;
    for (int i = 0; i < parts.size(); i++) {
      ImportDirectory.Builder part = parts.get(i);
      for (int e = part.getEntriesCount() - 1; e >= 0; e--) {
        String name = part.getEntries(e).getName().toStringUtf8();
        String key = directories.get(i).prefix + KeyRules.keyPart(name);
        if (stale.test(key, asked.get(i).get(e))) {
          part.removeEntries(e);
          asked.get(i).remove(e);
          left++;
        }
      }
    }
    return left;
  }

  /** This directory's part of the batch. */
  ImportDirectory.Builder name(ImportDirectoryNode directory) {
    if (directory.draft == this) {
      return directory.part;
    }
    ImportDirectory.Builder part = ImportDirectory.newBuilder();
    if (directory.ino == 0 && directory.madeIn == null) {
      directory.madeIn = this;
      name(directory.parent);
      part.setParent(directory.parent.index).setName(directory.name);
    }
    directory.draft = this;
    directory.index = directories.size();
    directory.part = part;
    directories.add(directory);
    parts.add(part);
    asked.add(new ArrayList<>());
    size++;
    return part;
  }

  /**
   * The command. All earlier batches must have been applied: parts of directories that could not be
   * made stay out of it, with their entries.
   */
  Command.Builder command(int link, boolean restoreDeleted) {
    ImportBatch.Builder batch =
        ImportBatch.newBuilder().setLink(link).setRestoreDeleted(restoreDeleted);
    int[] place = new int[parts.size()];
    for (int i = 0; i < parts.size(); i++) {
      ImportDirectory.Builder part = parts.get(i);
      boolean makes = directories.get(i).madeIn == this;
      if (makes ? place[part.getParent()] < 0 : directories.get(i).ino == 0) {
        place[i] = -1;
        lost.add(i);
        continue;
      }
      if (makes) {
        part.setParent(place[part.getParent()]);
      } else {
        part.setIno(directories.get(i).ino);
      }
      place[i] = sent.size();
      sent.add(i);
      batch.addDirectories(part);
    }
    return Command.newBuilder().setImportBatch(batch);
  }

  /** Learns the inodes of the directories that the batch made. */
  void applied(ImportResult imported) {
    for (int i = 0; i < sent.size(); i++) {
      ImportDirectoryNode directory = directories.get(sent.get(i));
      if (directory.madeIn == this) {
        directory.ino = imported.getDirectories(i);
      }
    }
  }

  /** Nothing that lives on refers to what the batch held: else a chain of batches would stay. */
  void letGo() {
    for (ImportDirectoryNode directory : directories) {
      if (directory.madeIn == this) {
        directory.madeIn = EARLIER;
      }
      if (directory.draft == this) {
        directory.draft = null;
        directory.part = null;
      }
    }
    directories.clear();
    parts.clear();
    asked.clear();
  }

  /** The directory that the result calls {@code index}. */
  ImportDirectoryNode directory(int index) {
    return directories.get(sent.get(index));
  }

  ImportDirectory.Builder part(int index) {
    return parts.get(sent.get(index));
  }

  int sent() {
    return sent.size();
  }

  /** Parts that stayed out. */
  List<Integer> lost() {
    return lost;
  }
}
