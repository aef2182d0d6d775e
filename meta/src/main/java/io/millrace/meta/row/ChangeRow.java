package io.millrace.meta.row;

import com.google.protobuf.ByteString;
import io.millrace.proto.Change;
import io.millrace.proto.ChangeKind;

/** One row of a link's queue of changes; FORMATS.md, "Namespace". */
public final class ChangeRow {
  private static final int FORMAT = 1;

  private ChangeRow() {}

  public static byte[] encode(Change change) {
    var row =
        new RowWriter()
            .u8(FORMAT)
            .varint(change.getKindValue())
            .varint(change.getIno())
            .time(change.getFirstNs())
            .bytes(change.getKeyBytes().toByteArray())
            .u8(change.hasObject() ? 1 : 0);
    if (change.hasObject()) {
      Attributes.writeObject(row, change.getObject());
      row.varint(change.getObject().getStream());
    }
    return row.take();
  }

  public static Change decode(byte[] key, byte[] value) {
    var place = new RowReader(key, 1);
    var row = new RowReader(value);
    row.format(FORMAT);
    var change =
        Change.newBuilder()
            .setLink(place.u32())
            .setSeq(place.u64())
            .setKind(ChangeKind.forNumber(row.smallVarint()))
            .setIno(row.varint())
            .setFirstNs(row.time())
            .setKeyBytes(ByteString.copyFrom(row.bytes()));
    if (row.u8() == 1) {
      var object = Attributes.readObject(row).toBuilder();
      change.setObject(object.setStream(row.varint()));
    }
    return change.build();
  }
}
