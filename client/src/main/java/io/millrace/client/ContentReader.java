package io.millrace.client;

import io.millrace.core.api.FsException;
import io.millrace.core.api.Pinned;
import io.millrace.core.wire.NodeChannel;
import io.millrace.core.wire.NodeChannel.Reply;
import io.millrace.core.wire.Op;
import io.millrace.proto.ReadReply;
import io.millrace.proto.ReadRequest;
import java.lang.foreign.MemorySegment;

/**
 * Reads committed content: from what came with a lookup, from L2, from a reader's window, else from
 * the node, whose reply goes to the reader as it came. Any thread; never blocks.
 */
public final class ContentReader {
  /** Hears of content leases that came with a read. */
  public interface Leases {
    /**
     * @param since {@link Freshness#now} before the read was sent
     */
    void granted(long ino, long contentSeq, long since);
  }

  private final NodeChannel channel;
  private final ContentCache l2;
  private final StagedContent staged;
  private final Freshness notices;
  private final Freshness own;
  private final ReadAheadBudget budget;
  private final Leases leases;

  /**
   * @param notices marked by the node's notices
   * @param own marked by this client's own changes; of the same clock
   */
  public ContentReader(
      NodeChannel channel,
      ContentCache l2,
      StagedContent staged,
      Freshness notices,
      Freshness own,
      ReadAheadBudget budget,
      Leases leases) {
    this.channel = channel;
    this.l2 = l2;
    this.staged = staged;
    this.notices = notices;
    this.own = own;
    this.budget = budget;
    this.leases = leases;
  }

  /** A window for one sequential reader of the inode. */
  public ReadAhead readAhead(long ino) {
    var source = new FileSource(ino);
    source.window = new ReadAhead(source, budget);
    return source.window;
  }

  /**
   * Reads, and learns the reader's ways.
   *
   * @param contentSeq the content's sequence where a lease says so, else 0: then caches don't
   *     answer and the read asks for the lease
   * @param window null for a reader without one
   */
  public void read(
      long ino, long contentSeq, ReadAhead window, long offset, int length, ReadSink sink) {
    if (contentSeq != 0
        && (readStaged(ino, contentSeq, offset, length, sink)
            || readL2(ino, contentSeq, offset, length, sink))) {
      return;
    }
    if (window != null) {
      window.read(offset, length, sink);
    } else {
      readNode(ino, contentSeq == 0, null, offset, length, sink);
    }
  }

  private boolean readStaged(long ino, long contentSeq, long offset, int length, ReadSink sink) {
    StagedContent.Staged file = staged.get(ino);
    if (file == null) {
      return false;
    }
    try {
      if (file.contentSeq != contentSeq) {
        staged.drop(ino);
        return false;
      }
      MemorySegment all = file.bytes();
      long from = Math.min(offset, all.byteSize());
      long to = Math.min(offset + length, all.byteSize());
      sink.bytes(new MemorySegment[] {all.asSlice(from, to - from)}, 1);
      if (to == all.byteSize()) {
        staged.drop(ino);
        fillL2(ino, contentSeq, 0, all.byteSize(), all);
      }
      return true;
    } finally {
      file.pin.release();
    }
  }

  private boolean readL2(long ino, long contentSeq, long offset, int length, ReadSink sink) {
    long first = offset / ContentCache.CHUNK_BYTES;
    int chunks = (int) ((offset + length - 1) / ContentCache.CHUNK_BYTES - first) + 1;
    Pinned pin = length == 0 ? null : l2.get(ino, contentSeq, first);
    if (pin == null) {
      return false;
    }
    var pins = new Pinned[chunks];
    var parts = new MemorySegment[chunks];
    int got = 0;
    try {
      boolean ends = false;
      while (pin != null) {
        pins[got] = pin;
        long start = (first + got) * ContentCache.CHUNK_BYTES;
        long bytes = pin.bytes().byteSize();
        long from = Math.min(Math.max(offset - start, 0), bytes);
        long to = Math.max(from, Math.min(offset + length - start, bytes));
        parts[got] = pin.bytes().asSlice(from, to - from);
        got++;
        ends = bytes < ContentCache.CHUNK_BYTES;
        pin = got == chunks || ends ? null : l2.get(ino, contentSeq, first + got);
      }
      if (got < chunks && !ends) {
        return false;
      }
      sink.bytes(parts, got);
      return true;
    } finally {
      for (int i = 0; i < got; i++) {
        pins[i].close();
      }
    }
  }

  /** Keeps the whole chunks of what was read, and the last one of the file. */
  private void fillL2(long ino, long seq, long offset, long fileBytes, MemorySegment bytes) {
    if (!l2.keepsAnything()) {
      return;
    }
    long end = offset + bytes.byteSize();
    long chunk = Math.ceilDiv(offset, ContentCache.CHUNK_BYTES);
    for (long at = chunk * ContentCache.CHUNK_BYTES;
        at >= 0 && at < end;
        at += ContentCache.CHUNK_BYTES) {
      long length = Math.min(ContentCache.CHUNK_BYTES, end - at);
      if (length == ContentCache.CHUNK_BYTES || end >= fileBytes) {
        l2.put(ino, seq, at / ContentCache.CHUNK_BYTES, bytes.asSlice(at - offset, length));
      }
    }
  }

  private void readNode(
      long ino, boolean takeLease, ReadAhead window, long offset, int length, ReadSink sink) {
    long since = notices.now();
    var request =
        ReadRequest.newBuilder()
            .setIno(ino)
            .setOffset(offset)
            .setLength(length)
            .setLease(takeLease)
            .build();
    var callback =
        new NodeChannel.Callback() {
          @Override
          public void done(Reply reply) {
            try (reply) {
              ReadReply header = reply.as(ReadReply.class);
              if (window != null) {
                window.fileBytes(header.getSize());
              }
              if (header.getLease()) {
                leases.granted(ino, header.getContentSeq(), since);
              }
              MemorySegment bytes = reply.payload().bytes();
              sink.bytes(new MemorySegment[] {bytes}, bytes.byteSize() == 0 ? 0 : 1);
              fillL2(ino, header.getContentSeq(), offset, header.getSize(), bytes);
            }
          }

          @Override
          public void failed(FsException failure) {
            sink.failed(failure);
          }
        };
    call(request, callback);
  }

  /**
   * What the channel throws is a failed call too: a reader must never be left without an answer.
   */
  private void call(ReadRequest request, NodeChannel.Callback callback) {
    try {
      channel.call(Op.READ, request, null, callback);
    } catch (FsException e) {
      callback.failed(e);
    }
  }

  /** One file's bytes for one window. */
  private final class FileSource implements ReadAhead.Source {
    private final long ino;
    private ReadAhead window;

    FileSource(long ino) {
      this.ino = ino;
    }

    @Override
    public void fetch(long offset, int length, ReadAhead.Piece piece) {
      var request =
          ReadRequest.newBuilder()
              .setIno(ino)
              .setOffset(offset)
              .setLength(length)
              .setPrefetch(true)
              .build();
      call(
          request,
          new NodeChannel.Callback() {
            @Override
            public void done(Reply reply) {
              window.arrived(piece, new SharedPin(reply.payload()));
            }

            @Override
            public void failed(FsException failure) {
              window.arrived(piece, null);
            }
          });
    }

    @Override
    public void readDirectly(long offset, int length, ReadSink sink) {
      readNode(ino, true, window, offset, length, sink);
    }

    @Override
    public long now() {
      return notices.now();
    }

    @Override
    public boolean isFresh(long since) {
      return notices.isFresh(ino, since) && own.isFresh(ino, since);
    }
  }
}
