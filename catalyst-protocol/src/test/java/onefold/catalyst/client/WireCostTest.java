package onefold.catalyst.client;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.util.SplittableRandom;
import onefold.catalyst.server.TestAppliance;
import onefold.store.DomainStatistics;
import onefold.store.Id;
import onefold.testing.FlakyLine;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What a low-bandwidth upload may cost on the line, counted in frames and on the socket. */
class WireCostTest {
  private static final int LENGTH = 48 << 20;

  private TestAppliance appliance;
  private FlakyLine line;
  private CatalystClient client;
  private byte[] bytes = new byte[0];

  @BeforeEach
  void start() throws IOException {
    appliance = TestAppliance.start();
    line = new FlakyLine(appliance.port());
    client = CatalystClient.connect(TestAppliance.clientSettings(line.port()));
    bytes = new byte[LENGTH];
    new SplittableRandom(42).nextBytes(bytes);
  }

  @AfterEach
  void stop() throws IOException {
    client.close();
    line.close();
    appliance.close();
  }

  private UploadStatistics put(String item, byte[] content) throws IOException {
    return client
        .put(
            "default",
            item,
            new ByteArrayInputStream(content),
            WriteOptions.DEFAULT.withBandwidth(Bandwidth.LOW))
        .statistics();
  }

  private long lineBytes() {
    return line.upBytes() + line.downBytes();
  }

  private DomainStatistics stored() throws IOException {
    Id domain = appliance.store().domains().getFirst().id();
    return appliance.store().domainStatistics(domain);
  }

  @Test
  void theSameAgainCostsAFiveHundredthOfAPercentAndAChangeLittleMoreThanItself()
      throws IOException {
    UploadStatistics first = put("first", bytes);
    assertEquals(LENGTH, first.sentDataBytes());

    long before = lineBytes();
    UploadStatistics same = put("same", bytes);
    long sameBytes = lineBytes() - before;
    assertEquals(0, same.sentDataBytes());
    assertTrue(same.wireBytes() <= LENGTH * 0.0005, same::toString);
    assertTrue(sameBytes <= LENGTH * 0.0005, () -> sameBytes + " on the socket");

    // One percent of the bytes, in runs of 64 KiB.
    var random = new SplittableRandom(7);
    byte[] changed = bytes.clone();
    for (int i = 0; i < LENGTH / 100 / (64 << 10); i++) {
      byte[] run = new byte[64 << 10];
      random.nextBytes(run);
      System.arraycopy(run, 0, changed, random.nextInt(LENGTH - run.length), run.length);
    }
    DomainStatistics old = stored();
    long beforeChange = lineBytes();
    UploadStatistics change = put("changed", changed);
    long changeBytes = lineBytes() - beforeChange;
    DomainStatistics now = stored();
    long newBytes = now.uniqueBytes() - old.uniqueBytes() + now.nodeBytes() - old.nodeBytes();
    double allowed = newBytes * 1.05 + LENGTH * 0.001;
    assertTrue(change.wireBytes() <= allowed, () -> change + ", allowed " + allowed);
    assertTrue(changeBytes <= allowed, () -> changeBytes + " on the socket, allowed " + allowed);
  }

  @Test
  void repetitionsInsideOneUploadAreSentOnce() throws IOException {
    byte[] repeated = new byte[40 << 20];
    for (int at = 0; at < repeated.length; at += 4 << 20) {
      System.arraycopy(bytes, 0, repeated, at, 4 << 20);
    }
    UploadStatistics statistics = put("repeated", repeated);
    assertTrue(statistics.sentDataBytes() < 5 << 20, statistics::toString);
    UploadStatistics zeros = put("zeros", new byte[40 << 20]);
    assertTrue(zeros.sentBytes() < 100_000, zeros::toString);
  }

  @Test
  void zerosBeyondTheBufferGoOn() throws IOException {
    // A leaf of the longest chunks covers more than the smallest buffer holds.
    ClientSettings small =
        appliance.clientSettings().withBufferBytes(ClientSettings.LEAST_BUFFER_BYTES);
    try (CatalystClient narrow = CatalystClient.connect(small);
        ItemWriter writer =
            narrow.openWriter("default", "x", WriteOptions.DEFAULT.withBandwidth(Bandwidth.LOW))) {
      for (int i = 0; i < 100; i++) {
        writer.write(new byte[1 << 20]);
      }
      assertEquals(100 << 20, writer.commit().item().lengthBytes());
    }
  }
}
