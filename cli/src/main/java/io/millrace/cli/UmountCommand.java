package io.millrace.cli;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/** {@code millrace umount MOUNTPOINT}: by umount(8) as root, else by fusermount3. */
@Command(name = "umount", description = "Unmount; data not yet stored is flushed first.")
final class UmountCommand implements Callable<Integer> {
  @Parameters(paramLabel = "MOUNTPOINT")
  private Path point;

  @Override
  public Integer call() throws IOException, InterruptedException {
    Path absolute = point.toAbsolutePath().normalize();
    var mount = MountTable.holding(absolute);
    if (mount.isEmpty() || !mount.get().point().equals(absolute)) {
      throw new CliException(Main.SOME_FAILED, absolute + " is no Millrace mount point");
    }
    var unmount = run(List.of("umount", absolute.toString()));
    if (unmount != 0 && run(List.of("fusermount3", "-u", absolute.toString())) != 0) {
      throw new CliException(
          Main.SOME_FAILED,
          absolute + " is in use; close what has files open there (fuser -vm " + absolute + ")");
    }
    return 0;
  }

  private static int run(List<String> command) throws IOException, InterruptedException {
    return new ProcessBuilder(command)
        .redirectErrorStream(true)
        .redirectOutput(ProcessBuilder.Redirect.DISCARD)
        .start()
        .waitFor();
  }
}
