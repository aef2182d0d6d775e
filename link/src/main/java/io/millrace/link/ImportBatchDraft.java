package io.millrace.link;

import io.millrace.proto.Command;
import io.millrace.proto.ImportBatch;
import io.millrace.proto.ImportDirectory;
import io.millrace.proto.ImportEntry;
import io.millrace.proto.ImportResult;
import java.util.ArrayList;
import java.util.List;

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

  private final List<Integer> sent = new ArrayList<>();
  private final List<Integer> lost = new ArrayList<>();
  private int size;

  int size() {
    return size;
  }

  void add(ImportDirectoryNode directory, ImportEntry entry) {
    name(directory).addEntries(entry);
    size++;
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
