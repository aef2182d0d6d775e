package io.millrace.fuse;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** INIT with kernels of several ages. */
@Timeout(30)
class HandshakeTest {
  private final FakeKernel kernel = new FakeKernel();
  private final FuseConfig config = FuseConfig.at(Path.of("/nowhere")).build();

  @AfterEach
  void end() {
    kernel.hangUp();
    kernel.close();
  }

  private FuseFeatures init(int major, int minor, int flags, int flags2) throws Exception {
    kernel.send(FuseOpcode.INIT, 2, 0, major, minor, 1 << 17, flags, flags2, new byte[44]);
    return InitHandshake.run(kernel.theirs, config);
  }

  @Test
  void H24_aNewKernelGivesAllButWhatWeDoNotWant() throws Exception {
    FuseFeatures f = init(7, 45, -1, -1);
    assertEquals(45, f.minor());
    assertTrue(f.has(InitFlags.EXPLICIT_INVAL_DATA));
    assertFalse(f.has(InitFlags.AUTO_INVAL_DATA));
    assertFalse(f.has(InitFlags.WRITEBACK_CACHE));
    assertFalse(f.has(InitFlags.POSIX_LOCKS));
    assertFalse(f.has(InitFlags.FLOCK_LOCKS));
    assertFalse(f.has(InitFlags.EXPORT_SUPPORT));
    assertTrue(f.canIncEpoch() && f.canExpireEntries() && f.canResend());
    MemorySegment reply = kernel.receive().body();
    assertEquals(64, reply.byteSize());
    assertEquals(7, reply.get(Wire.U32, 0));
    assertEquals(45, reply.get(Wire.U32, 4));
    assertEquals(1 << 20, reply.get(Wire.U32, 8));
    assertEquals((int) f.flags(), reply.get(Wire.U32, 12));
    assertEquals(256, reply.get(Wire.U16, 16));
    assertEquals(192, reply.get(Wire.U16, 18));
    assertEquals(1 << 20, reply.get(Wire.U32, 20));
    assertEquals(1, reply.get(Wire.U32, 24));
    assertEquals(256, reply.get(Wire.U16, 28));
    assertEquals((int) (f.flags() >>> 32), reply.get(Wire.U32, 32));
  }

  @Test
  void H25_locksAreTheKernelsUnlessAskedFor() throws Exception {
    kernel.send(FuseOpcode.INIT, 2, 0, 7, 45, 1 << 17, -1, -1, new byte[44]);
    FuseConfig locking = FuseConfig.at(Path.of("/nowhere")).locks(true).build();
    FuseFeatures f = InitHandshake.run(kernel.theirs, locking);
    assertTrue(f.has(InitFlags.POSIX_LOCKS) && f.has(InitFlags.FLOCK_LOCKS));
  }

  @Test
  void anOldKernelGivesLess() throws Exception {
    FuseFeatures f = init(7, 31, (int) ~(InitFlags.INIT_EXT | InitFlags.MAX_PAGES), -1);
    assertEquals(31, f.minor());
    assertEquals(128 << 10, f.maxWriteBytes());
    assertFalse(f.canIncEpoch() || f.canExpireEntries() || f.canResend());
  }

  @Test
  void aKernelTooOldIsRefusedWithAWayOut() {
    var e = assertThrows(FuseMountException.class, () -> init(7, 23, -1, -1));
    assertEquals(FuseMountException.Kind.PROTOCOL, e.kind());
    assertTrue(e.getMessage().contains("Linux 5.4"), e.getMessage());
  }

  @Test
  void theMountTableIsParsed() {
    MountPoint.Entry e =
        MountPoint.parse(
            "36 35 0:45 / /mnt/a\\040b\\134c rw,noatime shared:1 master:2 - fuse.millrace m rw");
    assertEquals(Path.of("/mnt/a b\\c"), e.path());
    assertEquals("0:45", e.device());
    assertEquals("fuse.millrace", e.type());
  }
}
