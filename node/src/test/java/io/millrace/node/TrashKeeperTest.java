package io.millrace.node;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.google.protobuf.ByteString;
import io.millrace.proto.Command;
import io.millrace.proto.PutTrash;
import io.millrace.proto.TrashQuery;
import io.millrace.proto.TrashRecord;
import io.millrace.proto.Unlink;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.Random;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The trash as hours go by. */
class TrashKeeperTest {
  private static final long DAY_SECONDS = 86_400;
  @TempDir Path directory;
  private final AtomicReference<Instant> now =
      new AtomicReference<>(Instant.parse("2026-01-01T00:00:00Z"));
  private NodeFixture fixture;
  private TestClient client;
  private Stamps stamps;
  private TrashKeeper keeper;

  @BeforeEach
  void start() {
    fixture = new NodeFixture(directory, 60_000);
    client = fixture.client("one");
    stamps = new Stamps(now::get, new Random(1));
    keeper = new TrashKeeper(fixture.namespace, stamps, fixture.node.notifier(), now::get);
    apply(
        Command.newBuilder()
            .setPutTrash(
                PutTrash.newBuilder()
                    .setTrash(
                        TrashRecord.newBuilder()
                            .setRoot(TestClient.ROOT)
                            .setKeepSeconds(30 * DAY_SECONDS))));
  }

  @AfterEach
  void stop() {
    keeper.close();
    fixture.close();
  }

  private void apply(Command.Builder command) {
    Answers.checked(fixture.namespace.apply(stamps.own(command), false));
  }

  private void delete(String name) {
    client.create(TestClient.ROOT, name);
    apply(
        Command.newBuilder()
            .setUnlink(
                Unlink.newBuilder()
                    .setDir(TestClient.ROOT)
                    .setName(ByteString.copyFromUtf8(name))));
  }

  private int listed() {
    return fixture.node.trash().query(TrashQuery.getDefaultInstance()).getTrashedCount();
  }

  @Test
  void showsMoreHoursThanAPageHolds() {
    for (int hour = 0; hour < 1100; hour++) {
      delete("f" + hour);
      now.set(now.get().plus(Duration.ofHours(1)));
    }
    assertEquals(1100, listed());
  }

  @Test
  void removesWhatWasKeptLongEnoughAndThatOnly() {
    delete("old");
    now.set(now.get().plus(Duration.ofDays(10)));
    delete("new");
    keeper.start();
    assertEquals(2, listed());
    now.set(now.get().plus(Duration.ofDays(20)).plus(Duration.ofHours(1)));
    keeper.wake();
    NodeFixture.assertEventually(() -> listed() == 1, "old goes");
    now.set(now.get().plus(Duration.ofDays(10)));
    keeper.wake();
    NodeFixture.assertEventually(() -> listed() == 0, "new goes");
  }
}
