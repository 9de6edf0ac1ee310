package onefold.nas;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.time.InstantSource;
import java.util.List;
import java.util.Random;
import java.util.SplittableRandom;
import onefold.chunker.ParameterSet;
import onefold.store.Id;
import onefold.store.MemoryShareStore;
import onefold.store.RefusedException;
import org.junit.jupiter.api.Test;

class ServedSharesTest {
  private final Random random = new Random(1);
  private final MemoryShareStore store = new MemoryShareStore(new SplittableRandom(1));

  @Test
  void sharesAreMadeChangedAndDeletedAndFoundAgain() throws IOException {
    try (ServedShares shares = open()) {
      Share made = shares.create(id(), "vms", store.domainId(), ShareSettings.LOOPBACK);
      shares.create(id(), "a", store.domainId(), ShareSettings.LOOPBACK);
      assertEquals("/vms", made.path());
      assertEquals(List.of("a", "vms"), shares.list().stream().map(Share::name).toList());
      RefusedException exists =
          assertThrows(
              RefusedException.class,
              () -> shares.create(id(), "vms", store.domainId(), ShareSettings.LOOPBACK));
      assertEquals(RefusedException.Reason.EXISTS, exists.reason());
      made.files()
          .create(
              Credentials.ROOT,
              made.files().rootId(),
              "file".getBytes(UTF_8),
              new CreateMode.Guarded(AttributeChange.NONE));
      shares.set(id(), "vms", ShareSettings.LOOPBACK.withReadOnly(true));
      assertTrue(made.files().readOnlyReason().isPresent());
      RefusedException full =
          assertThrows(RefusedException.class, () -> shares.delete(id(), "vms", false));
      assertEquals(RefusedException.Reason.NOT_EMPTY, full.reason());
      shares.delete(id(), "a", false);
    }
    try (ServedShares shares = open()) {
      Share found = shares.find("vms").orElseThrow();
      assertTrue(found.settings().readOnly());
      assertEquals(found, shares.find(found.id()).orElseThrow());
      assertEquals(
          1,
          found
              .files()
              .list(Credentials.ROOT, found.files().rootId(), 0, 10, false)
              .entries()
              .size());
      shares.delete(id(), "vms", true);
      assertTrue(shares.list().isEmpty());
      assertThrows(RefusedException.class, () -> shares.delete(id(), "vms", true));
    }
    assertTrue(store.shares().isEmpty());
  }

  private ServedShares open() throws IOException {
    return new ServedShares(
        store, domain -> ParameterSet.SET_1, InstantSource.system(), this::id, TestShare.ROOM);
  }

  private Id id() {
    return Id.random(random);
  }
}
