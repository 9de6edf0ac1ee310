package onefold.catalyst.client;

import static onefold.catalyst.client.CatalystClientTest.content;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import onefold.catalyst.server.TestAppliance;
import onefold.catalyst.wire.ErrorCode;
import onefold.catalyst.wire.ItemInfo;
import onefold.catalyst.wire.TlsProvider;
import onefold.catalyst.wire.UnfinishedInfo;
import onefold.chunker.ChunkKind;
import onefold.chunker.Fingerprint;
import onefold.chunker.ObjectRoot;
import onefold.store.ChunkStore;
import onefold.store.Id;
import onefold.store.InMemoryChunkStore;
import onefold.testing.FlakyLine;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class ResumeTest {
  private static final RetryPolicy QUICK =
      new RetryPolicy(20, Duration.ofMillis(1), Duration.ofMillis(20));

  private InMemoryChunkStore memory;
  private MeddledStore meddled;
  private TestAppliance appliance;
  private FlakyLine line;

  @BeforeEach
  void start() throws IOException {
    memory = TestAppliance.memory();
    meddled = new MeddledStore();
    ChunkStore store = meddled.around(memory);
    appliance = TestAppliance.start(store, TestAppliance.quickLimits(), TlsProvider.JDK);
    line = new FlakyLine(appliance.port());
  }

  @AfterEach
  void stop() throws IOException {
    line.close();
    appliance.close();
  }

  private CatalystClient overLine() throws IOException {
    return CatalystClient.connect(settings());
  }

  private ClientSettings settings() {
    return TestAppliance.clientSettings(line.port()).withRetry(QUICK);
  }

  private void assertStored(String item, byte[] expected) throws IOException {
    try (CatalystClient direct = appliance.client()) {
      var out = new ByteArrayOutputStream();
      direct.get("default", item, out);
      assertArrayEquals(expected, out.toByteArray(), item);
    }
  }

  @ParameterizedTest
  @EnumSource(
      value = Bandwidth.class,
      names = {"LOW", "HIGH"})
  void anUploadSurvivesALineThatBreaksAnywhere(Bandwidth bandwidth) throws IOException {
    long seed = Long.getLong("onefold.seed", System.nanoTime());
    var random = new SplittableRandom(seed);
    byte[] bytes = content(2_500_000, seed);
    ObjectRoot root;
    long loginBytes;
    long allBytes;
    WriteOptions options = WriteOptions.DEFAULT.withBandwidth(bandwidth);
    try (CatalystClient client = overLine()) {
      loginBytes = line.upBytes();
      root =
          client.put("default", "unbroken", new ByteArrayInputStream(bytes), options).item().root();
      allBytes = line.upBytes();
    }
    // From the last bytes of the login to the last of the commit, and more often near the ends.
    var cuts = new ArrayList<Long>();
    for (int i = 0; i < 8; i++) {
      cuts.add(loginBytes + 200 + random.nextLong(allBytes - loginBytes));
      cuts.add(i < 4 ? loginBytes + 200 + 70L * i : allBytes - 70L * (i - 4));
    }
    for (long cut : cuts) {
      byte[] fresh = content(2_500_000, cut);
      String item = "broken/" + cut;
      boolean same = random.nextBoolean();
      line.breakAfterUp(cut);
      try (CatalystClient client = overLine()) {
        ItemInfo made =
            client
                .put("default", item, new ByteArrayInputStream(same ? bytes : fresh), options)
                .item();
        if (same) {
          assertEquals(root, made.root(), () -> "cut " + cut + ", onefold.seed=" + seed);
        }
      }
      assertStored(item, same ? bytes : fresh);
    }
    assertEquals(1 + cuts.size(), appliance.store().statistics(appliance.storeId()).itemCount());
  }

  @ParameterizedTest
  @EnumSource(
      value = Bandwidth.class,
      names = {"LOW", "HIGH"})
  void anUploadSurvivesAnswersThatAreLost(Bandwidth bandwidth) throws IOException {
    long seed = Long.getLong("onefold.seed", System.nanoTime());
    WriteOptions options = WriteOptions.DEFAULT.withBandwidth(bandwidth);
    long loginBytes;
    long allBytes;
    try (CatalystClient client = overLine()) {
      loginBytes = line.downBytes();
      client.put("default", "x", new ByteArrayInputStream(content(600_000, seed)), options);
      allBytes = line.downBytes();
    }
    // The first of them is lost in the middle of the login: a DER signature makes its length vary.
    for (long cut = loginBytes - 150; cut <= allBytes; cut += 1 + (allBytes - loginBytes) / 8) {
      byte[] fresh = content(600_000, seed + cut);
      line.breakAfterDown(cut);
      try (CatalystClient client = overLine()) {
        client.put("default", "down/" + cut, new ByteArrayInputStream(fresh), options);
      }
      assertStored("down/" + cut, fresh);
    }
  }

  @Test
  void aReadSurvivesALineThatBreaksAnywhere() throws IOException {
    byte[] bytes = content(4_000_000, 1);
    try (CatalystClient client = overLine()) {
      client.put("default", "x", new ByteArrayInputStream(bytes), WriteOptions.DEFAULT);
    }
    for (int i = 0; i < 6; i++) {
      line.breakAfterDown(10_000 + i * 300_000L);
      line.breakAfterDown(400_000);
      try (CatalystClient client = overLine()) {
        var out = new ByteArrayOutputStream();
        assertEquals(bytes.length, client.get("default", "x", out));
        assertArrayEquals(bytes, out.toByteArray());
      }
    }
  }

  @Test
  void aReadDoesNotGoOnInAnotherVersion() throws IOException {
    byte[] bytes = content(30_000_000, 1);
    try (CatalystClient client = overLine();
        CatalystClient other = appliance.client()) {
      client.put("default", "x", new ByteArrayInputStream(bytes), WriteOptions.DEFAULT);
      try (ItemReader reader = client.openReader("default", "x")) {
        assertEquals(10, reader.inputStream().read(new byte[10]));
        other.put(
            "default",
            "x",
            new ByteArrayInputStream(content(30_000_000, 2)),
            WriteOptions.DEFAULT.withReplace(true));
        line.breakNow();
        CatalystException conflict =
            assertThrows(
                CatalystException.class, () -> reader.transferTo(new ByteArrayOutputStream()));
        assertEquals(ErrorCode.CONFLICT, conflict.code());
      }
    }
  }

  @Test
  void aBrokenLineInHighBandwidthSendsHardlyAnythingTwice() throws IOException {
    byte[] bytes = content(12_000_000, 5);
    line.breakAfterUp(7_000_000);
    try (CatalystClient client = overLine();
        ItemWriter writer =
            client.openWriter("default", "x", WriteOptions.DEFAULT.withBandwidth(Bandwidth.HIGH))) {
      writer.write(bytes);
      UploadStatistics last = writer.commit().statistics();
      assertEquals(1, last.reconnectCount());
      // What was under way: at most the window, on a line that carries more than that in a second.
      assertTrue(last.sentDataBytes() <= bytes.length + (5 << 20), last::toString);
    }
    assertStored("x", bytes);
  }

  @Test
  void aBrokenLineInLowBandwidthSendsNothingAgainThatArrived() throws IOException {
    byte[] bytes = new byte[12_000_000];
    new SplittableRandom(5).nextBytes(bytes);
    line.breakAfterUp(7_000_000);
    try (CatalystClient client = overLine()) {
      UploadStatistics last =
          client
              .put(
                  "default",
                  "x",
                  new ByteArrayInputStream(bytes),
                  WriteOptions.DEFAULT.withBandwidth(Bandwidth.LOW))
              .statistics();
      assertEquals(1, last.reconnectCount());
      assertTrue(line.upBytes() <= bytes.length + (5 << 20), () -> last + " " + line.upBytes());
    }
    assertStored("x", bytes);
  }

  @ParameterizedTest
  @EnumSource(
      value = Bandwidth.class,
      names = {"LOW", "HIGH"})
  void anUploadSurvivesARestartOfTheServer(Bandwidth bandwidth) throws IOException {
    byte[] bytes = content(10_000_000, 6);
    try (CatalystClient client = appliance.client();
        ItemWriter writer =
            client.openWriter("default", "x", WriteOptions.DEFAULT.withBandwidth(bandwidth))) {
      writer.write(bytes, 0, 5_000_000);
      appliance.restart();
      writer.write(bytes, 5_000_000, 5_000_000);
      appliance.restart();
      writer.commit();
    }
    assertStored("x", bytes);
  }

  @ParameterizedTest
  @EnumSource(
      value = Bandwidth.class,
      names = {"LOW", "HIGH"})
  void aPipeWhoseBytesAreLostFailsAndSaysSo(Bandwidth bandwidth) throws IOException {
    byte[] bytes = content(24_000_000, 7);
    ClientSettings small =
        appliance.clientSettings().withBufferBytes(ClientSettings.LEAST_BUFFER_BYTES);
    try (CatalystClient client = CatalystClient.connect(small);
        ItemWriter writer =
            client.openWriter("default", "x", WriteOptions.DEFAULT.withBandwidth(bandwidth))) {
      writer.write(bytes, 0, 20_000_000);
      loseEverything();
      CatalystException lost =
          assertThrows(
              CatalystException.class,
              () -> {
                writer.write(bytes, 20_000_000, 4_000_000);
                writer.commit();
              });
      assertTrue(
          String.valueOf(lost.getMessage()).contains("cannot be read again"), lost::toString);
    }
  }

  @ParameterizedTest
  @EnumSource(
      value = Bandwidth.class,
      names = {"LOW", "HIGH"})
  void aSourceThatCanBeReadAgainSurvivesTheLossOfEverything(Bandwidth bandwidth)
      throws IOException {
    byte[] bytes = content(24_000_000, 8);
    RereadableSource source =
        (position, target) -> target.put(bytes, (int) position, target.remaining());
    ClientSettings small =
        appliance.clientSettings().withBufferBytes(ClientSettings.LEAST_BUFFER_BYTES);
    try (CatalystClient client = CatalystClient.connect(small);
        ItemWriter writer =
            client.openWriter(
                "default", "x", WriteOptions.DEFAULT.withBandwidth(bandwidth).withSource(source))) {
      writer.write(bytes, 0, 20_000_000);
      loseEverything();
      writer.write(bytes, 20_000_000, 4_000_000);
      writer.commit();
    }
    assertStored("x", bytes);
  }

  @Test
  void aSourceThatHasChangedIsNotStored() throws IOException {
    byte[] bytes = content(24_000_000, 9);
    RereadableSource changed =
        (position, target) -> target.put(ByteBuffer.allocate(target.remaining()));
    ClientSettings small =
        appliance.clientSettings().withBufferBytes(ClientSettings.LEAST_BUFFER_BYTES);
    try (CatalystClient client = CatalystClient.connect(small);
        ItemWriter writer =
            client.openWriter(
                "default",
                "x",
                WriteOptions.DEFAULT.withBandwidth(Bandwidth.LOW).withSource(changed))) {
      writer.write(bytes, 0, 20_000_000);
      loseEverything();
      CatalystException refused =
          assertThrows(
              CatalystException.class,
              () -> {
                writer.write(bytes, 20_000_000, 4_000_000);
                writer.commit();
              });
      assertTrue(String.valueOf(refused.getMessage()).contains("changed"), refused::toString);
    }
  }

  /** The server dies and comes back without anything that was not part of an item. */
  private void loseEverything() throws IOException {
    Id domain = memory.domains().getFirst().id();
    appliance.stop();
    for (ChunkKind kind : ChunkKind.values()) {
      for (Fingerprint fingerprint : memory.fingerprints(domain, kind)) {
        memory.forget(domain, kind, fingerprint);
      }
    }
    appliance.startAgain();
  }

  @Test
  void whatACommitFindsGoneIsSentAgain() throws IOException {
    byte[] bytes = content(6_000_000, 10);
    WriteOptions low = WriteOptions.DEFAULT.withBandwidth(Bandwidth.LOW);
    try (CatalystClient client = appliance.client()) {
      client.put("default", "x", new ByteArrayInputStream(bytes), low);
      Id domain = memory.domains().getFirst().id();
      for (ChunkKind kind : ChunkKind.values()) {
        meddled.before(
            "commit",
            () -> {
              int n = 0;
              for (Fingerprint fingerprint : memory.fingerprints(domain, kind)) {
                if (n++ < 5) {
                  memory.forget(domain, kind, fingerprint);
                }
              }
            });
        client.put("default", "y/" + kind, new ByteArrayInputStream(bytes), low);
        assertStored("y/" + kind, bytes);
      }
    }
  }

  @Test
  void anUnfinishedUploadIsListedResumedAndAborted() throws IOException {
    byte[] bytes = new byte[20_000_000];
    new SplittableRandom(3).nextBytes(bytes);
    UnfinishedInfo left;
    try (CatalystClient client =
        CatalystClient.connect(appliance.clientSettings().withCheckpointBytes(4 << 20))) {
      try (ItemWriter writer =
          client.openWriter("default", "x", WriteOptions.DEFAULT.withBandwidth(Bandwidth.LOW))) {
        writer.write(bytes, 0, 17_000_000);
        left = awaitUnfinished(client);
      }
      UploadStatistics resumed =
          client
              .put(
                  "default",
                  "x",
                  new ByteArrayInputStream(bytes),
                  WriteOptions.DEFAULT
                      .withBandwidth(Bandwidth.LOW)
                      .withResume(left.uploadId())
                      .withTags(Map.of("resumed", "yes")))
              .statistics();
      // Nothing is sent that was durable; how much more had arrived by then is chance.
      assertTrue(left.durableBytes() >= 4 << 20, left::toString);
      assertTrue(
          resumed.sentDataBytes() <= bytes.length - left.durableBytes(),
          () -> left + ", " + resumed);
      assertEquals(List.of(), client.unfinishedUploads("default"));
    }
    assertStored("x", bytes);
  }

  /** Asks again and again: each answer comes over the line, so this is no spinning. */
  private static UnfinishedInfo awaitUnfinished(CatalystClient client) throws IOException {
    long end = System.nanoTime() + Duration.ofSeconds(30).toNanos();
    while (System.nanoTime() < end) {
      List<UnfinishedInfo> found = client.unfinishedUploads("default");
      if (!found.isEmpty()) {
        return found.getFirst();
      }
    }
    throw new AssertionError("no checkpoint became durable");
  }
}
