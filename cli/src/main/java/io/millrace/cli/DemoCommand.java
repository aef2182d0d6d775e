package io.millrace.cli;

import io.millrace.cli.demo.Demo;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code millrace demo}: the main job on one machine, on real input, in a minute or two. */
@Command(
    name = "demo",
    description = "Everything on one machine with an embedded S3 server and real files.")
final class DemoCommand implements Callable<Integer> {
  @Option(names = "--keep", description = "Leave node, mount and S3 server running until Enter.")
  private boolean keep;

  @Override
  public Integer call() throws Exception {
    Path launcher = Path.of(System.getProperty("millrace.root", "."), "millrace");
    new Demo(launcher, System.out, keep).run();
    return 0;
  }
}
