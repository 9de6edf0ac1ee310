package onefold.store.catalog;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.TreeMap;
import onefold.chunker.ChunkKind;
import onefold.chunker.Fingerprint;
import onefold.chunker.ObjectRoot;
import onefold.store.CommitMode;
import onefold.store.Compression;
import onefold.store.CorruptDataException;
import onefold.store.DomainRecord;
import onefold.store.Id;
import onefold.store.ItemRecord;
import onefold.store.LockKind;
import onefold.store.LockOverride;
import onefold.store.ShareChange;
import onefold.store.ShareEntry;
import onefold.store.ShareObject;
import onefold.store.ShareTree;
import onefold.store.StorePolicy;
import onefold.store.StoreRecord;
import onefold.store.catalog.CatalogCommand.Stamp;
import org.junit.jupiter.api.Test;

class CatalogCommandFormatTest {
  private static final Stamp STAMP = new Stamp(new Id(1, 2), 1_767_225_600_000L, 1);
  private static final Id STORE = new Id(0x1111, 0x2222);
  private static final Fingerprint FINGERPRINT = new Fingerprint(0x0102030405060708L, 2, 3, 4);
  private static final ObjectRoot ROOT = new ObjectRoot(FINGERPRINT, 2, 1L << 33);

  /** One command of each type. */
  static List<CatalogCommand> samples() {
    List<CatalogCommand> all = new ArrayList<>(firstSamples());
    all.addAll(secondSamples());
    all.addAll(thirdSamples());
    return all;
  }

  /** What version 3 of the format has brought, as it stands in the third sample. */
  private static List<CatalogCommand> thirdSamples() {
    byte[] key = {0, (byte) 0xff, 'k'};
    byte[] note = {9, 8, 7};
    ShareObject object = new ShareObject(new Id(6, 1), ROOT, 12, 1L << 32, note);
    return List.of(
        new CatalogCommand.CreateShare(
            STAMP, new Id(6, 7), "backup", new Id(3, 4), new byte[] {1, 2, 3}),
        new CatalogCommand.UpdateShare(STAMP, new Id(6, 7), new byte[0]),
        new CatalogCommand.DeleteShare(STAMP, new Id(6, 7), true),
        new CatalogCommand.CopyShare(
            STAMP,
            new Id(6, 7),
            new Id(6, 8),
            "before-update",
            true,
            new StoreTrees(new StoreTrees.Tree(FINGERPRINT, 2), null)),
        new CatalogCommand.ChangeShare(
            STAMP,
            new Id(6, 7),
            4711,
            List.of(
                new ShareChange.SetEntry(
                    new ShareEntry(key, Optional.of(object), new byte[] {1, 2})),
                new ShareChange.SetEntry(
                    new ShareEntry(new byte[] {1}, Optional.empty(), new byte[0])),
                new ShareChange.SetValue(key, new byte[] {3}),
                new ShareChange.SetObject(key, object),
                new ShareChange.Remove(key))));
  }

  /** What version 2 of the format has brought, as it stands in the second sample. */
  private static List<CatalogCommand> secondSamples() {
    StoreRecord store =
        new StoreRecord(STORE, "default", new Id(3, 4), 10_000_000, Compression.ZSTD, 7, 99)
            .withPolicy(new StorePolicy(LockKind.COMPLIANCE, 30, 9_000_000));
    return List.of(
        new CatalogCommand.CreateStore(STAMP, store),
        new CatalogCommand.UpdateStore(STAMP, store),
        new CatalogCommand.LockItem(
            STAMP, STORE, "monday", 1_900_000_000_000L, LockKind.COMPLIANCE, null),
        new CatalogCommand.LockItem(
            STAMP,
            STORE,
            "monday",
            1_800_000_000_000L,
            LockKind.GOVERNANCE,
            new LockOverride("admin", "locked by mistake")),
        new CatalogCommand.UndeleteItem(
            STAMP,
            new ItemRecord(
                STORE,
                "monday",
                new Id(5, 6),
                12,
                ROOT,
                1_767_225_600_000L,
                new TreeMap<>(Map.of("job", "nächtlich")),
                77,
                LockKind.COMPLIANCE,
                false,
                777),
            "monday/before",
            CommitMode.REPLACE),
        new CatalogCommand.PurgeDeleted(STAMP, STORE, "monday", 12, null),
        new CatalogCommand.PurgeDeleted(
            STAMP, STORE, "monday", 12, new LockOverride("admin", "the disk is full")),
        new CatalogCommand.PurgeExpired(STAMP, STORE, 1000),
        new CatalogCommand.CopyStore(
            STAMP,
            STORE,
            new Id(5, 7),
            "before-update",
            true,
            new StoreTrees(
                new StoreTrees.Tree(FINGERPRINT, 2), new StoreTrees.Tree(FINGERPRINT, 0))),
        new CatalogCommand.CopyStore(STAMP, STORE, new Id(5, 8), "empty", false, StoreTrees.NONE),
        new CatalogCommand.DeleteSnapshot(STAMP, new Id(5, 7)),
        new CatalogCommand.LockSnapshot(
            STAMP,
            new Id(5, 7),
            1_900_000_000_000L,
            LockKind.COMPLIANCE,
            new LockOverride("admin", "a wrong date")));
  }

  /** One command of each type of version 1, as they stand in the first sample. */
  private static List<CatalogCommand> firstSamples() {
    TreeMap<String, String> tags = new TreeMap<>(Map.of("job", "nächtlich", "host", "srv"));
    StoreRecord store =
        new StoreRecord(STORE, "default", new Id(3, 4), 10_000_000, Compression.ZSTD, 7, 99);
    return List.of(
        new CatalogCommand.CreateDomain(STAMP, new DomainRecord(new Id(3, 4), "default", 1)),
        new CatalogCommand.CreateStore(STAMP, store),
        new CatalogCommand.UpdateStore(STAMP, store),
        new CatalogCommand.DeleteStore(STAMP, STORE, true),
        new CatalogCommand.CommitItem(
            STAMP,
            STORE,
            "srv/é",
            new Id(5, 6),
            ROOT,
            CommitMode.REPLACE,
            tags,
            14,
            777,
            new Id(8, 9)),
        new CatalogCommand.DeleteItem(STAMP, STORE, "monday"),
        new CatalogCommand.CloneItem(
            STAMP, STORE, "monday", new Id(0, 7), "copy", new Id(5, 7), CommitMode.IF_ABSENT),
        new CatalogCommand.UpdateItem(STAMP, STORE, "monday", tags, true, 1_900_000_000_000L),
        new CatalogCommand.CheckpointUpload(
            STAMP, new Id(8, 9), STORE, "monday", ROOT, 3, 1_767_225_599_000L),
        new CatalogCommand.EndUpload(STAMP, new Id(8, 9)),
        new CatalogCommand.PutRecord(STAMP, "user", "admin", new byte[] {1, 2, 3}),
        new CatalogCommand.RemoveRecord(STAMP, "user", "admin"),
        new CatalogCommand.AdvanceStoreTime(STAMP),
        new CatalogCommand.ContainersGone(STAMP, new Id(3, 4), new long[] {7, 1L << 48}),
        new CatalogCommand.ContainersUnlinked(STAMP, new Id(3, 4), new long[] {7}),
        new CatalogCommand.QuarantineChunk(
            STAMP, new Id(3, 4), ChunkKind.NODE, FINGERPRINT, 4711, 12, 3),
        new CatalogCommand.ReleaseChunk(STAMP, new Id(3, 4), ChunkKind.DATA, FINGERPRINT),
        new CatalogCommand.SetUnfinishedLimits(STAMP, 100, 1L << 40));
  }

  @Test
  void everyCommandIsReadAsItWasWritten() throws IOException {
    Set<Class<?>> types = new HashSet<>();
    for (CatalogCommand command : samples()) {
      byte[] bytes = CatalogCommandFormat.encode(command);
      byte[] padded = new byte[bytes.length + 20];
      System.arraycopy(bytes, 0, padded, 7, bytes.length);
      CatalogCommand read = CatalogCommandFormat.decode(padded, 7, bytes.length);
      assertEquals(command.getClass(), read.getClass());
      assertArrayEquals(bytes, CatalogCommandFormat.encode(read));
      types.add(command.getClass());
      boolean hasArray =
          command instanceof CatalogCommand.PutRecord
              || command instanceof CatalogCommand.ContainersGone
              || command instanceof CatalogCommand.ContainersUnlinked
              || command instanceof CatalogCommand.CreateShare
              || command instanceof CatalogCommand.UpdateShare
              || command instanceof CatalogCommand.ChangeShare;
      assertTrue(hasArray || command.equals(read), command.toString());
    }
    assertEquals(Set.of(CatalogCommand.class.getPermittedSubclasses()), types);
  }

  @Test
  void theSampleOfTheFirstReleaseIsStillReadAndWritten() throws IOException {
    assertIsReadAndWritten("catalog-command-1.txt", firstSamples());
  }

  @Test
  void theSampleOfTheSecondVersionIsStillReadAndWritten() throws IOException {
    assertIsReadAndWritten("catalog-command-2.txt", secondSamples());
  }

  @Test
  void theSampleOfTheThirdVersionIsStillReadAndWritten() throws IOException {
    assertIsReadAndWritten("catalog-command-3.txt", thirdSamples());
  }

  private static void assertIsReadAndWritten(String sample, List<CatalogCommand> commands)
      throws IOException {
    List<String> lines = Samples.lines(sample);
    assertEquals(commands.size(), lines.size());
    for (int i = 0; i < lines.size(); i++) {
      String[] parts = lines.get(i).split(" ", -1);
      byte[] bytes = HexFormat.of().parseHex(parts[1]);
      assertEquals(commands.get(i).getClass().getSimpleName(), parts[0]);
      assertArrayEquals(bytes, CatalogCommandFormat.encode(commands.get(i)));
      CatalogCommand read = CatalogCommandFormat.decode(bytes, 0, bytes.length);
      assertArrayEquals(bytes, CatalogCommandFormat.encode(read));
    }
  }

  @Test
  void aTruncatedCommandIsDamage() {
    for (CatalogCommand command : samples()) {
      byte[] bytes = CatalogCommandFormat.encode(command);
      for (int length = 0; length < bytes.length; length++) {
        int cut = length;
        assertThrows(CorruptDataException.class, () -> CatalogCommandFormat.decode(bytes, 0, cut));
      }
      byte[] longer = Arrays.copyOf(bytes, bytes.length + 1);
      assertThrows(
          CorruptDataException.class, () -> CatalogCommandFormat.decode(longer, 0, longer.length));
    }
  }

  @Test
  void flippedBitsAreDamageOrAnotherCommandInItsOnlyForm() throws IOException {
    long seed = Long.getLong("onefold.seed", System.nanoTime());
    SplittableRandom random = new SplittableRandom(seed);
    int accepted = 0;
    for (CatalogCommand command : samples()) {
      byte[] bytes = CatalogCommandFormat.encode(command);
      for (int i = 0; i < 3000; i++) {
        byte[] flipped = bytes.clone();
        for (int flips = 1 + random.nextInt(3); flips > 0; flips--) {
          flipped[random.nextInt(flipped.length)] ^= (byte) (1 << random.nextInt(8));
        }
        try {
          CatalogCommand read = CatalogCommandFormat.decode(flipped, 0, flipped.length);
          assertArrayEquals(flipped, CatalogCommandFormat.encode(read), "onefold.seed=" + seed);
          accepted++;
        } catch (IOException e) {
          assertFalse(String.valueOf(e.getMessage()).isEmpty());
        }
      }
    }
    assertTrue(accepted > 0, "ids and times may take any value");
  }

  @Test
  void aNewerVersionIsNotCalledDamage() {
    byte[] bytes = CatalogCommandFormat.encode(samples().getFirst());
    bytes[0] = 4;
    IOException newer =
        assertThrows(IOException.class, () -> CatalogCommandFormat.decode(bytes, 0, bytes.length));
    assertFalse(newer instanceof CorruptDataException);
    assertTrue(String.valueOf(newer.getMessage()).contains("newer release"));
    bytes[0] = 1;
    bytes[1] = 99;
    assertFalse(
        assertThrows(IOException.class, () -> CatalogCommandFormat.decode(bytes, 0, bytes.length))
            instanceof CorruptDataException);
    bytes[0] = 0;
    assertInstanceOf(
        CorruptDataException.class,
        assertThrows(IOException.class, () -> CatalogCommandFormat.decode(bytes, 0, bytes.length)));
  }

  @Test
  void anOversizeCommandIsRefusedBeforeItIsRead() {
    byte[] bytes = new byte[CatalogCommandFormat.MAX_COMMAND_BYTES + 1];
    assertThrows(
        CorruptDataException.class, () -> CatalogCommandFormat.decode(bytes, 0, bytes.length));
    byte[] largest =
        CatalogCommandFormat.encode(
            new CatalogCommand.PutRecord(STAMP, "k", "x".repeat(1024), new byte[64 << 10]));
    assertTrue(largest.length <= CatalogCommandFormat.MAX_COMMAND_BYTES);
    ShareObject object = new ShareObject(new Id(6, 1), ROOT, 12, 1, new byte[256]);
    List<ShareChange> most = new ArrayList<>();
    while (most.size() < ShareTree.MAX_CHANGES) {
      most.add(
          new ShareChange.SetEntry(
              new ShareEntry(new byte[68], Optional.of(object), new byte[200])));
    }
    assertEquals(
        ShareTree.MAX_CHANGE_BYTES / 1000 * 1000, most.stream().mapToInt(ShareChange::bytes).sum());
    byte[] changes =
        CatalogCommandFormat.encode(new CatalogCommand.ChangeShare(STAMP, new Id(6, 7), 1, most));
    assertTrue(changes.length <= CatalogCommandFormat.MAX_COMMAND_BYTES);
    most.add(new ShareChange.Remove(new byte[1]));
    assertThrows(
        IllegalArgumentException.class,
        () -> new CatalogCommand.ChangeShare(STAMP, new Id(6, 7), 1, most));
  }
}
