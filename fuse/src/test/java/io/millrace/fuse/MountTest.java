package io.millrace.fuse;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** An in-memory tree really mounted, used by real programs. */
@Tag("mount")
@Timeout(120)
class MountTest {
  @TempDir Path dir;
  private final MemoryTree tree = new MemoryTree();
  private FuseSession session;

  @BeforeEach
  void mount() throws Exception {
    session = FuseSession.mount(FuseConfig.at(dir).workers(3).build(), tree);
  }

  @AfterEach
  void unmount() throws Exception {
    session.close();
    assertTrue(tree.destroyed.await(1, TimeUnit.SECONDS));
  }

  private String sh(String script) throws Exception {
    return Shell.run(dir, script);
  }

  @Test
  void writesAndReads() throws Exception {
    assertEquals("hello", sh("echo hello > a && cat a"));
    assertEquals("hello\nmore", sh("echo more >> a && cat a"));
    assertEquals("x", sh("echo x > a && cat a"));
  }

  @Test
  void treesOfDirectories() throws Exception {
    sh("mkdir -p a/b/c && echo 1 > a/b/c/f && mv a/b z && cat z/c/f && rm -r z && rmdir a");
    assertEquals("", sh("ls"));
    assertEquals(1, tree.nodeCount());
  }
}
