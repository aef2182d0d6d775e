package io.millrace.fuse;

/**
 * Takes each kind of request apart and calls the file system's method for it. Stateless; the
 * layouts are those of {@link Wire}.
 */
final class Dispatch {
  private final ReplyContext context;
  private final FuseFileSystem fs;

  Dispatch(ReplyContext context) {
    this.context = context;
    this.fs = context.fileSystem;
  }

  void serve(FuseRequest r) {
    switch (r.opcode()) {
      case FuseOpcode.LOOKUP -> lookup(r);
      case FuseOpcode.FORGET, FuseOpcode.BATCH_FORGET, FuseOpcode.INTERRUPT -> unanswered(r);
      case FuseOpcode.GETATTR -> fs.getattr(r, r.nodeid(), r.u64(Wire.GetattrRequest.FH));
      case FuseOpcode.OPEN -> fs.open(r, r.nodeid(), r.u32(Wire.OpenRequest.FLAGS));
      case FuseOpcode.READ -> read(r);
      case FuseOpcode.WRITE -> write(r);
      case FuseOpcode.RELEASE -> release(r);
      case FuseOpcode.FLUSH -> fs.flush(r, r.nodeid(), r.u64(Wire.FlushRequest.FH));
      case FuseOpcode.OPENDIR -> fs.opendir(r, r.nodeid(), r.u32(Wire.OpenRequest.FLAGS));
      case FuseOpcode.READDIR, FuseOpcode.READDIRPLUS -> readdir(r);
      case FuseOpcode.RELEASEDIR -> fs.releasedir(r, r.nodeid(), r.u64(Wire.ReleaseRequest.FH));
      case FuseOpcode.FSYNC -> fs.fsync(r, r.nodeid(), r.u64(Wire.FsyncRequest.FH), dataOnly(r));
      case FuseOpcode.FSYNCDIR ->
          fs.fsyncdir(r, r.nodeid(), r.u64(Wire.FsyncRequest.FH), dataOnly(r));
      case FuseOpcode.SETATTR -> fs.setattr(r, r.nodeid(), r.setattr());
      case FuseOpcode.STATX -> statx(r);
      case FuseOpcode.READLINK -> fs.readlink(r, r.nodeid());
      case FuseOpcode.STATFS -> fs.statfs(r, r.nodeid());
      case FuseOpcode.ACCESS -> fs.access(r, r.nodeid(), r.u32(0));
      case FuseOpcode.IOCTL -> fs.ioctl(r, r.nodeid());
      case FuseOpcode.POLL -> fs.poll(r, r.nodeid());
      case FuseOpcode.SYNCFS -> fs.syncfs(r, r.nodeid());
      case FuseOpcode.DESTROY -> r.ok();
      default -> serveRarer(r);
    }
  }

  private void serveRarer(FuseRequest r) {
    switch (r.opcode()) {
      case FuseOpcode.CREATE, FuseOpcode.TMPFILE -> create(r);
      case FuseOpcode.MKDIR -> mkdir(r);
      case FuseOpcode.MKNOD -> mknod(r);
      case FuseOpcode.SYMLINK -> symlink(r);
      case FuseOpcode.LINK -> link(r);
      case FuseOpcode.UNLINK -> unlink(r);
      case FuseOpcode.RMDIR -> rmdir(r);
      case FuseOpcode.RENAME -> rename(r);
      case FuseOpcode.RENAME2 -> rename2(r);
      case FuseOpcode.SETXATTR -> setxattr(r);
      case FuseOpcode.GETXATTR -> getxattr(r);
      case FuseOpcode.LISTXATTR -> fs.listxattr(r, r.nodeid(), r.u32(Wire.GetxattrRequest.SIZE));
      case FuseOpcode.REMOVEXATTR -> removexattr(r);
      case FuseOpcode.FALLOCATE -> fallocate(r);
      case FuseOpcode.LSEEK -> lseek(r);
      case FuseOpcode.COPY_FILE_RANGE, FuseOpcode.COPY_FILE_RANGE_64 -> copyFileRange(r);
      case FuseOpcode.GETLK -> fs.getlk(r, r.nodeid(), FileLock.of(r));
      case FuseOpcode.SETLK -> fs.setlk(r, r.nodeid(), FileLock.of(r), false);
      case FuseOpcode.SETLKW -> fs.setlk(r, r.nodeid(), FileLock.of(r), true);
      default -> r.error(FuseErrno.ENOSYS);
    }
  }

  private void unanswered(FuseRequest r) {
    r.withoutAnswer();
    switch (r.opcode()) {
      case FuseOpcode.FORGET -> context.forget(r.nodeid(), r.u64(Wire.ForgetRequest.NLOOKUP));
      case FuseOpcode.BATCH_FORGET -> batchForget(r);
      default -> context.pending.interrupt(r.u64(0));
    }
  }

  private void batchForget(FuseRequest r) {
    int count = r.u32(Wire.BatchForgetRequest.COUNT);
    for (int i = 0; i < count; i++) {
      int at = Wire.BatchForgetRequest.ITEMS + i * Wire.BatchForgetRequest.ITEM_BYTES;
      context.forget(
          r.u64(at + Wire.BatchForgetRequest.ITEM_NODEID),
          r.u64(at + Wire.BatchForgetRequest.ITEM_NLOOKUP));
    }
  }

  private void lookup(FuseRequest r) {
    r.nameAt(0);
    fs.lookup(r, r.nodeid());
  }

  private void read(FuseRequest r) {
    fs.read(
        r,
        r.nodeid(),
        r.u64(Wire.ReadRequest.FH),
        r.u64(Wire.ReadRequest.OFFSET),
        r.u32(Wire.ReadRequest.SIZE));
  }

  private void write(FuseRequest r) {
    int size = r.u32(Wire.WriteRequest.SIZE);
    if (size < 0 || size > r.bodyBytes() - Wire.WriteRequest.BYTES) {
      r.error(FuseErrno.EINVAL);
      return;
    }
    fs.write(r, r.nodeid(), r.u64(Wire.WriteRequest.FH), r.u64(Wire.WriteRequest.OFFSET), size);
  }

  private void release(FuseRequest r) {
    fs.release(r, r.nodeid(), r.u64(Wire.ReleaseRequest.FH), r.u32(Wire.ReleaseRequest.FLAGS));
  }

  private void readdir(FuseRequest r) {
    fs.readdir(r, r.nodeid(), r.u64(Wire.ReadRequest.FH), r.u64(Wire.ReadRequest.OFFSET));
  }

  private void statx(FuseRequest r) {
    fs.statx(
        r,
        r.nodeid(),
        r.u64(Wire.StatxRequest.FH),
        r.u32(Wire.StatxRequest.SX_FLAGS),
        r.u32(Wire.StatxRequest.SX_MASK));
  }

  private static boolean dataOnly(FuseRequest r) {
    return (r.u32(Wire.FsyncRequest.FLAGS) & Wire.FsyncRequest.FLAG_DATA_ONLY) != 0;
  }

  private void create(FuseRequest r) {
    r.nameAt(Wire.CreateRequest.NAME);
    int flags = r.u32(Wire.CreateRequest.FLAGS);
    int mode = r.u32(Wire.CreateRequest.MODE);
    int umask = r.u32(Wire.CreateRequest.UMASK);
    if (r.opcode() == FuseOpcode.CREATE) {
      fs.create(r, r.nodeid(), flags, mode, umask);
    } else {
      fs.tmpfile(r, r.nodeid(), flags, mode, umask);
    }
  }

  private void mkdir(FuseRequest r) {
    r.nameAt(Wire.MkdirRequest.NAME);
    fs.mkdir(r, r.nodeid(), r.u32(Wire.MkdirRequest.MODE), r.u32(Wire.MkdirRequest.UMASK));
  }

  private void mknod(FuseRequest r) {
    r.nameAt(Wire.MknodRequest.NAME);
    fs.mknod(
        r,
        r.nodeid(),
        r.u32(Wire.MknodRequest.MODE),
        r.u32(Wire.MknodRequest.UMASK),
        r.u32(Wire.MknodRequest.RDEV));
  }

  private void symlink(FuseRequest r) {
    r.nameAt(0);
    fs.symlink(r, r.nodeid());
  }

  private void link(FuseRequest r) {
    r.nameAt(Wire.LinkRequest.NAME);
    fs.link(r, r.u64(Wire.LinkRequest.NODEID), r.nodeid());
  }

  private void unlink(FuseRequest r) {
    r.nameAt(0);
    fs.unlink(r, r.nodeid());
  }

  private void rmdir(FuseRequest r) {
    r.nameAt(0);
    fs.rmdir(r, r.nodeid());
  }

  private void rename(FuseRequest r) {
    r.nameAt(Wire.RenameRequest.NAMES);
    fs.rename(r, r.nodeid(), r.u64(Wire.RenameRequest.NEW_PARENT), 0);
  }

  private void rename2(FuseRequest r) {
    r.nameAt(Wire.Rename2Request.NAMES);
    fs.rename(
        r, r.nodeid(), r.u64(Wire.Rename2Request.NEW_PARENT), r.u32(Wire.Rename2Request.FLAGS));
  }

  private void setxattr(FuseRequest r) {
    r.nameAt(context.setxattrExtended ? Wire.SetxattrRequest.EXT_NAME : Wire.SetxattrRequest.NAME);
    fs.setxattr(r, r.nodeid(), r.u32(Wire.SetxattrRequest.FLAGS));
  }

  private void getxattr(FuseRequest r) {
    r.nameAt(Wire.GetxattrRequest.NAME);
    fs.getxattr(r, r.nodeid(), r.u32(Wire.GetxattrRequest.SIZE));
  }

  private void removexattr(FuseRequest r) {
    r.nameAt(0);
    fs.removexattr(r, r.nodeid());
  }

  private void fallocate(FuseRequest r) {
    fs.fallocate(
        r,
        r.nodeid(),
        r.u64(Wire.FallocateRequest.FH),
        r.u64(Wire.FallocateRequest.OFFSET),
        r.u64(Wire.FallocateRequest.LENGTH),
        r.u32(Wire.FallocateRequest.MODE));
  }

  private void lseek(FuseRequest r) {
    fs.lseek(
        r,
        r.nodeid(),
        r.u64(Wire.LseekRequest.FH),
        r.u64(Wire.LseekRequest.OFFSET),
        r.u32(Wire.LseekRequest.WHENCE));
  }

  private void copyFileRange(FuseRequest r) {
    fs.copyFileRange(
        r,
        new CopyRange(
            r.nodeid(),
            r.u64(Wire.CopyRangeRequest.FH_IN),
            r.u64(Wire.CopyRangeRequest.OFFSET_IN),
            r.u64(Wire.CopyRangeRequest.NODEID_OUT),
            r.u64(Wire.CopyRangeRequest.FH_OUT),
            r.u64(Wire.CopyRangeRequest.OFFSET_OUT),
            r.u64(Wire.CopyRangeRequest.LENGTH),
            r.u64(Wire.CopyRangeRequest.FLAGS)));
  }
}
