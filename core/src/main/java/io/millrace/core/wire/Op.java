package io.millrace.core.wire;

import com.google.protobuf.MessageLite;
import com.google.protobuf.Parser;
import io.millrace.proto.AdminReply;
import io.millrace.proto.AdminRequest;
import io.millrace.proto.CopyReply;
import io.millrace.proto.CopyRequest;
import io.millrace.proto.Empty;
import io.millrace.proto.EntryReply;
import io.millrace.proto.ErrorReply;
import io.millrace.proto.Hello;
import io.millrace.proto.Inode;
import io.millrace.proto.InodeRequest;
import io.millrace.proto.LockReply;
import io.millrace.proto.LockRequest;
import io.millrace.proto.LookupRequest;
import io.millrace.proto.MutateRequest;
import io.millrace.proto.Notice;
import io.millrace.proto.NoticeAck;
import io.millrace.proto.OpenReply;
import io.millrace.proto.OpenRequest;
import io.millrace.proto.ReadReply;
import io.millrace.proto.ReadRequest;
import io.millrace.proto.ReaddirReply;
import io.millrace.proto.ReaddirRequest;
import io.millrace.proto.ReadlinkReply;
import io.millrace.proto.Reclaim;
import io.millrace.proto.ReclaimReply;
import io.millrace.proto.ReleaseLeases;
import io.millrace.proto.SeekReply;
import io.millrace.proto.SeekRequest;
import io.millrace.proto.StatfsReply;
import io.millrace.proto.Welcome;
import io.millrace.proto.WriteReply;
import io.millrace.proto.WriteRequest;
import io.millrace.proto.XattrReply;
import io.millrace.proto.XattrRequest;

/** Operations of the wire protocol, version 1. Codes are for ever (FORMATS.md). */
public enum Op {
  HELLO(1, Hello.parser(), Welcome.parser()),
  RENEW(2, Empty.parser(), Empty.parser()),
  LOOKUP(3, LookupRequest.parser(), EntryReply.parser()),
  GETATTR(4, InodeRequest.parser(), Inode.parser()),
  READDIR(5, ReaddirRequest.parser(), ReaddirReply.parser()),
  OPEN(6, OpenRequest.parser(), OpenReply.parser()),
  READ(7, ReadRequest.parser(), ReadReply.parser()),
  WRITE(8, WriteRequest.parser(), WriteReply.parser()),
  MUTATE(9, MutateRequest.parser(), WriteReply.parser()),
  READLINK(10, InodeRequest.parser(), ReadlinkReply.parser()),
  XATTR(11, XattrRequest.parser(), XattrReply.parser()),
  STATFS(12, InodeRequest.parser(), StatfsReply.parser()),
  /** All that this session had acknowledged before survives power loss on return. */
  SYNC(13, InodeRequest.parser(), Empty.parser()),
  RELEASE_LEASES(14, ReleaseLeases.parser(), Empty.parser()),
  ADMIN(15, AdminRequest.parser(), AdminReply.parser()),
  /** Pushed by the node, without a reply of its own: the client's {@link #NOTICE_ACK} answers. */
  NOTICE(16, Notice.parser(), Empty.parser()),
  NOTICE_ACK(17, NoticeAck.parser(), Empty.parser()),
  /** Ends the session in good order. */
  BYE(18, Empty.parser(), Empty.parser()),
  SEEK(19, SeekRequest.parser(), SeekReply.parser()),
  COPY(20, CopyRequest.parser(), CopyReply.parser()),
  /** What a client without leases has open, and that it has dropped what it had cached. */
  RECLAIM(21, Reclaim.parser(), ReclaimReply.parser()),
  LOCK(22, LockRequest.parser(), LockReply.parser()),
  /** Only as a reply. */
  ERROR(255, Empty.parser(), ErrorReply.parser());

  private static final Op[] BY_CODE = new Op[256];

  static {
    for (Op op : values()) {
      BY_CODE[op.code] = op;
    }
  }

  private final int code;
  private final Parser<? extends MessageLite> request;
  private final Parser<? extends MessageLite> reply;

  Op(int code, Parser<? extends MessageLite> request, Parser<? extends MessageLite> reply) {
    this.code = code;
    this.request = request;
    this.reply = reply;
  }

  public int code() {
    return code;
  }

  public Parser<? extends MessageLite> request() {
    return request;
  }

  public Parser<? extends MessageLite> reply() {
    return reply;
  }

  /** Null for a code that this version does not know. */
  public static Op of(int code) {
    return code >= 0 && code < BY_CODE.length ? BY_CODE[code] : null;
  }
}
