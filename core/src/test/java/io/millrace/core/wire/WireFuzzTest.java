package io.millrace.core.wire;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.millrace.proto.ErrorReply;
import io.millrace.proto.Hello;
import io.millrace.proto.ReadRequest;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.UnpooledByteBufAllocator;
import java.io.DataInputStream;
import java.io.IOException;
import java.net.Socket;
import java.util.SplittableRandom;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Bytes that no client of ours sends. */
@Timeout(60)
final class WireFuzzTest {
  private final ScriptedHandler handler = new ScriptedHandler();
  private final NettyNodeServer server = new NettyNodeServer(ServerConfig.loopback(0), handler);

  @AfterEach
  void stop() {
    server.close();
  }

  @Test
  void anotherVersionIsToldSo() throws IOException {
    try (var socket = connect()) {
      socket.getOutputStream().write(hello(7, 9));
      byte[] frame = readFrame(socket);
      assertEquals(Op.ERROR.code(), frame[FrameFormat.OP] & 0xff);
      var error =
          ErrorReply.parser()
              .parseFrom(frame, FrameFormat.PREFIX_BYTES, frame.length - FrameFormat.PREFIX_BYTES);
      assertEquals(71, error.getErrno());
      assertTrue(error.getMessage().contains("client=7-9, node=1-1"), error.getMessage());
    }
    assertEquals(0, handler.hellos.size());
  }

  @Test
  void aNewerClientThatStillSpeaksOursIsWelcome() throws IOException {
    try (var socket = connect()) {
      socket.getOutputStream().write(hello(1, 9));
      assertEquals(Op.HELLO.code(), readFrame(socket)[FrameFormat.OP]);
    }
  }

  @Test
  void nothingIsServedBeforeHello() throws IOException {
    try (var socket = connect()) {
      byte[] read = bytes(1, Op.READ, ReadRequest.newBuilder().setLength(5).build());
      socket.getOutputStream().write(read);
      assertEquals(-1, socket.getInputStream().read());
    }
    assertEquals(0, handler.payloadsOpen.get());
  }

  @Test
  void aStrangerCantMakeUsReserveMuch() throws IOException {
    try (var socket = connect()) {
      byte[] prefix = new byte[FrameFormat.PREFIX_BYTES];
      prefix[2] = 2; // 128 KiB
      socket.getOutputStream().write(prefix);
      assertEquals(-1, socket.getInputStream().read());
    }
  }

  @Test
  void aFrameSentByteByByteIsTheSameFrame() throws IOException {
    try (var socket = connect()) {
      socket.setTcpNoDelay(true);
      for (byte b : hello(1, 1)) {
        socket.getOutputStream().write(b);
        socket.getOutputStream().flush();
      }
      assertEquals(Op.HELLO.code(), readFrame(socket)[FrameFormat.OP]);
      socket
          .getOutputStream()
          .write(bytes(5, Op.READ, ReadRequest.newBuilder().setLength(5).build()));
      assertEquals(FrameFormat.PREFIX_BYTES + 2 + 5, readFrame(socket).length);
    }
  }

  @Test
  void randomBytesNeverHarmTheServer() {
    long seed = Long.getLong("seed", System.nanoTime());
    try {
      var random = new SplittableRandom(seed);
      for (int round = 0; round < 300; round++) {
        attack(random);
      }
      try (var channel = NettyNodeChannel.open(WireTest.config(server.port(), 10));
          var reply = channel.await(Op.READ, ReadRequest.newBuilder().setLength(9).build(), null)) {
        assertEquals(9, reply.payload().bytes().byteSize());
      }
      WireTest.assertEventually(() -> server.connections() == 0, "lines ended");
      handler.releaseHeld();
      WireTest.assertEventually(() -> server.buffersInUseBytes() == 0, "buffers given back");
    } catch (IOException | AssertionError e) {
      throw new AssertionError("replay with -Dseed=" + seed, e);
    }
  }

  private void attack(SplittableRandom random) throws IOException {
    try (var socket = connect()) {
      var out = socket.getOutputStream();
      if (random.nextInt(4) > 0) {
        out.write(hello(1, 1));
      }
      for (int i = random.nextInt(6); i > 0; i--) {
        out.write(random.nextBoolean() ? damagedFrame(random) : noise(random));
      }
      out.flush();
    } catch (java.net.SocketException e) {
      assertTrue(e.getMessage() != null); // the node has cut the line: its right
    }
  }

  private static byte[] damagedFrame(SplittableRandom random) {
    byte[] frame =
        bytes(
            random.nextLong(),
            Op.READ,
            ReadRequest.newBuilder()
                .setIno(random.nextLong())
                .setLength(random.nextInt(100))
                .build());
    frame[FrameFormat.OP] = (byte) random.nextInt(256);
    for (int i = random.nextInt(3); i > 0; i--) {
      frame[random.nextInt(frame.length)] = (byte) random.nextInt(256);
    }
    return frame;
  }

  private static byte[] noise(SplittableRandom random) {
    byte[] noise = new byte[random.nextInt(200)];
    random.nextBytes(noise);
    return noise;
  }

  private Socket connect() throws IOException {
    return new Socket("127.0.0.1", server.port());
  }

  private static byte[] hello(int min, int max) {
    return bytes(
        0,
        Op.HELLO,
        Hello.newBuilder().setVersionMin(min).setVersionMax(max).setClient("x").build());
  }

  private static byte[] bytes(long id, Op op, com.google.protobuf.MessageLite header) {
    ByteBuf frame = FrameFormat.encode(UnpooledByteBufAllocator.DEFAULT, id, op, false, header, 0);
    byte[] bytes = new byte[frame.readableBytes()];
    frame.readBytes(bytes).release();
    return bytes;
  }

  private static byte[] readFrame(Socket socket) throws IOException {
    var in = new DataInputStream(socket.getInputStream());
    int length = Integer.reverseBytes(in.readInt());
    byte[] frame = new byte[FrameFormat.LENGTH_BYTES + length];
    in.readFully(frame, FrameFormat.LENGTH_BYTES, length);
    return frame;
  }
}
