package io.millrace.fuse;

import java.lang.foreign.MemorySegment;

/** The answer to STATFS; counts of blocks are in units of {@code blockBytes}. */
public record FuseStatfs(
    long blocks,
    long blocksFree,
    long blocksAvailable,
    long files,
    long filesFree,
    int blockBytes,
    int nameBytesMax) {

  void write(MemorySegment to, long at) {
    to.set(Wire.U64, at + Wire.StatfsReply.BLOCKS, blocks);
    to.set(Wire.U64, at + Wire.StatfsReply.BFREE, blocksFree);
    to.set(Wire.U64, at + Wire.StatfsReply.BAVAIL, blocksAvailable);
    to.set(Wire.U64, at + Wire.StatfsReply.FILES, files);
    to.set(Wire.U64, at + Wire.StatfsReply.FFREE, filesFree);
    to.set(Wire.U32, at + Wire.StatfsReply.BSIZE, blockBytes);
    to.set(Wire.U32, at + Wire.StatfsReply.NAMELEN, nameBytesMax);
    to.set(Wire.U32, at + Wire.StatfsReply.FRSIZE, blockBytes);
  }
}
