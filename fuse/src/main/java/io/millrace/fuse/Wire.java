package io.millrace.fuse;

import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_SHORT_UNALIGNED;

import java.lang.foreign.ValueLayout;

/**
 * The structures of the kernel's FUSE protocol (version 7.45), one class each with the offset of
 * each field. Numbers are in the machine's byte order. Own constants, because the headers of a
 * distribution may be older than the kernel.
 */
final class Wire {
  static final int MAJOR = 7;
  static final int MINOR = 45;
  static final int MINOR_MIN = 31;
  static final int MINOR_INC_EPOCH = 44;

  static final ValueLayout.OfShort U16 = JAVA_SHORT_UNALIGNED;
  static final ValueLayout.OfInt U32 = JAVA_INT_UNALIGNED;
  static final ValueLayout.OfLong U64 = JAVA_LONG_UNALIGNED;

  private Wire() {}

  static final class InHeader {
    static final int LENGTH = 0;
    static final int OPCODE = 4;
    static final int UNIQUE = 8;
    static final int NODEID = 16;
    static final int UID = 24;
    static final int GID = 28;
    static final int PID = 32;
    static final int BYTES = 40;

    private InHeader() {}
  }

  static final class OutHeader {
    static final int LENGTH = 0;
    static final int ERROR = 4;
    static final int UNIQUE = 8;
    static final int BYTES = 16;

    private OutHeader() {}
  }

  static final class Attr {
    static final int INO = 0;
    static final int SIZE = 8;
    static final int BLOCKS = 16;
    static final int ATIME = 24;
    static final int MTIME = 32;
    static final int CTIME = 40;
    static final int ATIME_NSEC = 48;
    static final int MTIME_NSEC = 52;
    static final int CTIME_NSEC = 56;
    static final int MODE = 60;
    static final int NLINK = 64;
    static final int UID = 68;
    static final int GID = 72;
    static final int RDEV = 76;
    static final int BLKSIZE = 80;
    static final int FLAGS = 84;
    static final int BYTES = 88;

    private Attr() {}
  }

  static final class EntryReply {
    static final int NODEID = 0;
    static final int GENERATION = 8;
    static final int ENTRY_VALID = 16;
    static final int ATTR_VALID = 24;
    static final int ENTRY_VALID_NSEC = 32;
    static final int ATTR_VALID_NSEC = 36;
    static final int ATTR = 40;
    static final int BYTES = ATTR + Attr.BYTES;

    private EntryReply() {}
  }

  static final class AttrReply {
    static final int VALID = 0;
    static final int VALID_NSEC = 8;
    static final int DUMMY = 12;
    static final int ATTR = 16;
    static final int BYTES = ATTR + Attr.BYTES;

    private AttrReply() {}
  }

  static final class StatxReply {
    static final int VALID = 0;
    static final int VALID_NSEC = 8;
    static final int STAT = 32;
    static final int MASK = STAT;
    static final int BLKSIZE = STAT + 4;
    static final int NLINK = STAT + 16;
    static final int UID = STAT + 20;
    static final int GID = STAT + 24;
    static final int MODE = STAT + 28;
    static final int INO = STAT + 32;
    static final int SIZE = STAT + 40;
    static final int BLOCKS = STAT + 48;
    static final int ATIME = STAT + 64;
    static final int BTIME = STAT + 80;
    static final int CTIME = STAT + 96;
    static final int MTIME = STAT + 112;
    static final int RDEV_MAJOR = STAT + 128;
    static final int RDEV_MINOR = STAT + 132;
    static final int NSEC_AFTER_TIME = 8;
    static final int BYTES = STAT + 256;

    private StatxReply() {}
  }

  static final class InitRequest {
    static final int MAJOR = 0;
    static final int MINOR = 4;
    static final int MAX_READAHEAD = 8;
    static final int FLAGS = 12;
    static final int FLAGS2 = 16;

    private InitRequest() {}
  }

  static final class InitReply {
    static final int MAJOR = 0;
    static final int MINOR = 4;
    static final int MAX_READAHEAD = 8;
    static final int FLAGS = 12;
    static final int MAX_BACKGROUND = 16;
    static final int CONGESTION_THRESHOLD = 18;
    static final int MAX_WRITE = 20;
    static final int TIME_GRAN = 24;
    static final int MAX_PAGES = 28;
    static final int FLAGS2 = 32;
    static final int BYTES = 64;

    private InitReply() {}
  }

  static final class ForgetRequest {
    static final int NLOOKUP = 0;

    private ForgetRequest() {}
  }

  static final class BatchForgetRequest {
    static final int COUNT = 0;
    static final int ITEMS = 8;
    static final int ITEM_NODEID = 0;
    static final int ITEM_NLOOKUP = 8;
    static final int ITEM_BYTES = 16;

    private BatchForgetRequest() {}
  }

  static final class GetattrRequest {
    static final int FLAGS = 0;
    static final int FH = 8;
    static final int FLAG_FH = 1;

    private GetattrRequest() {}
  }

  static final class StatxRequest {
    static final int FLAGS = 0;
    static final int FH = 8;
    static final int SX_FLAGS = 16;
    static final int SX_MASK = 20;

    private StatxRequest() {}
  }

  static final class SetattrRequest {
    static final int VALID = 0;
    static final int FH = 8;
    static final int SIZE = 16;
    static final int LOCK_OWNER = 24;
    static final int ATIME = 32;
    static final int MTIME = 40;
    static final int CTIME = 48;
    static final int ATIME_NSEC = 56;
    static final int MTIME_NSEC = 60;
    static final int CTIME_NSEC = 64;
    static final int MODE = 68;
    static final int UID = 76;
    static final int GID = 80;

    private SetattrRequest() {}
  }

  static final class MknodRequest {
    static final int MODE = 0;
    static final int RDEV = 4;
    static final int UMASK = 8;
    static final int NAME = 16;

    private MknodRequest() {}
  }

  static final class MkdirRequest {
    static final int MODE = 0;
    static final int UMASK = 4;
    static final int NAME = 8;

    private MkdirRequest() {}
  }

  static final class RenameRequest {
    static final int NEW_PARENT = 0;
    static final int NAMES = 8;

    private RenameRequest() {}
  }

  static final class Rename2Request {
    static final int NEW_PARENT = 0;
    static final int FLAGS = 8;
    static final int NAMES = 16;

    private Rename2Request() {}
  }

  static final class LinkRequest {
    static final int NODEID = 0;
    static final int NAME = 8;

    private LinkRequest() {}
  }

  static final class OpenRequest {
    static final int FLAGS = 0;
    static final int OPEN_FLAGS = 4;

    private OpenRequest() {}
  }

  static final class CreateRequest {
    static final int FLAGS = 0;
    static final int MODE = 4;
    static final int UMASK = 8;
    static final int OPEN_FLAGS = 12;
    static final int NAME = 16;

    private CreateRequest() {}
  }

  static final class OpenReply {
    static final int FH = 0;
    static final int OPEN_FLAGS = 8;
    static final int BACKING_ID = 12;
    static final int BYTES = 16;

    private OpenReply() {}
  }

  static final class ReleaseRequest {
    static final int FH = 0;
    static final int FLAGS = 8;
    static final int RELEASE_FLAGS = 12;
    static final int LOCK_OWNER = 16;

    private ReleaseRequest() {}
  }

  static final class FlushRequest {
    static final int FH = 0;
    static final int LOCK_OWNER = 16;

    private FlushRequest() {}
  }

  /** GETLK, SETLK, SETLKW. */
  static final class LockRequest {
    static final int FH = 0;
    static final int OWNER = 8;
    static final int START = 16;
    static final int END = 24;
    static final int TYPE = 32;
    static final int PID = 36;
    static final int FLAGS = 40;

    private LockRequest() {}
  }

  /** Of GETLK. */
  static final class LockReply {
    static final int START = 0;
    static final int END = 8;
    static final int TYPE = 16;
    static final int PID = 20;
    static final int BYTES = 24;

    private LockReply() {}
  }

  /** Also the request of READDIR and READDIRPLUS. */
  static final class ReadRequest {
    static final int FH = 0;
    static final int OFFSET = 8;
    static final int SIZE = 16;
    static final int READ_FLAGS = 20;
    static final int LOCK_OWNER = 24;
    static final int FLAGS = 32;
    static final int BYTES = 40;

    private ReadRequest() {}
  }

  static final class WriteRequest {
    static final int FH = 0;
    static final int OFFSET = 8;
    static final int SIZE = 16;
    static final int WRITE_FLAGS = 20;
    static final int LOCK_OWNER = 24;
    static final int FLAGS = 32;
    static final int BYTES = 40;

    private WriteRequest() {}
  }

  static final class WriteReply {
    static final int SIZE = 0;
    static final int BYTES = 8;

    private WriteReply() {}
  }

  static final class StatfsReply {
    static final int BLOCKS = 0;
    static final int BFREE = 8;
    static final int BAVAIL = 16;
    static final int FILES = 24;
    static final int FFREE = 32;
    static final int BSIZE = 40;
    static final int NAMELEN = 44;
    static final int FRSIZE = 48;
    static final int BYTES = 80;

    private StatfsReply() {}
  }

  static final class FsyncRequest {
    static final int FH = 0;
    static final int FLAGS = 8;
    static final int FLAG_DATA_ONLY = 1;

    private FsyncRequest() {}
  }

  static final class SetxattrRequest {
    static final int SIZE = 0;
    static final int FLAGS = 4;
    static final int NAME = 8;

    /** Only with SETXATTR_EXT, which moves the name. */
    static final int EXT_FLAGS = 8;

    static final int EXT_NAME = 16;
    static final int ACL_KILL_SGID = 1;

    private SetxattrRequest() {}
  }

  static final class GetxattrRequest {
    static final int SIZE = 0;
    static final int NAME = 8;

    private GetxattrRequest() {}
  }

  static final class GetxattrReply {
    static final int SIZE = 0;
    static final int BYTES = 8;

    private GetxattrReply() {}
  }

  static final class FallocateRequest {
    static final int FH = 0;
    static final int OFFSET = 8;
    static final int LENGTH = 16;
    static final int MODE = 24;

    private FallocateRequest() {}
  }

  static final class LseekRequest {
    static final int FH = 0;
    static final int OFFSET = 8;
    static final int WHENCE = 16;

    private LseekRequest() {}
  }

  static final class CopyRangeRequest {
    static final int FH_IN = 0;
    static final int OFFSET_IN = 8;
    static final int NODEID_OUT = 16;
    static final int FH_OUT = 24;
    static final int OFFSET_OUT = 32;
    static final int LENGTH = 40;
    static final int FLAGS = 48;

    private CopyRangeRequest() {}
  }

  static final class Dirent {
    static final int INO = 0;
    static final int OFFSET = 8;
    static final int NAMELEN = 16;
    static final int TYPE = 20;
    static final int NAME = 24;

    private Dirent() {}

    /** Records are padded to eight bytes. */
    static int bytes(int nameLength) {
      return (NAME + nameLength + 7) & ~7;
    }
  }

  static final class Notice {
    static final int INVAL_INODE = 2;
    static final int INVAL_ENTRY = 3;
    static final int STORE = 4;
    static final int DELETE = 6;
    static final int RESEND = 7;
    static final int INC_EPOCH = 8;

    private Notice() {}
  }

  static final class InvalInode {
    static final int NODEID = 0;
    static final int OFFSET = 8;
    static final int LENGTH = 16;
    static final int BYTES = 24;

    private InvalInode() {}
  }

  static final class InvalEntry {
    static final int PARENT = 0;
    static final int NAMELEN = 8;
    static final int FLAGS = 12;
    static final int NAME = 16;

    private InvalEntry() {}
  }

  static final class DeleteNotice {
    static final int PARENT = 0;
    static final int CHILD = 8;
    static final int NAMELEN = 16;
    static final int NAME = 24;

    private DeleteNotice() {}
  }

  static final class StoreNotice {
    static final int NODEID = 0;
    static final int OFFSET = 8;
    static final int SIZE = 16;
    static final int DATA = 24;

    private StoreNotice() {}
  }
}
