package io.millrace.link;

import io.millrace.core.api.BlockId;
import io.millrace.core.api.BlockStore;
import io.millrace.core.api.Bucket;
import io.millrace.core.api.Errno;
import io.millrace.core.api.FsException;
import io.millrace.core.api.Pinned;
import io.millrace.proto.Inode;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;

/**
 * Sends one file's content to one key: small ones in one piece straight from the block, large ones
 * in parts, several at once. One use, one thread. What was sent becomes the stream {@link
 * #stream()}: the file's own where it was written in one go, else a new one whose blocks are made
 * on the way.
 */
final class Upload {
  private static final int PARTS_AT_ONCE = 4;
  private static final int PARTS_MAX = 9_999;

  private final LinkParts parts;
  private final UploadBuffers buffers;
  private final LinkBucket link;
  private final Inode inode;
  private final FileContent content;
  private final long stream;
  private final boolean pieced;

  Upload(
      LinkParts parts,
      UploadBuffers buffers,
      ContentVersions versions,
      LinkBucket link,
      Inode inode,
      FileContent content) {
    this.parts = parts;
    this.buffers = buffers;
    this.link = link;
    this.inode = inode;
    this.content = content;
    long own = content.version();
    this.pieced = own == 0 && inode.getSize() > 0;
    this.stream = pieced || own == 0 ? versions.next() : own;
  }

  long stream() {
    return stream;
  }

  boolean pieced() {
    return pieced;
  }

  /**
   * @param current whether the content is still the file's: asked before the object is replaced
   * @throws FsException EEXIST the condition does not hold; ESTALE not current any more
   */
  Bucket.ObjectInfo send(
      String key,
      Map<String, String> metadata,
      String type,
      Bucket.Condition condition,
      BooleanSupplier current) {
    if (pieced && inode.hasObject()) {
      content.keepOldObject();
    }
    long size = inode.getSize();
    if (size == 0) {
      return put(key, MemorySegment.ofArray(new byte[0]), metadata, type, condition);
    }
    if (size <= BlockId.MAX_BYTES) {
      try (Pinned block = block(0, (int) size)) {
        return put(key, block.bytes(), metadata, type, condition);
      }
    }
    if (size <= parts.config().partBytes()) {
      try (UploadBuffers.Buffer buffer = buffers.take((int) size)) {
        fill(0, buffer.bytes());
        return put(key, buffer.bytes(), metadata, type, condition);
      }
    }
    return inParts(key, metadata, type, condition, current);
  }

  private Bucket.ObjectInfo put(
      String key,
      MemorySegment body,
      Map<String, String> metadata,
      String type,
      Bucket.Condition condition) {
    return link.bucket().put(key, body, metadata, type, condition);
  }

  /** One block of the stream; made here where the content was pieced together. */
  private Pinned block(int index, int length) {
    if (!pieced) {
      return content.block(stream, index, 0, length);
    }
    var id = new BlockId(inode.getIno(), stream, index);
    try (BlockStore.Draft draft = parts.store().begin(id, length, BlockStore.Kind.CLEAN)) {
      content.read((long) index * BlockId.MAX_BYTES, draft.bytes());
      return draft.commit();
    }
  }

  /** Parts are whole blocks, so each block is made once. */
  private void fill(long offset, MemorySegment target) {
    for (long at = 0; at < target.byteSize(); at += BlockId.MAX_BYTES) {
      int length = (int) Math.min(BlockId.MAX_BYTES, target.byteSize() - at);
      int index = Math.toIntExact((offset + at) / BlockId.MAX_BYTES);
      try (Pinned block = block(index, length)) {
        MemorySegment.copy(block.bytes(), 0, target, at, length);
      }
    }
  }

  private Bucket.ObjectInfo inParts(
      String key,
      Map<String, String> metadata,
      String type,
      Bucket.Condition condition,
      BooleanSupplier current) {
    String upload = link.bucket().beginUpload(key, metadata, type);
    boolean complete = false;
    try {
      String[] etags = sendParts(key, upload);
      if (!current.getAsBoolean()) {
        throw new FsException(Errno.ESTALE, "the file was changed during its upload", "key", key);
      }
      Bucket.ObjectInfo info =
          link.bucket().completeUpload(key, upload, Arrays.asList(etags), condition);
      complete = true;
      return info;
    } finally {
      if (!complete) {
        abort(key, upload);
      }
    }
  }

  private void abort(String key, String upload) {
    try {
      link.bucket().abortUpload(key, upload);
    } catch (FsException e) {
      link.backOff().failed(e);
    }
  }

  private String[] sendParts(String key, String upload) {
    long size = inode.getSize();
    int partBytes = partBytes(size);
    var etags = new String[Math.toIntExact((size + partBytes - 1) / partBytes)];
    var next = new AtomicInteger();
    try (var workers = new Workers("upload", etags.length)) {
      workers.start(
          () -> {
            for (int part = next.getAndIncrement();
                part < etags.length && !Thread.currentThread().isInterrupted();
                part = next.getAndIncrement()) {
              etags[part] = sendPart(key, upload, part, partBytes);
            }
          },
          Math.min(PARTS_AT_ONCE, etags.length));
      workers.await();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new FsException(e, Errno.EINTR, "upload interrupted", "key", key);
    }
    return etags;
  }

  private String sendPart(String key, String upload, int part, int partBytes) {
    long offset = (long) part * partBytes;
    int length = (int) Math.min(partBytes, inode.getSize() - offset);
    try (UploadBuffers.Buffer buffer = buffers.take(length)) {
      fill(offset, buffer.bytes());
      return link.backOff()
          .retrying(
              () -> link.bucket().uploadPart(key, upload, part + 1, buffer.bytes()),
              () -> !Thread.currentThread().isInterrupted());
    }
  }

  private int partBytes(long size) {
    long least = (size + PARTS_MAX - 1) / PARTS_MAX;
    long blocks =
        (Math.max(least, parts.config().partBytes()) + BlockId.MAX_BYTES - 1) / BlockId.MAX_BYTES;
    return Math.toIntExact(blocks * BlockId.MAX_BYTES);
  }
}
