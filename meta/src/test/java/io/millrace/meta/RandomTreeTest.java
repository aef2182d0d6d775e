package io.millrace.meta;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.millrace.core.api.Errno;
import io.millrace.meta.ModelTree.Node;
import io.millrace.meta.row.Keys;
import io.millrace.meta.store.Rows;
import io.millrace.proto.Command;
import io.millrace.proto.Inode;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Random operations on the namespace and on a model give the same errnos and the same tree. */
class RandomTreeTest {
  private static final List<String> NAMES = List.of("a", "b", "c", "d", "e");
  private static final int STEPS = 3000;
  private static final int CHECK_EVERY = 100;
  @TempDir Path directory;

  @Test
  void namespaceEqualsTheModelOutsideLinks() {
    run(false);
  }

  @Test
  void namespaceEqualsTheModelInALink() {
    run(true);
  }

  private void run(boolean linked) {
    long seed = Long.getLong("seed", System.nanoTime());
    try (var fs = new NamespaceFixture(directory.resolve("meta"))) {
      new Run(fs, new SplittableRandom(seed), linked).run();
    } catch (RuntimeException | AssertionError e) {
      throw new AssertionError("replay with -Dseed=" + seed, e);
    }
  }

  private static final class Run {
    private final NamespaceFixture fs;
    private final SplittableRandom random;
    private final ModelTree model = new ModelTree();
    private int link;

    Run(NamespaceFixture fs, SplittableRandom random, boolean linked) {
      this.fs = fs;
      this.random = random;
      model.root.ino = NamespaceFixture.ROOT;
      if (linked) {
        model.root.ino = fs.dir(NamespaceFixture.ROOT, "data");
        link = fs.link(model.root.ino);
      }
    }

    void run() {
      for (int i = 1; i <= STEPS; i++) {
        step();
        if (i % CHECK_EVERY == 0) {
          if (random.nextInt(10) == 0) {
            fs.reopen();
          }
          compare();
        }
      }
      removeAll(model.root);
      assertNoRowsLeft();
    }

    private List<String> strayTombstones() {
      var stray = new ArrayList<String>();
      byte[] prefix = Keys.tombstones(link);
      Set<String> deleted = new HashSet<>();
      fs.namespace.changes(link, 0, Integer.MAX_VALUE).forEach(c -> deleted.add(c.getKey()));
      try (Rows.Cursor row = fs.namespace.store().scan(prefix, Keys.after(prefix))) {
        while (row.next()) {
          String key = new String(row.key(), 5, row.key().length - 5, StandardCharsets.UTF_8);
          if (!deleted.contains(key)) {
            stray.add(key);
          }
        }
      }
      return stray;
    }

    private void removeAll(Node dir) {
      for (Map.Entry<String, Node> entry : List.copyOf(dir.entries.entrySet())) {
        if (entry.getValue().directory) {
          removeAll(entry.getValue());
          fs.ok(fs.removingDir(dir.ino, entry.getKey()));
        } else {
          fs.ok(fs.unlinking(dir.ino, entry.getKey(), false));
        }
      }
    }

    /** Root and link aside, only what the bucket has still to hear of may be left. */
    private void assertNoRowsLeft() {
      var types = new TreeMap<Character, Integer>();
      try (Rows.Cursor row = fs.namespace.store().scan(new byte[] {0}, new byte[] {(byte) 0xff})) {
        while (row.next()) {
          types.merge((char) row.key()[0], 1, Integer::sum);
        }
      }
      boolean linked = link != 0;
      assertEquals(linked ? 2 : 1, types.remove('i'));
      assertEquals(linked ? 1 : null, types.remove('e'));
      assertEquals(linked ? 1 : null, types.remove('k'));
      int changes = linked ? fs.namespace.changes(link, 0, Integer.MAX_VALUE).size() : 0;
      assertEquals(changes, types.getOrDefault('q', 0));
      if (linked) {
        assertTrue(
            fs.namespace.changes(link, 0, Integer.MAX_VALUE).stream()
                .allMatch(c -> c.getKind() == io.millrace.proto.ChangeKind.CHANGE_DELETED));
        assertEquals(List.of(), strayTombstones());
      }
      types.keySet().removeAll(List.of('c', 'g', 'l', 'm', 'q', 'd'));
      assertEquals(Map.of(), types);
    }

    private void step() {
      List<Node> nodes = model.nodes();
      List<Node> dirs = nodes.stream().filter(node -> node.directory).toList();
      Node dir = dirs.get(random.nextInt(dirs.size()));
      Node other = dirs.get(random.nextInt(dirs.size()));
      String name = name();
      String newName = name();
      switch (random.nextInt(9)) {
        case 0, 1 -> made(dir, name, false, fs.creating(dir.ino, name));
        case 2 -> made(dir, name, true, fs.makingDir(dir.ino, name));
        case 3 -> same(model.unlink(dir, name), fs.unlinking(dir.ino, name, false));
        case 4 -> same(model.rmdir(dir, name), fs.removingDir(dir.ino, name));
        case 5 -> {
          Node file = nodes.get(random.nextInt(nodes.size()));
          same(model.link(file, dir, name), fs.linking(file.ino, dir.ino, name));
        }
        case 6 -> export(nodes.get(random.nextInt(nodes.size())));
        default -> {
          int flags = random.nextInt(3);
          same(
              model.rename(dir, name, other, newName, flags),
              fs.renaming(dir.ino, name, other.ino, newName, flags));
        }
      }
    }

    private void export(Node node) {
      if (link != 0 && node != model.root) {
        fs.exported(node.ino, NamespaceFixture.etag(name()));
      }
    }

    private void made(Node dir, String name, boolean directory, Command.Builder command) {
      Errno expected = model.create(dir, name, directory);
      var result = fs.run(command);
      assertEquals(expected == null ? 0 : expected.code(), result.getErrno(), result::getMessage);
      if (expected == null) {
        dir.entries.get(name).ino = result.getInode().getIno();
      }
    }

    private void same(Errno expected, Command.Builder command) {
      assertEquals(expected, fs.errno(command), command::toString);
    }

    private String name() {
      return NAMES.get(random.nextInt(NAMES.size()));
    }

    private void compare() {
      List<Node> nodes = model.nodes();
      assertEquals(nodes.size() + (link != 0 ? 1 : 0), fs.namespace.inodes());
      for (Node node : nodes) {
        Inode inode = fs.inode(node.ino);
        if (node.directory) {
          compareDirectory(node, inode);
        } else {
          assertEquals(node.nlink, inode.getNlink());
        }
      }
      if (link != 0) {
        compareQueue(nodes);
      }
    }

    private void compareDirectory(Node node, Inode inode) {
      assertEquals(List.copyOf(node.entries.keySet()), fs.names(node.ino));
      assertEquals(node.entries.size(), inode.getChildren());
      assertEquals(
          2 + node.entries.values().stream().filter(child -> child.directory).count(),
          inode.getNlink());
      for (Map.Entry<String, Node> entry : node.entries.entrySet()) {
        var name = NamespaceFixture.bytes(entry.getKey());
        Inode child = fs.namespace.lookup(node.ino, name).orElseThrow();
        assertEquals(entry.getValue().ino, child.getIno());
        assertEquals(name, fs.namespace.nameAt(node.ino, child.getCookie()).orElseThrow());
      }
    }

    /** Each row has its inode, each inode its row, and what is settled lies where it should. */
    private void compareQueue(List<Node> nodes) {
      var rows = fs.namespace.changes(link, 0, Integer.MAX_VALUE);
      assertEquals(rows.size(), fs.namespace.pendingChanges(link));
      Set<Long> waiting = new HashSet<>();
      for (var row : rows) {
        if (row.getKind() != io.millrace.proto.ChangeKind.CHANGE_DELETED) {
          assertEquals(row, fs.namespace.changeOf(row.getIno()).orElseThrow());
          assertTrue(waiting.add(row.getIno()));
        }
      }
      for (Node node : nodes) {
        if (node == model.root || waiting.contains(node.ino)) {
          continue;
        }
        Inode inode = fs.inode(node.ino);
        if (!node.directory) {
          assertEquals(io.millrace.proto.ContentClass.CLEAN, inode.getContentClass());
        }
      }
    }
  }
}
