package io.millrace.buckets.http;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.channels.ByteChannel;
import javax.net.ssl.SSLSocket;

/**
 * The JDK's TLS socket as a channel, with one copy more than a plain one. Used by one thread at a
 * time; {@link #close} by any, which ends a read that waits.
 */
final class TlsChannel implements ByteChannel {
  private static final int RECORD_BYTES = 16 << 10;

  private final Socket plain;
  private final InputStream in;
  private final OutputStream out;
  private final byte[] piece = new byte[RECORD_BYTES];

  TlsChannel(Socket plain, SSLSocket secure) throws IOException {
    this.plain = plain;
    this.in = secure.getInputStream();
    this.out = secure.getOutputStream();
  }

  @Override
  public int read(ByteBuffer target) throws IOException {
    int read = in.read(piece, 0, Math.min(piece.length, target.remaining()));
    if (read > 0) {
      target.put(piece, 0, read);
    }
    return read;
  }

  @Override
  public int write(ByteBuffer source) throws IOException {
    byte[] bytes = new byte[source.remaining()];
    source.get(bytes);
    out.write(bytes);
    return bytes.length;
  }

  @Override
  public boolean isOpen() {
    return !plain.isClosed();
  }

  /** Without TLS's farewell: that could wait for a server that is silent. */
  @Override
  public void close() throws IOException {
    plain.close();
  }
}
