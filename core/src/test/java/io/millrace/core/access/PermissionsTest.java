package io.millrace.core.access;

import static io.millrace.core.access.Permissions.EXECUTE;
import static io.millrace.core.access.Permissions.READ;
import static io.millrace.core.access.Permissions.WRITE;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;

import com.google.protobuf.ByteString;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Who gets what, case by case. */
final class PermissionsTest {
  private static final int FILE = 0100000;
  private static final int DIRECTORY = 0040000;
  private static final int USER_OBJ = 1;
  private static final int USER = 2;
  private static final int GROUP_OBJ = 4;
  private static final int GROUP = 8;
  private static final int MASK = 0x10;
  private static final int OTHER = 0x20;

  private static Caller caller(int uid, int gid, Integer... groups) {
    return new Caller(uid, gid, List.of(groups), 0);
  }

  private static Caller capable(long capabilities) {
    return new Caller(5, 5, List.of(), capabilities);
  }

  private static void expect(boolean allowed, int mode, Caller caller, int wanted) {
    var permissions = new Permissions(1, 2, mode, null);
    assertEquals(allowed, permissions.allow(caller, wanted), permissions + " " + caller);
  }

  @Test
  void oneClassOfTheModeDecides() {
    expect(true, FILE | 0400, caller(1, 9), READ);
    expect(false, FILE | 0077, caller(1, 2), READ);
    expect(true, FILE | 0020, caller(9, 2), WRITE);
    expect(true, FILE | 0020, caller(9, 9, 7, 2), WRITE);
    expect(false, FILE | 0705, caller(9, 9, 2), READ);
    expect(true, FILE | 0005, caller(9, 9), READ | EXECUTE);
    expect(false, FILE | 0005, caller(9, 9), READ | WRITE);
  }

  @Test
  void rootAndCapabilitiesPass() {
    expect(true, FILE, caller(0, 0), READ | WRITE);
    expect(false, FILE | 0666, caller(0, 0), EXECUTE);
    expect(true, FILE | 0100, caller(0, 0), EXECUTE);
    expect(true, DIRECTORY, caller(0, 0), WRITE | EXECUTE);
    expect(true, FILE, capable(Caller.DAC_OVERRIDE), WRITE);
    expect(true, FILE, capable(Caller.DAC_READ_SEARCH), READ);
    expect(false, FILE, capable(Caller.DAC_READ_SEARCH), WRITE);
    expect(true, DIRECTORY, capable(Caller.DAC_READ_SEARCH), READ | EXECUTE);
    expect(false, FILE, capable(Caller.FOWNER), READ);
  }

  private static ByteString acl(int... entries) {
    ByteBuffer to = ByteBuffer.allocate(4 + entries.length / 3 * 8).order(ByteOrder.LITTLE_ENDIAN);
    to.putInt(2);
    for (int i = 0; i < entries.length; i += 3) {
      to.putShort((short) entries[i]).putShort((short) entries[i + 1]).putInt(entries[i + 2]);
    }
    return ByteString.copyFrom(to.array());
  }

  private static boolean byList(int mode, Caller caller, int wanted) {
    ByteString list =
        acl(
            USER_OBJ,
            6,
            -1,
            USER,
            7,
            11,
            USER,
            0,
            12,
            GROUP_OBJ,
            4,
            -1,
            GROUP,
            2,
            21,
            GROUP,
            4,
            22,
            MASK,
            mode >> 3 & 7,
            -1,
            OTHER,
            mode & 7,
            -1);
    return new Permissions(1, 2, FILE | mode, list).allow(caller, wanted);
  }

  @Test
  void accessListsDecide() {
    assertEquals(true, byList(0660, caller(1, 9), READ | WRITE), "the owner, by the mode");
    assertEquals(true, byList(0667, caller(11, 9), READ | WRITE), "a named user");
    assertEquals(false, byList(0667, caller(11, 9), EXECUTE), "but for the mask");
    assertEquals(false, byList(0667, caller(12, 2), READ), "named for nothing");
    assertEquals(true, byList(0660, caller(9, 2), READ), "the file's group");
    assertEquals(true, byList(0660, caller(9, 9, 21), WRITE), "a named group");
    assertEquals(false, byList(0667, caller(9, 9, 21), READ), "in a group: not as others");
    assertEquals(false, byList(0660, caller(9, 9, 21, 22), READ | WRITE), "no group has both");
    assertEquals(true, byList(0664, caller(9, 9), READ), "others");
    assertEquals(false, byList(0660, caller(9, 9), READ), "others");
    assertEquals(true, byList(0604, caller(11, 9), READ), "without a mask the mode decides");
  }

  @Test
  void squashTakesAwayWhatIsClaimed() {
    Caller root = caller(0, 0, 0, 5);
    Caller user = new Caller(7, 7, List.of(0, 5), Caller.DAC_OVERRIDE);
    assertSame(root, Squash.NONE.apply(root));
    assertSame(user, Squash.NONE.apply(user));
    assertEquals(caller(Squash.NOBODY, Squash.NOBODY), Squash.ROOT.apply(root));
    assertEquals(caller(7, 7, 5), Squash.ROOT.apply(user));
    assertEquals(caller(Squash.NOBODY, Squash.NOBODY), Squash.ALL.apply(user));
  }
}
