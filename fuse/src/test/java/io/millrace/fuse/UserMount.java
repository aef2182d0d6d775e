package io.millrace.fuse;

import java.nio.file.Path;

/** A process that mounts as the user it runs as, until its input ends. */
final class UserMount {
  private UserMount() {}

  public static void main(String[] args) throws Exception {
    System.out.println(ProcessHandle.current().pid());
    var tree = new MemoryTree();
    tree.put("greeting", "hello");
    FuseSession session = FuseSession.mount(FuseConfig.at(Path.of(args[0])).build(), tree);
    System.out.println("mounted");
    while (System.in.read() >= 0) {}
    session.close();
    System.out.println(session.ended().getNow(null));
  }
}
