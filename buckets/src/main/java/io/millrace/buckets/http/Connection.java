package io.millrace.buckets.http;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.net.SocketTimeoutException;
import java.nio.ByteBuffer;
import java.nio.channels.ByteChannel;
import java.util.function.LongSupplier;

/**
 * One place of a {@link ConnectionPool}: a connection that is opened when it is needed, and again
 * when the server has closed it. Owned by one request from take to give; the pool's watch looks in
 * from another thread, under the monitor. The head is read into a buffer of its own; the body goes
 * from the socket into the caller's memory.
 *
 * <p>Invariant: between requests the channel is open only where the last answer was read to its end
 * and nothing more came, so no byte of one answer is taken for another's.
 */
public final class Connection {
  /** A head may be as long, and a body that is kept in the buffer. */
  static final int BUFFER_BYTES = 16 << 10;

  private static final int END_OF_HEAD = 0x0d0a0d0a;

  private final Connector connector;
  private final LongSupplier nanoTime;
  private final ByteBuffer buffer = ByteBuffer.allocateDirect(BUFFER_BYTES).flip();
  private ByteChannel channel;
  private boolean reusable;
  private boolean answerBegan;
  private volatile long quietSinceNanos;
  private boolean busy; // these three under the monitor
  private boolean expired;
  private boolean aborted;

  Connection(Connector connector, LongSupplier nanoTime) {
    this.connector = connector;
    this.nanoTime = nanoTime;
  }

  /**
   * Sends a request and reads the answer's head. A kept connection that breaks before any of the
   * answer came was closed by the server in the meantime: then once more, on a new one.
   *
   * @param request complete, without body
   */
  public AnswerHead ask(byte[] request) throws IOException {
    if (channel != null) {
      try {
        return askOnce(request);
      } catch (IOException e) {
        if (answerBegan || e instanceof SocketTimeoutException || interrupted()) {
          throw e;
        }
        disconnect();
      }
    }
    connect();
    return askOnce(request);
  }

  private AnswerHead askOnce(byte[] request) throws IOException {
    reusable = false;
    answerBegan = false;
    quietSinceNanos = nanoTime.getAsLong();
    send(ByteBuffer.wrap(request));
    buffer.clear();
    return head();
  }

  private void send(ByteBuffer request) throws IOException {
    try {
      while (request.hasRemaining()) {
        channel.write(request);
      }
    } catch (IOException e) {
      throw lateOr(e);
    }
  }

  /** Leaves what came of the body in the buffer, ready to be read. */
  private AnswerHead head() throws IOException {
    int length = -1;
    for (int searched = 0; length < 0; ) {
      if (!buffer.hasRemaining()) {
        throw new NotUnderstoodException("the head is too long");
      }
      if (read(buffer) < 0) {
        throw new IOException("the connection was closed before the answer");
      }
      answerBegan = true;
      length = headLength(searched);
      searched = Math.max(0, buffer.position() - 3);
    }
    buffer.flip();
    byte[] head = new byte[length];
    buffer.get(head);
    return AnswerHead.parse(new String(head, 0, length - 2, ISO_8859_1));
  }

  /** Of the head with its empty line; -1: its end has not come. */
  private int headLength(int from) {
    for (int i = from; i + 4 <= buffer.position(); i++) {
      if (buffer.get(i) == '\r' && buffer.getInt(i) == END_OF_HEAD) {
        return i + 4;
      }
    }
    return -1;
  }

  /**
   * Reads the body, or its beginning where {@code target} is smaller; the connection then ends with
   * the request.
   *
   * @return bytes read: fewer than announced and asked for where the server ended before
   */
  public int body(AnswerHead head, MemorySegment target) throws IOException {
    long wanted = Math.min(head.contentLength(), target.byteSize());
    ByteBuffer into = target.asSlice(0, wanted).asByteBuffer();
    int come = (int) Math.min(buffer.remaining(), wanted);
    into.put(0, buffer, buffer.position(), come).position(come);
    buffer.position(buffer.position() + come);
    int read = come;
    while (into.hasRemaining() && read >= 0) {
      read = read(into);
    }
    boolean exact = !into.hasRemaining() && wanted == head.contentLength();
    reusable = head.keepsOpen() && exact && !buffer.hasRemaining();
    return into.position();
  }

  /** A short body in the server's own words; empty where it is long or not of a known length. */
  public String text(AnswerHead head) throws IOException {
    if (head.contentLength() < 0 || head.contentLength() > BUFFER_BYTES) {
      return "";
    }
    byte[] bytes = new byte[(int) head.contentLength()];
    int read = body(head, MemorySegment.ofArray(bytes));
    return new String(bytes, 0, read, ISO_8859_1);
  }

  private int read(ByteBuffer target) throws IOException {
    try {
      int read = channel.read(target);
      quietSinceNanos = nanoTime.getAsLong();
      return read;
    } catch (IOException e) {
      throw lateOr(e);
    }
  }

  /** What the watch has caused is a timeout. */
  private synchronized IOException lateOr(IOException e) {
    if (!expired) {
      return e;
    }
    var late = new SocketTimeoutException("the server is silent");
    late.initCause(e);
    return late;
  }

  private void connect() throws IOException {
    ByteChannel opened = connector.connect();
    synchronized (this) {
      channel = opened;
      expired = false;
      quietSinceNanos = nanoTime.getAsLong();
      if (aborted) {
        disconnect();
        throw new IOException("the connections are closed");
      }
    }
  }

  private static boolean interrupted() {
    return Thread.currentThread().isInterrupted();
  }

  synchronized void begin() {
    busy = true;
    quietSinceNanos = nanoTime.getAsLong();
  }

  synchronized void end() {
    busy = false;
    quietSinceNanos = nanoTime.getAsLong();
    if (!reusable || expired || aborted) {
      disconnect();
    }
  }

  /**
   * Ends a request that waits on a silent server, and closes what nobody used for long.
   *
   * @return whether there is still something to watch
   */
  synchronized boolean watch() {
    long quietNanos = nanoTime.getAsLong() - quietSinceNanos;
    Limits limits = connector.limits();
    if (busy && channel != null && quietNanos > limits.answer().toNanos()) {
      expired = true;
      shut();
    } else if (!busy && quietNanos > limits.idle().toNanos()) {
      disconnect();
    }
    return busy || channel != null;
  }

  synchronized void disconnect() {
    if (channel != null) {
      shut();
      channel = null;
    }
    reusable = false;
  }

  /** For good, from another thread: a request under way fails. */
  synchronized void abort() {
    aborted = true;
    if (busy && channel != null) {
      shut();
    } else {
      disconnect();
    }
  }

  private void shut() {
    try {
      channel.close();
    } catch (IOException _) {
      return; // nobody is left to hear of it
    }
  }
}
