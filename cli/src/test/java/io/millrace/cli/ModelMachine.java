package io.millrace.cli;

import io.millrace.testkit.model.Machine;
import io.millrace.testkit.posix.Syscalls;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * A node and mounts as processes, beside a directory of the disk's own file system. Owned by the
 * test; a run's thread restarts what it says.
 */
final class ModelMachine implements Machine, AutoCloseable {
  private static final int[] FALLOCATE_MODES = {0, 1, 3, 0x10, 0x11};

  private final Product product;
  private final String server;
  private final Path oracle;
  private final List<Path> points = new ArrayList<>();
  private final List<Product.Running> mounts = new ArrayList<>();
  private final Set<Integer> fallocateModes = new HashSet<>();
  private Product.Running node;

  ModelMachine(int mountCount) throws IOException {
    product = new Product();
    server = "127.0.0.1:" + Product.freePort();
    new Syscalls().chmod(product.scratch().toString(), 0755);
    oracle = product.directory("oracle");
    startNode();
    for (int i = 0; i < mountCount; i++) {
      points.add(product.directory("mount-" + i));
    }
    startMounts();
    findFallocateModes();
  }

  private void startNode() throws IOException {
    String store = product.scratch().resolve("store").toString();
    node = product.start(null, "node", "--dir", store, "--listen", server);
  }

  private void startMounts() throws IOException {
    for (Path point : points) {
      mounts.add(product.start(point, "mount", server, point.toString()));
    }
  }

  private void findFallocateModes() {
    var calls = new Syscalls();
    String path = points.getFirst().resolve("probe").toString();
    int fd = calls.open(path, Syscalls.O_CREAT | Syscalls.O_RDWR, 0600);
    calls.ftruncate(fd, 1 << 13);
    for (int mode : FALLOCATE_MODES) {
      if (calls.fallocate(fd, mode, 0, 1 << 12) == 0) {
        fallocateModes.add(mode);
      }
    }
    calls.close(fd);
    calls.unlink(path, 0);
  }

  @Override
  public Path oracle() {
    return oracle;
  }

  @Override
  public List<Path> mounts() {
    return points;
  }

  @Override
  public Set<Integer> fallocateModes() {
    return fallocateModes;
  }

  @Override
  public void remount() throws IOException, InterruptedException {
    for (Product.Running mount : mounts) {
      product.stop(mount);
    }
    mounts.clear();
    startMounts();
  }

  @Override
  public void restartNode() throws IOException, InterruptedException {
    product.stop(node);
    startNode();
  }

  /** Where every thread of every process stands, for a run that hangs. */
  String threads() throws IOException, InterruptedException {
    var out = new StringBuilder();
    for (Product.Running mount : mounts) {
      out.append(product.threads(mount));
    }
    return out.append(product.threads(node)).toString();
  }

  /** Ends the mounts at once, so that no system call waits for them any more. */
  void abandon() throws InterruptedException {
    for (Product.Running mount : mounts) {
      mount.kill();
    }
  }

  @Override
  public void close() throws IOException {
    product.close();
  }
}
