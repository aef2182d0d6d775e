package io.millrace.buckets;

import io.millrace.core.api.Errno;
import io.millrace.core.api.FsException;
import java.io.IOException;
import java.nio.channels.ClosedByInterruptException;
import java.nio.file.AccessDeniedException;
import java.nio.file.NoSuchFileException;

/** Translates what java.nio.file throws into the port's errors. */
final class DirectoryErrors {
  private DirectoryErrors() {}

  static FsException translate(IOException failure, String bucket, String key) {
    Errno errno =
        switch (failure) {
          case NoSuchFileException _ -> Errno.ENOENT;
          case AccessDeniedException _ -> Errno.EACCES;
          case ClosedByInterruptException _ -> Errno.EINTR;
          default -> Errno.EIO;
        };
    return new FsException(
        failure, errno, "the directory's file failed", "bucket", bucket, "key", key);
  }
}
