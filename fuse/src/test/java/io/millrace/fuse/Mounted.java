package io.millrace.fuse;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.io.TempDir;

/**
 * What tests over a real mount share: a directory, the session on it, and its end whatever happens.
 */
abstract class Mounted {
  private static final long WAIT_NANOS = 10_000_000_000L;

  @TempDir Path dir;
  FuseSession session;
  private MemoryTree mounted;

  final void mount(MemoryTree tree, FuseConfig.Builder config) throws FuseMountException {
    mounted = tree;
    session = FuseSession.mount(config.build(), tree);
  }

  final void mountAgain(MemoryTree tree, FuseConfig config, DescriptorVault vault)
      throws FuseMountException {
    mounted = tree;
    session = FuseSession.mount(config, tree, vault);
  }

  final void mount(MemoryTree tree) throws FuseMountException {
    mount(tree, FuseConfig.at(dir).workers(3));
  }

  @AfterEach
  final void unmount() throws Exception {
    if (session != null) {
      session.close();
      assertTrue(mounted.destroyed.await(1, TimeUnit.SECONDS));
    }
  }

  final String sh(String script) throws Exception {
    return Shell.run(dir, script);
  }

  /** Waits for something the kernel does in its own time. */
  static void eventually(BooleanSupplier condition, String what) {
    long deadline = System.nanoTime() + WAIT_NANOS;
    while (!condition.getAsBoolean()) {
      assertTrue(System.nanoTime() < deadline, what);
      LockSupport.parkNanos(1_000_000);
    }
  }
}
