package onefold.catalyst.client;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SeekableByteChannel;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import onefold.catalyst.server.TestAppliance;
import onefold.catalyst.wire.CompressionChoice;
import onefold.catalyst.wire.ErrorCode;
import onefold.catalyst.wire.ItemInfo;
import onefold.catalyst.wire.TlsProvider;
import onefold.chunker.ChunkKind;
import onefold.chunker.Fingerprint;
import onefold.store.Compression;
import onefold.store.Id;
import onefold.store.StoreRecord;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class CatalystClientTest {
  private TestAppliance appliance;
  private CatalystClient client;

  @BeforeEach
  void start() throws IOException {
    appliance =
        TestAppliance.start(TestAppliance.memory(), TestAppliance.quickLimits(), TlsProvider.JDK);
    client = appliance.client();
  }

  @AfterEach
  void stop() throws IOException {
    client.close();
    appliance.close();
  }

  /** Half noise, half text that compresses. */
  static byte[] content(int lengthBytes, long seed) {
    byte[] bytes = new byte[lengthBytes];
    var random = new SplittableRandom(seed);
    random.nextBytes(bytes);
    for (int at = 0; at + 4096 <= lengthBytes; at += 8192) {
      Arrays.fill(bytes, at, at + 4096, (byte) random.nextInt(8));
    }
    return bytes;
  }

  private CommittedItem put(String item, byte[] bytes, Bandwidth bandwidth) throws IOException {
    return client.put(
        "default",
        item,
        new ByteArrayInputStream(bytes),
        WriteOptions.DEFAULT.withBandwidth(bandwidth));
  }

  private byte[] get(String item) throws IOException {
    var out = new ByteArrayOutputStream();
    client.get("default", item, out);
    return out.toByteArray();
  }

  private static void assertRefused(ErrorCode code, Use use) {
    CatalystException refused = assertThrows(CatalystException.class, use::run);
    assertEquals(code, refused.code(), refused::toString);
  }

  private interface Use {
    void run() throws IOException;
  }

  @ParameterizedTest
  @EnumSource(Bandwidth.class)
  void whatWasWrittenIsRead(Bandwidth bandwidth) throws IOException {
    for (int length : new int[] {0, 1, 2047, 70_000, 5_000_000}) {
      byte[] bytes = content(length, length);
      CommittedItem committed = put("a/" + length, bytes, bandwidth);
      assertEquals(length, committed.item().lengthBytes());
      assertEquals(length, committed.statistics().logicalBytes());
      assertArrayEquals(bytes, get("a/" + length), () -> bandwidth + " " + length);
    }
  }

  @Test
  void bothBandwidthsGiveTheSameRoot() throws IOException {
    byte[] bytes = content(9_000_000, 3);
    assertEquals(
        put("low", bytes, Bandwidth.LOW).item().root(),
        put("high", bytes, Bandwidth.HIGH).item().root());
  }

  @ParameterizedTest
  @EnumSource(
      value = Bandwidth.class,
      names = {"LOW", "HIGH"})
  void holesAndCutsAreKept(Bandwidth bandwidth) throws IOException {
    byte[] bytes = content(300_000, 4);
    try (ItemWriter writer =
        client.openWriter("default", "sparse", WriteOptions.DEFAULT.withBandwidth(bandwidth))) {
      writer.write(bytes);
      writer.cut();
      writer.hole(1L << 33);
      writer.write(bytes, 0, 1000);
      writer.cut();
      writer.write(bytes, 1000, 5000);
      writer.hole(5);
      assertEquals(300_000 + (1L << 33) + 6005, writer.positionBytes());
      ItemInfo item = writer.commit().item();
      assertEquals(300_000 + (1L << 33) + 6005, item.lengthBytes());
    }
    try (ItemReader reader = client.openReader("default", "sparse")) {
      byte[] found = new byte[300_000];
      assertEquals(300_000, reader.read(found, 0, found.length));
      assertArrayEquals(bytes, found);
      reader.position(300_000 + (1L << 33) - 10);
      byte[] tail = new byte[10_000];
      assertEquals(6015, reader.read(tail, 0, tail.length));
      byte[] expected = new byte[6015];
      System.arraycopy(bytes, 0, expected, 10, 6000);
      assertArrayEquals(expected, Arrays.copyOf(tail, 6015));
    }
  }

  @Test
  void aChannelReadsAnywhere() throws IOException {
    byte[] bytes = content(3_000_000, 5);
    put("x", bytes, Bandwidth.HIGH);
    long seed = Long.getLong("onefold.seed", System.nanoTime());
    var random = new SplittableRandom(seed);
    try (SeekableByteChannel channel = client.openReader("default", "x").channel()) {
      assertEquals(bytes.length, channel.size());
      for (int i = 0; i < 60; i++) {
        int at = random.nextInt(bytes.length);
        int length = 1 + random.nextInt(200_000);
        channel.position(at);
        ByteBuffer target =
            random.nextBoolean() ? ByteBuffer.allocate(length) : ByteBuffer.allocateDirect(length);
        while (target.hasRemaining() && channel.read(target) > 0) {}
        target.flip();
        byte[] found = new byte[target.remaining()];
        target.get(found);
        assertArrayEquals(
            Arrays.copyOfRange(bytes, at, Math.min(at + length, bytes.length)),
            found,
            "onefold.seed=" + seed);
      }
      channel.position(bytes.length + 5L);
      assertEquals(-1, channel.read(ByteBuffer.allocate(1)));
    }
  }

  @Test
  void itemsAreListedFoundTaggedClonedAndDeleted() throws IOException {
    for (int i = 0; i < 25; i++) {
      put("p/" + (char) ('a' + i), new byte[] {(byte) i}, Bandwidth.AUTO);
    }
    put("q", new byte[5], Bandwidth.AUTO);
    var names = new ArrayList<String>();
    client.items("default", "p/").forEach(item -> names.add(item.name()));
    assertEquals(25, names.size());
    assertEquals("p/a", names.getFirst());
    var page = client.listItems("default", "", "p/x", 2);
    assertEquals(List.of("p/y", "q"), page.items().stream().map(ItemInfo::name).toList());
    assertFalse(page.more());

    assertTrue(client.findItem("default", "nothing").isEmpty());
    ItemInfo tagged = client.setTags("default", "q", Map.of("job", "7"));
    assertEquals(new TreeMap<>(Map.of("job", "7")), tagged.tags());
    ItemInfo copy = client.cloneItem("default", "q", "default", "r", false);
    assertEquals(tagged.root(), copy.root());
    assertRefused(ErrorCode.EXISTS, () -> client.cloneItem("default", "q", "default", "r", false));
    client.deleteItem("default", "q");
    assertTrue(client.findItem("default", "q").isEmpty());
    assertRefused(ErrorCode.NOT_FOUND, () -> client.deleteItem("default", "q"));
    assertArrayEquals(new byte[5], get("r"));
    assertEquals(26, client.statistics("default").itemCount());
  }

  @Test
  void lockedAndHeldItemsStay() throws IOException {
    put("x", new byte[10], Bandwidth.AUTO);
    assertTrue(client.setHold("default", "x", true).held());
    assertRefused(ErrorCode.LOCKED, () -> client.deleteItem("default", "x"));
    client.setHold("default", "x", false);
    assertTrue(client.lock("default", "x", 3).lockedUntilMillis() > 0);
    assertRefused(ErrorCode.LOCKED, () -> client.deleteItem("default", "x"));
    assertRefused(
        ErrorCode.LOCKED,
        () -> client.openWriter("default", "x", WriteOptions.DEFAULT.withReplace(true)).close());
  }

  @ParameterizedTest
  @EnumSource(
      value = Bandwidth.class,
      names = {"LOW", "HIGH"})
  void anItemIsNeverOverwrittenSilently(Bandwidth bandwidth) throws IOException {
    put("x", new byte[10], bandwidth);
    assertRefused(ErrorCode.EXISTS, () -> put("x", new byte[11], bandwidth));
    client.put(
        "default",
        "x",
        new ByteArrayInputStream(new byte[12]),
        WriteOptions.DEFAULT.withReplace(true).withBandwidth(bandwidth));
    assertEquals(12, get("x").length);
  }

  @Test
  void anItemReplacedWhileReadStaysAsItWas() throws IOException {
    byte[] old = content(4_000_000, 9);
    put("x", old, Bandwidth.LOW);
    try (ItemReader reader = client.openReader("default", "x")) {
      byte[] found = new byte[old.length];
      reader.read(found, 0, 1000);
      client.deleteItem("default", "x");
      assertEquals(old.length - 1000, reader.read(found, 1000, found.length - 1000));
      assertArrayEquals(old, found);
    }
  }

  @Test
  void aSyntheticFullIsSplicedFromOtherItems() throws IOException {
    byte[] full = content(2_000_000, 6);
    byte[] change = content(100_000, 7);
    ItemInfo base = put("full", full, Bandwidth.LOW).item();
    try (ItemWriter writer =
        client.openWriter(
            "default", "synthetic", WriteOptions.DEFAULT.withBandwidth(Bandwidth.HIGH))) {
      writer.splice("default", base, 0, 1_000_000);
      writer.write(change);
      writer.splice("default", base, 1_100_000, 900_000);
      CommittedItem made = writer.commit();
      assertTrue(made.statistics().sentDataBytes() <= 100_000);
    }
    byte[] expected = full.clone();
    System.arraycopy(change, 0, expected, 1_000_000, change.length);
    assertArrayEquals(expected, get("synthetic"));
  }

  @ParameterizedTest
  @EnumSource(
      value = Bandwidth.class,
      names = {"LOW", "HIGH"})
  void anAbortedUploadLeavesNothing(Bandwidth bandwidth) throws IOException {
    try (ItemWriter writer =
        client.openWriter("default", "x", WriteOptions.DEFAULT.withBandwidth(bandwidth))) {
      writer.write(content(3_000_000, 1));
      writer.abort();
      assertThrows(IOException.class, () -> writer.write(1));
    }
    assertTrue(client.findItem("default", "x").isEmpty());
    assertTrue(client.unfinishedUploads("default").isEmpty());
  }

  @Test
  void unknownStoresAndBadNamesAreNamed() {
    assertRefused(ErrorCode.NOT_FOUND, () -> client.findItem("nowhere", "x"));
    for (String name : List.of("", "a//b", "../x", "a\0b", "x".repeat(4096))) {
      assertRefused(
          ErrorCode.INVALID_NAME,
          () -> client.openWriter("default", name, WriteOptions.DEFAULT).close());
    }
  }

  @Test
  void rightsAreKept() throws IOException {
    put("x", new byte[3], Bandwidth.AUTO);
    try (CatalystClient reader = as("reader")) {
      assertEquals(3, reader.get("default", "x", new ByteArrayOutputStream()));
      assertRefused(ErrorCode.NOT_PERMITTED, () -> reader.deleteItem("default", "x"));
      assertRefused(
          ErrorCode.NOT_PERMITTED,
          () -> reader.openWriter("default", "y", WriteOptions.DEFAULT).close());
    }
    try (CatalystClient appender = as("appender")) {
      appender.put("default", "y", new ByteArrayInputStream(new byte[1]), WriteOptions.DEFAULT);
      assertRefused(
          ErrorCode.NOT_PERMITTED,
          () ->
              appender.openWriter("default", "x", WriteOptions.DEFAULT.withReplace(true)).close());
    }
    try (CatalystClient stranger = as("stranger")) {
      assertTrue(stranger.stores().isEmpty());
      assertRefused(ErrorCode.NOT_FOUND, () -> stranger.findItem("default", "x"));
    }
  }

  private CatalystClient as(String user) throws IOException {
    ClientSettings s = appliance.clientSettings();
    return CatalystClient.connect(
        ClientSettings.of(s.host(), s.port(), user, s.password(), s.trust()));
  }

  @Test
  void aWrongPasswordIsRefusedLikeAnUnknownUser() {
    ClientSettings s = appliance.clientSettings();
    CatalystException wrong =
        assertThrows(
            CatalystException.class,
            () ->
                CatalystClient.connect(
                    ClientSettings.of(
                        s.host(), s.port(), "admin", "wrong".toCharArray(), s.trust())));
    CatalystException unknown =
        assertThrows(
            CatalystException.class,
            () ->
                CatalystClient.connect(
                    ClientSettings.of(s.host(), s.port(), "nobody", s.password(), s.trust())));
    assertEquals(ErrorCode.AUTHENTICATION_FAILED, unknown.code());
    assertEquals(wrong.toString(), unknown.toString());
  }

  @Test
  void aChangedCertificateIsNoticedAndNamed() throws IOException {
    ClientSettings s = appliance.clientSettings();
    String other = "00".repeat(32);
    KeyMismatchException mismatch =
        assertThrows(
            KeyMismatchException.class,
            () ->
                CatalystClient.connect(
                    ClientSettings.of(
                        s.host(), s.port(), "admin", s.password(), new ServerTrust.Pinned(other))));
    assertEquals(other, mismatch.expectedPin());
    assertEquals(TestAppliance.IDENTITY.pin(), mismatch.foundPin());
    assertEquals(
        TestAppliance.IDENTITY.pin(), CatalystClient.pinOf(CatalystClient.serverCertificate(s)));
  }

  @Test
  void aCertificateCanBeVerifiedByNameInstead() throws IOException {
    ClientSettings s = appliance.clientSettings();
    var trusted = new ServerTrust.Certified(List.of(TestAppliance.IDENTITY.certificate()));
    try (CatalystClient verified =
        CatalystClient.connect(
            ClientSettings.of("localhost", s.port(), "admin", s.password(), trusted))) {
      assertEquals(1, verified.stores().size());
    }
    assertThrows(
        IOException.class,
        () ->
            CatalystClient.connect(
                ClientSettings.of(
                    "127.0.0.1",
                    s.port(),
                    "admin",
                    s.password(),
                    new ServerTrust.Certified(List.of()))));
  }

  @Test
  void damageIsReportedAndNeverHandedOut() throws IOException {
    byte[] bytes = content(1_000_000, 11);
    put("x", bytes, Bandwidth.LOW);
    Id domain = appliance.store().domains().getFirst().id();
    for (Fingerprint fingerprint : appliance.memoryStore().fingerprints(domain, ChunkKind.DATA)) {
      appliance.memoryStore().damage(domain, fingerprint);
      break;
    }
    var out = new ByteArrayOutputStream();
    assertRefused(ErrorCode.CORRUPT_DATA, () -> client.get("default", "x", out));
    byte[] before = out.toByteArray();
    assertArrayEquals(Arrays.copyOf(bytes, before.length), before);
  }

  @Test
  void aFullStoreSaysSoAndReadsGoOn() throws IOException {
    put("x", content(100_000, 1), Bandwidth.LOW);
    appliance.memoryStore().setFull(true);
    assertRefused(ErrorCode.FULL, () -> put("y", content(100_000, 2), Bandwidth.LOW));
    assertRefused(ErrorCode.FULL, () -> put("z", content(100_000, 2), Bandwidth.HIGH));
    assertEquals(100_000, get("x").length);
    appliance.memoryStore().setFull(false);
    put("y", content(100_000, 2), Bandwidth.LOW);
  }

  @Test
  void fiftyStreamsShareAConnection() throws Exception {
    var puts = new ArrayList<CompletableFuture<CommittedItem>>();
    for (int i = 0; i < 50; i++) {
      byte[] bytes = content(300_000, i % 10);
      puts.add(
          client.putAsync(
              "default",
              "many/" + i,
              new ByteArrayInputStream(bytes),
              WriteOptions.DEFAULT.withBandwidth(i % 2 == 0 ? Bandwidth.LOW : Bandwidth.HIGH)));
    }
    for (CompletableFuture<CommittedItem> one : puts) {
      assertEquals(300_000, one.get().item().lengthBytes());
    }
    var gets = new ArrayList<CompletableFuture<Long>>();
    var outs = new ArrayList<ByteArrayOutputStream>();
    for (int i = 0; i < 50; i++) {
      outs.add(new ByteArrayOutputStream());
      gets.add(client.getAsync("default", "many/" + i, outs.get(i)));
    }
    for (int i = 0; i < 50; i++) {
      assertEquals(300_000, gets.get(i).get());
      assertArrayEquals(content(300_000, i % 10), outs.get(i).toByteArray());
    }
  }

  @Test
  void theSlowReaderOfOneStreamHoldsUpNobodyElse() throws IOException {
    byte[] bytes = content(20_000_000, 8);
    put("big", bytes, Bandwidth.HIGH);
    try (ItemReader slow = client.openReader("default", "big")) {
      assertEquals(1, slow.inputStream().read(new byte[1]));
      // It reads no further, its window is full: others go on all the same.
      put("small", content(1_000_000, 2), Bandwidth.LOW);
      assertEquals(1_000_000, get("small").length);
    }
  }

  @Test
  void bandwidthIsChosenByLineAndCores() throws IOException {
    // On this machine nothing is measured and the answer is low, whatever the cores.
    try (TestAppliance other = TestAppliance.start();
        CatalystClient here = other.client()) {
      CommittedItem made =
          here.put(
              "default", "x", new ByteArrayInputStream(new byte[1 << 20]), WriteOptions.DEFAULT);
      assertTrue(made.statistics().sentDataBytes() < 1 << 20);
    }
    try (var connections = new Connections(appliance.clientSettings())) {
      LineProbe measured = LineProbe.measure(connections.get());
      assertTrue(
          measured.roundTripNanos() > 0 && measured.bytesPerSecond() > 0, measured::toString);
    }
    assertTrue(new LineProbe(1000, 0.6e9).isFasterThan(1));
    assertFalse(new LineProbe(1000, 0.6e9).isFasterThan(2));
    assertFalse(LineProbe.LOCAL.isFasterThan(1));
  }

  @Test
  void storesSayWhatTheyAre() throws IOException {
    appliance
        .store()
        .createStore(
            new Id(1, 1),
            new StoreRecord(
                new Id(0, 0),
                "zstd",
                appliance.store().domains().getFirst().id(),
                5L << 30,
                Compression.ZSTD,
                2,
                0));
    var stores = client.stores();
    assertEquals(List.of("default", "zstd"), stores.stream().map(s -> s.name()).toList());
    assertEquals(CompressionChoice.ZSTD, stores.getLast().compression());
    assertEquals(5L << 30, stores.getLast().quotaBytes());
    assertEquals(2, stores.getLast().lockDays());
    assertEquals(1, stores.getLast().parameterSet());
  }

  @Test
  void boringSslWorksToo() throws IOException {
    try (TestAppliance native_ =
            TestAppliance.start(
                TestAppliance.memory(), TestAppliance.quickLimits(), TlsProvider.BORINGSSL);
        CatalystClient over =
            CatalystClient.connect(
                native_.clientSettings().withTlsProvider(TlsProvider.BORINGSSL));
        CatalystClient mixed = CatalystClient.connect(native_.clientSettings())) {
      byte[] bytes = content(2_000_000, 3);
      over.put("default", "x", new ByteArrayInputStream(bytes), WriteOptions.DEFAULT);
      var out = new ByteArrayOutputStream();
      mixed.get("default", "x", out);
      assertArrayEquals(bytes, out.toByteArray());
    }
  }
}
