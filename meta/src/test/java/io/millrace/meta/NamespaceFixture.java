package io.millrace.meta;

import com.google.protobuf.ByteString;
import io.millrace.core.api.Errno;
import io.millrace.proto.Command;
import io.millrace.proto.CommandResult;
import io.millrace.proto.CommitContent;
import io.millrace.proto.Create;
import io.millrace.proto.Extent;
import io.millrace.proto.ImportBatch;
import io.millrace.proto.ImportDirectory;
import io.millrace.proto.ImportEntry;
import io.millrace.proto.ImportResult;
import io.millrace.proto.Inode;
import io.millrace.proto.LinkRecord;
import io.millrace.proto.MarkExported;
import io.millrace.proto.Mkdir;
import io.millrace.proto.ObjectVersion;
import io.millrace.proto.PutLink;
import io.millrace.proto.Rename;
import io.millrace.proto.Rmdir;
import io.millrace.proto.SetAttr;
import io.millrace.proto.Unlink;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;

/** A namespace in a directory, and short ways to say what tests do with it. */
final class NamespaceFixture implements AutoCloseable {
  static final long ROOT = 1;
  private static final long CACHE = 16L << 20;
  private static final long BUFFERS = 8L << 20;

  final Path directory;
  final AtomicInteger blockSyncs = new AtomicInteger();
  RocksNamespace namespace;
  long now = 1_700_000_000_000_000_000L;

  NamespaceFixture(Path directory) {
    this.directory = directory;
    open();
    ok(command().setSetAttr(SetAttr.newBuilder().setIno(ROOT).setUid(7).setGid(8)));
  }

  void open() {
    namespace =
        new RocksNamespace(
            new NamespaceConfig(directory, CACHE, BUFFERS, 0, blockSyncs::incrementAndGet));
  }

  void reopen() {
    namespace.close();
    open();
  }

  /** By number and, twice, by what the inode says: the first walks, the second may not need to. */
  String key(long ino) {
    Inode inode = namespace.inode(ino);
    String key = namespace.objectKey(inode);
    if (!key.equals(namespace.objectKey(inode)) || !key.equals(namespace.objectKey(ino))) {
      throw new AssertionError("keys differ: " + key + ", " + namespace.objectKey(ino));
    }
    return key;
  }

  static ByteString bytes(String text) {
    return ByteString.copyFromUtf8(text);
  }

  Command.Builder command() {
    now += 1_000_000;
    return Command.newBuilder().setFormat(1).setNowNs(now).setRandom(now).setUid(7).setGid(8);
  }

  CommandResult run(Command.Builder command) {
    return namespace.apply(command.build(), false);
  }

  CommandResult ok(Command.Builder command) {
    CommandResult result = run(command);
    if (result.getErrno() != 0) {
      throw new AssertionError(result.getMessage());
    }
    return result;
  }

  Errno errno(Command.Builder command) {
    CommandResult result = run(command);
    return result.getErrno() == 0 ? null : Errno.of(result.getErrno());
  }

  Command.Builder creating(long dir, String name) {
    return command()
        .setCreate(
            Create.newBuilder()
                .setDir(dir)
                .setName(bytes(name))
                .setMode(0100644)
                .setExclusive(true));
  }

  Command.Builder makingDir(long dir, String name) {
    return command().setMkdir(Mkdir.newBuilder().setDir(dir).setName(bytes(name)).setMode(0755));
  }

  Command.Builder unlinking(long dir, String name, boolean open) {
    return command().setUnlink(Unlink.newBuilder().setDir(dir).setName(bytes(name)).setOpen(open));
  }

  Command.Builder removingDir(long dir, String name) {
    return command().setRmdir(Rmdir.newBuilder().setDir(dir).setName(bytes(name)));
  }

  Command.Builder renaming(long dir, String name, long newDir, String newName, int flags) {
    return command()
        .setRename(
            Rename.newBuilder()
                .setOldDir(dir)
                .setOldName(bytes(name))
                .setNewDir(newDir)
                .setNewName(bytes(newName))
                .setFlags(flags));
  }

  Command.Builder linking(long ino, long dir, String name) {
    return command()
        .setLink(
            io.millrace.proto.Link.newBuilder().setIno(ino).setNewDir(dir).setNewName(bytes(name)));
  }

  Command.Builder resizing(long ino, long size) {
    return command().setSetAttr(SetAttr.newBuilder().setIno(ino).setSize(size));
  }

  Command.Builder committing(long ino, Extent... extents) {
    return command()
        .setCommitContent(CommitContent.newBuilder().setIno(ino).addAllExtents(List.of(extents)));
  }

  static Extent extent(long fileOffset, long length, long version, long streamOffset) {
    return Extent.newBuilder()
        .setFileOffset(fileOffset)
        .setLength(length)
        .setVersion(version)
        .setStreamOffset(streamOffset)
        .build();
  }

  long file(long dir, String name) {
    return ok(creating(dir, name)).getInode().getIno();
  }

  long dir(long dir, String name) {
    return ok(makingDir(dir, name)).getInode().getIno();
  }

  Inode inode(long ino) {
    return namespace.inode(ino);
  }

  Inode at(String path) {
    return namespace.resolve(bytes(path)).orElseThrow(() -> new AssertionError("no " + path));
  }

  boolean exists(String path) {
    return namespace.resolve(bytes(path)).isPresent();
  }

  List<String> names(long dir) {
    var names = new ArrayList<String>();
    namespace.list(
        dir,
        ByteString.EMPTY,
        Integer.MAX_VALUE,
        entry -> names.add(entry.getName().toStringUtf8()));
    return names;
  }

  int link(long root) {
    return ok(command()
            .setPutLink(
                PutLink.newBuilder()
                    .setLink(
                        LinkRecord.newBuilder()
                            .setRoot(root)
                            .setBucket("lake")
                            .setPrefix("p/")
                            .setFileMode(0644)
                            .setDirMode(0755))))
        .getLinkId();
  }

  static String etag(String seed) {
    return "%032x".formatted(seed.hashCode() & 0xffffffffL);
  }

  static ObjectVersion object(String etag, long size) {
    return ObjectVersion.newBuilder()
        .setEtag(bytes(etag))
        .setSize(size)
        .setMtimeNs(1_600_000_000_000_000_000L)
        .build();
  }

  static ImportEntry entry(String name, String etag, long size) {
    return ImportEntry.newBuilder()
        .setName(bytes(name))
        .setSize(size)
        .setMtimeNs(1_600_000_000_000_000_000L)
        .setObject(object(etag, size))
        .build();
  }

  ImportResult importInto(int link, long dir, ImportEntry... entries) {
    return imported(
        ImportBatch.newBuilder()
            .setLink(link)
            .addDirectories(
                ImportDirectory.newBuilder().setIno(dir).addAllEntries(List.of(entries))));
  }

  ImportResult imported(ImportBatch.Builder batch) {
    return ok(command().setImportBatch(batch)).getImport();
  }

  /** As the link engine does after an upload. */
  boolean exported(long ino, String etag) {
    Inode inode = namespace.inode(ino);
    return ok(command()
            .setMarkExported(
                MarkExported.newBuilder()
                    .setIno(ino)
                    .setContentSeq(inode.getContentSeq())
                    .setObject(
                        object(etag, inode.getSize()).toBuilder().setStream(inode.getVersion()))
                    .setKey(namespace.targetKey(ino))))
        .getExisted();
  }

  @Override
  public void close() {
    namespace.close();
  }
}
