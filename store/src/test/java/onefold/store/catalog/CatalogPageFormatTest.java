package onefold.store.catalog;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.TreeMap;
import onefold.chunker.Fingerprint;
import onefold.chunker.ParameterSet;
import onefold.chunker.RecipeBuilder;
import onefold.store.CommitMode;
import onefold.store.CorruptDataException;
import onefold.store.Id;
import onefold.store.ShareChange;
import onefold.store.ShareEntry;
import onefold.store.ShareObject;
import org.junit.jupiter.api.Test;

class CatalogPageFormatTest {
  private static final CatalogPageFormat.ReferenceVisitor IGNORING =
      new CatalogPageFormat.ReferenceVisitor() {
        @Override
        public void page(byte[] bytes, int fingerprintOffset) {
          assertEquals(
              32, Arrays.copyOfRange(bytes, fingerprintOffset, fingerprintOffset + 32).length);
        }

        @Override
        public void object(
            Id domainId, byte[] bytes, int fingerprintOffset, int level, long lengthBytes) {
          assertTrue(level >= 0 && lengthBytes >= 0);
        }
      };

  /** A small catalog with a page of each kind; pages by their role. */
  static Map<String, byte[]> samplePages(MapNodeStore nodes) throws IOException {
    Commands commands = new Commands();
    Catalog catalog = Catalog.create(nodes, 1 << 20);
    long position = 0;
    catalog.apply(commands.createDomain(), position++);
    catalog.apply(commands.createStore(Commands.STORE), position++);
    for (int i = 0; i < 120; i++) {
      catalog.apply(
          commands.commit(String.format("srv-%03d", i), i, i, CommitMode.IF_ABSENT), position++);
    }
    catalog.apply(commands.checkpoint(new Id(8, 1), "upload", 12, 1), position++);
    byte[] record = new byte[6000];
    Arrays.fill(record, (byte) 'r');
    catalog.apply(
        new CatalogCommand.PutRecord(commands.stamp(), "user", "admin", record), position++);
    CatalogFold fold = catalog.fold();
    CatalogRoot root = fold.write();
    catalog.finish(fold);
    Map<String, byte[]> pages = new LinkedHashMap<>();
    pages.put("roots", nodes.get(root.page()));
    List<Fingerprint> all = new ArrayList<>();
    catalog.view().visitPages(all::add);
    for (Fingerprint page : all) {
      byte[] bytes = nodes.get(page);
      CatalogPage decoded = CatalogPage.decode("page", bytes, bytes.length);
      String role =
          switch (decoded.kind()) {
            case CatalogKeys.ROOTS -> "roots";
            case CatalogKeys.SYSTEM -> decoded.level() == 0 ? "system-leaf" : "system-inner";
            case CatalogKeys.ITEMS -> decoded.level() == 0 ? "items-leaf" : "items-inner";
            case CatalogKeys.LOOKUPS -> decoded.level() == 0 ? "lookups-leaf" : "lookups-inner";
            default -> "value";
          };
      pages.putIfAbsent(role, bytes);
    }
    return pages;
  }

  /** A catalog with a share; the pages that hold it. */
  private static Map<String, byte[]> samplePagesOfShares(MapNodeStore nodes) throws IOException {
    Commands commands = new Commands();
    Catalog catalog = Catalog.create(nodes, 1 << 20);
    long position = 0;
    Id share = new Id(6, 1);
    catalog.apply(commands.createDomain(), position++);
    catalog.apply(
        new CatalogCommand.CreateShare(
            commands.stamp(), share, "backup", Commands.DOMAIN.id(), new byte[] {1, 2, 3}),
        position++);
    List<ShareChange> changes = new ArrayList<>();
    for (int i = 0; i < 120; i++) {
      byte[] key = String.format("file-%03d", i).getBytes(StandardCharsets.US_ASCII);
      ShareObject object =
          new ShareObject(new Id(7, i), Commands.root(i, i), i, i / 2, new byte[] {(byte) i});
      changes.add(
          new ShareChange.SetEntry(
              new ShareEntry(
                  key, i % 3 == 0 ? Optional.empty() : Optional.of(object), new byte[i])));
    }
    byte[] value = new byte[6000];
    Arrays.fill(value, (byte) 'v');
    changes.add(new ShareChange.SetValue(changes.getLast().key(), value));
    catalog.apply(new CatalogCommand.ChangeShare(commands.stamp(), share, 1, changes), position++);
    CatalogFold fold = catalog.fold();
    CatalogRoot root = fold.write();
    catalog.finish(fold);
    Map<String, byte[]> pages = new LinkedHashMap<>();
    pages.put("roots", nodes.get(root.page()));
    List<Fingerprint> all = new ArrayList<>();
    catalog.view().visitPages(all::add);
    for (Fingerprint page : all) {
      byte[] bytes = nodes.get(page);
      CatalogPage decoded = CatalogPage.decode("page", bytes, bytes.length);
      switch (decoded.kind()) {
        case CatalogKeys.SYSTEM -> pages.putIfAbsent("system-leaf", bytes);
        case CatalogKeys.SHARE_ENTRIES ->
            pages.putIfAbsent(decoded.level() == 0 ? "entries-leaf" : "entries-inner", bytes);
        case CatalogKeys.SHARE_VALUES -> pages.putIfAbsent("values-leaf", bytes);
        default -> {}
      }
    }
    return pages;
  }

  @Test
  void theSampleOfTheFirstReleaseIsStillReadAndWritten() throws IOException {
    Map<String, byte[]> pages = samplePages(new MapNodeStore());
    assertEquals(7, pages.size());
    assertAreReadAndWritten("catalog-page-1.txt", pages);
  }

  @Test
  void theSampleOfPagesOfSharesIsStillReadAndWritten() throws IOException {
    Map<String, byte[]> pages = samplePagesOfShares(new MapNodeStore());
    assertEquals(5, pages.size());
    assertAreReadAndWritten("catalog-page-2.txt", pages);
  }

  private static void assertAreReadAndWritten(String sample, Map<String, byte[]> pages)
      throws IOException {
    Map<String, byte[]> kept = new LinkedHashMap<>();
    for (String line : Samples.lines(sample)) {
      String[] parts = line.split(" ", -1);
      kept.put(parts[0], HexFormat.of().parseHex(parts[1]));
    }
    assertEquals(pages.keySet(), kept.keySet());
    for (Map.Entry<String, byte[]> page : kept.entrySet()) {
      byte[] bytes = page.getValue();
      assertArrayEquals(pages.get(page.getKey()), bytes, page.getKey());
      CatalogPage decoded = CatalogPage.decode("page", bytes, bytes.length);
      assertTrue(CatalogPageFormat.isPage(bytes, 0, bytes.length));
      assertEquals(decoded.level(), CatalogPageFormat.level(bytes, 0, bytes.length));
      if (decoded.kind() != CatalogPageFormat.VALUE) {
        assertArrayEquals(
            bytes,
            CatalogPage.encode(
                decoded.kind(), decoded.level(), decoded.domainId(), PageTree.entries(decoded)));
      }
    }
  }

  @Test
  void aNodeOfARecipeIsNoPage() throws IOException {
    RecipeBuilder recipe =
        new RecipeBuilder(
            ParameterSet.SET_1,
            (level, node, length, fingerprint) -> {
              assertFalse(CatalogPageFormat.isPage(node, 0, length));
              assertThrows(
                  CorruptDataException.class, () -> CatalogPageFormat.level(node, 0, length));
              assertThrows(
                  CorruptDataException.class,
                  () -> CatalogPageFormat.visitReferences(node, length, IGNORING));
            });
    for (int i = 0; i < 2000; i++) {
      recipe.chunk(new Fingerprint(i, i * 7919L, i, i * 104729L).toBytes(), 0, 8000);
    }
    recipe.finish();
    assertFalse(CatalogPageFormat.isPage(new byte[3], 0, 3));
  }

  @Test
  void truncatedPagesAreDamage() throws IOException {
    for (byte[] page : samplePages(new MapNodeStore()).values()) {
      // A value page is as long as it is; all others end with their last entry.
      boolean isValue = page[5] == CatalogPageFormat.VALUE;
      int shortest = isValue ? CatalogPageFormat.HEAD_BYTES + 1 : page.length;
      for (int length = 0; length < shortest; length++) {
        byte[] cut = Arrays.copyOf(page, length);
        assertThrows(CorruptDataException.class, () -> CatalogPage.decode("page", cut, cut.length));
      }
      byte[] longer = Arrays.copyOf(page, CatalogPageFormat.MAX_PAGE_BYTES + 1);
      assertThrows(
          CorruptDataException.class, () -> CatalogPage.decode("page", longer, longer.length));
    }
  }

  @Test
  void flippedBitsAreDamageOrAPageInItsOnlyForm() throws IOException {
    long seed = Long.getLong("onefold.seed", System.nanoTime());
    SplittableRandom random = new SplittableRandom(seed);
    int refused = 0;
    for (byte[] page : samplePages(new MapNodeStore()).values()) {
      for (int i = 0; i < 4000; i++) {
        byte[] flipped = page.clone();
        // Half of the flips hit the head and the first entries, where the lengths are.
        int reach = random.nextBoolean() ? Math.min(80, flipped.length) : flipped.length;
        for (int flips = 1 + random.nextInt(3); flips > 0; flips--) {
          flipped[random.nextInt(reach)] ^= (byte) (1 << random.nextInt(8));
        }
        try {
          CatalogPage decoded = CatalogPage.decode("page", flipped, flipped.length);
          for (int entry = 0; entry < decoded.count(); entry++) {
            assertEquals(entry, decoded.floor(decoded.key(entry)), "onefold.seed=" + seed);
          }
          CatalogPageFormat.visitReferences(flipped, flipped.length, IGNORING);
        } catch (CorruptDataException e) {
          refused++;
        }
      }
    }
    assertTrue(refused > 100, refused + " refused");
  }

  @Test
  void randomBytesAreNoPage() {
    long seed = Long.getLong("onefold.seed", System.nanoTime());
    SplittableRandom random = new SplittableRandom(seed);
    for (int i = 0; i < 20_000; i++) {
      byte[] bytes = new byte[random.nextInt(300)];
      random.nextBytes(bytes);
      if (bytes.length > 12 && random.nextInt(4) > 0) {
        byte[] head = {(byte) 0xc7, 'O', 'C', 'P', 1, (byte) (1 + random.nextInt(4))};
        System.arraycopy(head, 0, bytes, 0, head.length);
        bytes[6] = (byte) random.nextInt(3);
        bytes[7] = 0;
        bytes[9] = 0;
        bytes[11] = 0;
        Arrays.fill(bytes, 12, Math.min(28, bytes.length), (byte) 0);
      }
      try {
        CatalogPage page = CatalogPage.decode("page", bytes, bytes.length);
        assertTrue(page.length() == bytes.length, "onefold.seed=" + seed);
      } catch (CorruptDataException e) {
        assertFalse(String.valueOf(e.getMessage()).isEmpty());
      }
    }
  }

  /**
   * Pages come checked against their fingerprints; even if they did not, nothing worse than an
   * error would happen.
   */
  @Test
  void aCatalogOverDamagedPagesFailsWithNothingButIoErrors() throws IOException {
    long seed = Long.getLong("onefold.seed", System.nanoTime());
    SplittableRandom random = new SplittableRandom(seed);
    MapNodeStore sound = new MapNodeStore();
    Map<String, byte[]> pages = samplePages(sound);
    Fingerprint root = MapNodeStore.fingerprint(pages.getOrDefault("roots", new byte[0]), 0);
    for (Map.Entry<Fingerprint, byte[]> page : sound.pages.entrySet()) {
      if (Arrays.equals(page.getValue(), pages.get("roots"))) {
        root = page.getKey();
      }
    }
    int failures = 0;
    for (int i = 0; i < 700; i++) {
      MapNodeStore damaged = new MapNodeStore();
      damaged.pages.putAll(sound.pages);
      List<Fingerprint> keys = new ArrayList<>(sound.pages.keySet());
      keys.sort(null);
      Fingerprint victim = keys.get(random.nextInt(keys.size()));
      byte[] bytes = damaged.get(victim);
      bytes[random.nextInt(bytes.length)] ^= (byte) (1 << random.nextInt(8));
      damaged.pages.put(victim, bytes);
      Commands commands = new Commands();
      try {
        Catalog catalog = Catalog.open(damaged, new CatalogRoot(root, 0, 1000, 1, 124), 1);
        CatalogView view = catalog.view();
        view.stores();
        view.domains();
        view.items(Commands.STORE.id(), "", "", 1000);
        view.itemsByAge(Commands.STORE.id(), Long.MAX_VALUE, "", 1000);
        view.unfinished(Commands.STORE.id());
        view.records("user");
        view.visitObjects(Commands.DOMAIN.id(), (storeId, name, object) -> {});
        view.visitPages(fingerprint -> {});
        catalog.apply(commands.commit("srv-050", 1, 1, CommitMode.REPLACE), 1001);
        catalog.apply(commands.delete("srv-080"), 1002);
        CatalogFold fold = catalog.fold();
        fold.write();
      } catch (IOException e) {
        failures++;
      } catch (RuntimeException e) {
        throw new AssertionError("onefold.seed=" + seed + ", round " + i, e);
      }
    }
    assertTrue(failures > 100, failures + " failures");
  }

  @Test
  void pagesOfTheLongestNamesAndTagsStayWithinTheirBound() throws IOException {
    MapNodeStore nodes = new MapNodeStore();
    Commands commands = new Commands();
    Catalog catalog = Catalog.create(nodes, 1 << 20);
    long position = 0;
    catalog.apply(commands.createDomain(), position++);
    catalog.apply(commands.createStore(Commands.STORE), position++);
    TreeMap<String, String> tags = new TreeMap<>();
    for (int i = 0; i < CatalogCommand.MAX_TAGS; i++) {
      tags.put(String.format("t%02d", i), "x".repeat(61));
    }
    for (int i = 0; i < 400; i++) {
      String name = (char) ('a' + i % 26) + "n".repeat(1000 + i % 20) + String.format("%03d", i);
      CatalogCommand commit =
          new CatalogCommand.CommitItem(
              commands.stamp(),
              Commands.STORE.id(),
              name,
              new Id(5, i),
              Commands.root(i, i),
              CommitMode.IF_ABSENT,
              tags,
              0,
              0,
              CatalogCommand.NO_ID);
      catalog.apply(commit, position++).orThrow();
      if (i % 90 == 0) {
        CatalogFold fold = catalog.fold();
        fold.write();
        catalog.finish(fold);
      }
    }
    CatalogFold fold = catalog.fold();
    fold.write();
    catalog.finish(fold);
    assertEquals(400, catalog.view().items(Commands.STORE.id(), "", "", 1000).items().size());
    int longest = nodes.pages.values().stream().mapToInt(page -> page.length).max().orElse(0);
    assertTrue(longest <= CatalogPageFormat.MAX_PAGE_BYTES, longest + " bytes");
  }
}
