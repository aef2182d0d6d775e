package io.millrace.client.mount;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.millrace.proto.Command;
import io.millrace.proto.OpenRequest;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** As proc(5) shows a process. */
class ProcessGroupsTest {
  private static final int FS_UID = 1004;
  @TempDir Path process;

  private ProcessGroups read(String groups, String capabilities) throws IOException {
    Files.writeString(
        process.resolve("status"),
        "Name:\tGroups: 7\nUmask:\t0022\nUid:\t1001\t1002\t1003\t1004\nGid:\t1\t2\t3\t4\n"
            + "FDSize:\t64\nGroups:\t"
            + groups
            + "\nCapInh:\t00000000000000ff\nCapEff:\t"
            + capabilities
            + "\nCapBnd:\t000001ffffffffff\n");
    return ProcessGroups.read(process, FS_UID);
  }

  @Test
  void namesGroupsAndEffectiveCapabilities() throws IOException {
    ProcessGroups groups = read("4 24 4294967294 ", "8000000000000002");
    assertEquals(new ProcessGroups(List.of(4, 24, -2), 1L << 63 | 2), groups);
    var command = Command.newBuilder().addGroups(9);
    groups.tell(command);
    groups.tell(command);
    assertEquals(List.of(4, 24, -2), command.getGroupsList());
    assertEquals(1L << 63 | 2, command.getCapabilities());
    var question = OpenRequest.newBuilder();
    groups.tell(question);
    assertEquals(List.of(4, 24, -2), question.getGroupsList());
    assertEquals(1L << 63 | 2, question.getCapabilities());
  }

  @Test
  void noGroupsAreNone() throws IOException {
    assertTrue(read("", "0000000000000000").isEmpty());
    assertTrue(read(" ", "0000000000000000").isEmpty());
    assertEquals(List.of(), read(" ", "1").groups());
  }

  @Test
  void anotherUsersProcessCountsForNothing() throws IOException {
    read("4", "1");
    for (int uid : new int[] {0, 1001, 1002, 1003}) {
      assertTrue(ProcessGroups.read(process, uid).isEmpty(), "uid " + uid);
    }
  }

  @Test
  void aProcessThatIsGoneCountsForNothing() throws IOException {
    assertTrue(ProcessGroups.read(process.resolve("gone"), FS_UID).isEmpty());
    assertTrue(read("4", "unreadable").isEmpty());
  }
}
