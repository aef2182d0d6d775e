package io.millrace.buckets.http;

import java.io.IOException;
import java.net.SocketTimeoutException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import javax.net.ssl.SSLContext;

/**
 * The connections to one server. The one used last is used next, so that those not needed grow old
 * and close. Safe for many threads. A watch, which runs while a connection is open, bounds silence:
 * timeouts of each read would cost system calls of their own.
 */
public final class ConnectionPool implements AutoCloseable {
  private static final long TICK_MAX_NANOS = TimeUnit.SECONDS.toNanos(1);
  private static final int TICKS_PER_LIMIT = 8;

  private final Connector connector;
  private final LongSupplier nanoTime;
  private final Semaphore places;
  private final ArrayDeque<Connection> resting = new ArrayDeque<>(); // these four: the monitor
  private final List<Connection> all = new ArrayList<>();
  private Thread watch;
  private boolean closed;

  /**
   * @param trust whom TLS believes; not used for plain connections
   */
  public ConnectionPool(Origin origin, Limits limits, SSLContext trust, LongSupplier nanoTime) {
    this.connector = new Connector(origin, limits, trust);
    this.nanoTime = nanoTime;
    this.places = new Semaphore(limits.connections());
  }

  /** Waits while all are in use. The caller gives it back, whatever happened. */
  public Connection take() throws IOException, InterruptedException {
    if (!places.tryAcquire(connector.limits().answer().toNanos(), TimeUnit.NANOSECONDS)) {
      throw new SocketTimeoutException("no connection became free");
    }
    try {
      return begun();
    } catch (IOException e) {
      places.release();
      throw e;
    }
  }

  private synchronized Connection begun() throws IOException {
    if (closed) {
      throw new IOException("the bucket is closed");
    }
    Connection connection = resting.pollLast();
    if (connection == null) {
      connection = new Connection(connector, nanoTime);
      all.add(connection);
    }
    connection.begin();
    if (watch == null) {
      watch = Thread.ofVirtual().name("http-watch").start(this::watch);
    }
    return connection;
  }

  public void give(Connection connection) {
    connection.end();
    synchronized (this) {
      resting.addLast(connection);
    }
    places.release();
  }

  private void watch() {
    long limit =
        Math.min(connector.limits().answer().toNanos(), connector.limits().idle().toNanos());
    long tickNanos = Math.min(TICK_MAX_NANOS, limit / TICKS_PER_LIMIT + 1);
    try {
      do {
        TimeUnit.NANOSECONDS.sleep(tickNanos);
      } while (anyToWatch());
    } catch (InterruptedException _) {
      return; // closed
    }
  }

  private synchronized boolean anyToWatch() {
    boolean any = false;
    for (Connection connection : all) {
      any |= connection.watch();
    }
    if (!any) {
      watch = null;
    }
    return any;
  }

  /** Ends requests that are under way, too. */
  @Override
  public synchronized void close() {
    closed = true;
    all.forEach(Connection::abort);
    if (watch != null) {
      watch.interrupt();
    }
  }
}
