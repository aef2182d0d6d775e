package io.millrace.cli.fsck;

import com.google.protobuf.ByteString;
import io.millrace.blocks.BlockStoreConfig;
import io.millrace.blocks.DiskBlockStore;
import io.millrace.core.api.BlockId;
import io.millrace.core.api.BlockStore.Kind;
import io.millrace.meta.NamespaceConfig;
import io.millrace.meta.RocksNamespace;
import io.millrace.meta.row.Counters;
import io.millrace.meta.row.EntryRow;
import io.millrace.meta.row.Keys;
import io.millrace.proto.CloseSession;
import io.millrace.proto.Command;
import io.millrace.proto.CommandResult;
import io.millrace.proto.CommitContent;
import io.millrace.proto.Create;
import io.millrace.proto.Extent;
import io.millrace.proto.Inode;
import io.millrace.proto.Link;
import io.millrace.proto.Mkdir;
import io.millrace.proto.OpenSession;
import io.millrace.proto.SetXattr;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.Function;
import org.rocksdb.Options;
import org.rocksdb.RocksDB;
import org.rocksdb.RocksDBException;

/**
 * A small store with one of everything: /dir/file, /dir/sub/inner, /linked and /other (one file),
 * /pieces (two extents), /symlink. Its rows can be damaged behind its back.
 */
public final class DamagedStore {
  private static final int REGULAR = 0100644;
  private static final int SYMLINK = 0120777;

  /** Changes rows. */
  public interface Damage {
    void run(RocksDB db) throws RocksDBException;
  }

  private final Path directory;
  long dir;
  long sub;
  public long file;
  long linked;
  long pieces;
  long inodes;
  long lastInode;
  long blocksInUse;
  private int session;
  private long now = 1_700_000_000_000_000_000L;

  public DamagedStore(Path directory) {
    this.directory = directory;
    blocks(blocks -> {}); // makes it
    inNamespace(
        namespace -> {
          make(namespace);
          return null;
        });
  }

  private void make(RocksNamespace namespace) {
    CommandResult opened =
        run(namespace, Command.newBuilder().setOpenSession(OpenSession.getDefaultInstance()));
    session = opened.getSessionNumber();
    dir = mkdir(namespace, 1, "dir");
    sub = mkdir(namespace, dir, "sub");
    file = create(namespace, dir, "file", REGULAR);
    create(namespace, sub, "inner", REGULAR);
    linked = create(namespace, 1, "linked", REGULAR);
    run(
        namespace,
        Command.newBuilder()
            .setLink(Link.newBuilder().setIno(linked).setNewDir(1).setNewName(bytes("other"))));
    pieces = create(namespace, 1, "pieces", REGULAR);
    lastInode = create(namespace, 1, "symlink", SYMLINK);
    write(namespace, file, version(1), 0);
    write(namespace, pieces, version(2), 0);
    write(namespace, pieces, version(3), 1 << 20);
    run(
        namespace,
        Command.newBuilder()
            .setSetXattr(
                SetXattr.newBuilder()
                    .setIno(dir)
                    .setName(bytes("user.x"))
                    .setValue(bytes("value"))));
    run(
        namespace,
        Command.newBuilder()
            .setCloseSession(CloseSession.newBuilder().setSession(opened.getSession())));
    inodes = namespace.inodes();
  }

  /** A content version of the one writer's session. */
  long version(int counter) {
    return (long) session << 32 | counter;
  }

  private void write(RocksNamespace namespace, long ino, long version, long offset) {
    putBlock(new BlockId(ino, version, 0));
    blocksInUse++;
    var extent = Extent.newBuilder().setFileOffset(offset).setLength(100).setVersion(version);
    run(
        namespace,
        Command.newBuilder()
            .setCommitContent(
                CommitContent.newBuilder().setIno(ino).addExtents(extent).setSize(offset + 100)));
  }

  void putBlock(BlockId id) {
    blocks(
        blocks -> {
          try (var draft = blocks.begin(id, 100, Kind.DIRTY)) {
            draft.bytes().fill((byte) id.version());
            draft.commit().close();
          }
        });
  }

  void openSession() {
    inNamespace(
        namespace ->
            session =
                run(
                        namespace,
                        Command.newBuilder().setOpenSession(OpenSession.getDefaultInstance()))
                    .getSessionNumber());
  }

  private long mkdir(RocksNamespace namespace, long in, String name) {
    return run(
            namespace,
            Command.newBuilder()
                .setMkdir(Mkdir.newBuilder().setDir(in).setName(bytes(name)).setMode(0755)))
        .getInode()
        .getIno();
  }

  private long create(RocksNamespace namespace, long in, String name, int mode) {
    var create =
        Create.newBuilder()
            .setDir(in)
            .setName(bytes(name))
            .setMode(mode)
            .setExclusive(true)
            .setTarget(mode == SYMLINK ? bytes("target") : ByteString.EMPTY);
    return run(namespace, Command.newBuilder().setCreate(create)).getInode().getIno();
  }

  private CommandResult run(RocksNamespace namespace, Command.Builder command) {
    now += 1000;
    CommandResult result =
        namespace.apply(command.setFormat(1).setNowNs(now).setRandom(now).build(), false);
    if (result.getErrno() != 0) {
      throw new AssertionError(result.getMessage());
    }
    return result;
  }

  private static ByteString bytes(String text) {
    return ByteString.copyFromUtf8(text);
  }

  public void damage(Damage damage) throws RocksDBException {
    RocksDB.loadLibrary();
    try (var options = new Options();
        var db = RocksDB.open(options, directory.resolve("meta-0000").toString())) {
      damage.run(db);
    }
  }

  long cookieOf(RocksDB db, long in, byte[] name) throws RocksDBException {
    return EntryRow.decode(db.get(Keys.entry(in, name)), in, name).cookie;
  }

  Counters counters() throws RocksDBException {
    var found = new Counters[1];
    damage(db -> found[0] = Counters.decode(db.get(Keys.counters())));
    return found[0];
  }

  Inode inode(long ino) {
    return inNamespace(namespace -> namespace.inode(ino));
  }

  Optional<Inode> resolve(String path) {
    return inNamespace(namespace -> namespace.resolve(bytes(path)));
  }

  private <T> T inNamespace(Function<RocksNamespace, T> use) {
    var config = NamespaceConfig.of(directory.resolve("meta-0000"), () -> {});
    try (var namespace = new RocksNamespace(config)) {
      return use.apply(namespace);
    }
  }

  void blocks(Consumer<DiskBlockStore> use) {
    var place = new BlockStoreConfig.Directory(directory.resolve("blocks"), 1 << 30);
    var config = BlockStoreConfig.of(List.of(place), 1 << 20, 16 << 20);
    try (var blocks = new DiskBlockStore(config, InstantSource.system())) {
      use.accept(blocks);
    }
  }
}
