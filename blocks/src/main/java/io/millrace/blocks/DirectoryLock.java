package io.millrace.blocks;

import io.millrace.core.api.Errno;
import io.millrace.core.api.FsException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/** Keeps a second process out of a directory. The file {@code lock} holds the owner's pid. */
final class DirectoryLock implements AutoCloseable {
  private final FileChannel channel;

  private DirectoryLock(FileChannel channel) {
    this.channel = channel;
  }

  /**
   * @throws FsException EBUSY another process has it
   */
  static DirectoryLock take(Path directory) {
    Path file = directory.resolve("lock");
    try {
      Files.createDirectories(directory);
      var channel = FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
      if (!locked(channel)) {
        channel.close();
        throw new FsException(
            Errno.EBUSY,
            "block directory is in use by another process: stop that one or name another directory",
            "path",
            directory,
            "pid",
            Files.readString(file).strip());
      }
      channel.truncate(0);
      String pid = ProcessHandle.current().pid() + "\n";
      channel.write(ByteBuffer.wrap(pid.getBytes(StandardCharsets.US_ASCII)), 0);
      return new DirectoryLock(channel);
    } catch (IOException failure) {
      throw new FsException(failure, Errno.EIO, "can't lock block directory", "path", directory);
    }
  }

  private static boolean locked(FileChannel channel) throws IOException {
    try {
      FileLock lock = channel.tryLock();
      return lock != null;
    } catch (OverlappingFileLockException here) {
      return false;
    }
  }

  @Override
  public void close() {
    try {
      channel.close();
    } catch (IOException failure) {
      throw new FsException(failure, Errno.EIO, "can't unlock block directory");
    }
  }
}
