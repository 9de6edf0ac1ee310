package onefold.catalyst.client;

import static onefold.catalyst.client.CatalystClientTest.content;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import onefold.catalyst.server.TestAppliance;
import onefold.catalyst.wire.ItemInfo;
import onefold.catalyst.wire.TlsProvider;
import onefold.store.ChunkStore;
import onefold.store.device.FileDevice;
import onefold.store.engine.Engine;
import onefold.store.engine.EngineSettings;
import onefold.store.scheduler.ThreadScheduler;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The whole way of a byte: client, line, server, engine, files, and back. */
class EngineOverTheWireTest {
  @TempDir private Path directory = Path.of("");

  private ChunkStore open() throws IOException {
    return Engine.open(new FileDevice(directory), new ThreadScheduler(), EngineSettings.DEFAULT);
  }

  private static TestAppliance serve(ChunkStore store) throws IOException {
    return TestAppliance.start(store, TestAppliance.quickLimits(), TlsProvider.JDK);
  }

  private static byte[] get(CatalystClient client, String item) throws IOException {
    var out = new ByteArrayOutputStream();
    client.get("default", item, out);
    return out.toByteArray();
  }

  @Test
  void whatEitherBandwidthWroteIsReadAfterARestart() throws IOException {
    byte[] bytes = content(12_000_000, 1);
    ItemInfo low;
    try (TestAppliance appliance = serve(open());
        CatalystClient client = appliance.client()) {
      for (Bandwidth bandwidth : Bandwidth.values()) {
        WriteOptions options = WriteOptions.DEFAULT.withBandwidth(bandwidth);
        client.put("default", "x/" + bandwidth, new ByteArrayInputStream(bytes), options);
        client.put("default", "empty/" + bandwidth, new ByteArrayInputStream(new byte[0]), options);
      }
      low = client.findItem("default", "x/LOW").orElseThrow();
      assertEquals(low.root(), client.findItem("default", "x/HIGH").orElseThrow().root());
      try (ItemWriter writer =
          client.openWriter(
              "default", "synthetic", WriteOptions.DEFAULT.withBandwidth(Bandwidth.HIGH))) {
        writer.splice("default", low, 1_000_000, 3_000_000);
        writer.hole(1L << 32);
        writer.write(bytes, 0, 1000);
        writer.commit();
      }
    }
    try (TestAppliance appliance = serve(open());
        CatalystClient client = appliance.client()) {
      for (Bandwidth bandwidth : Bandwidth.values()) {
        assertArrayEquals(bytes, get(client, "x/" + bandwidth));
        assertEquals(0, get(client, "empty/" + bandwidth).length);
      }
      try (ItemReader reader = client.openReader("default", "synthetic")) {
        byte[] found = new byte[3_000_000];
        assertEquals(found.length, reader.read(found, 0, found.length));
        assertArrayEquals(Arrays.copyOfRange(bytes, 1_000_000, 4_000_000), found);
        reader.position(reader.lengthBytes() - 1000);
        byte[] tail = new byte[1000];
        assertEquals(1000, reader.read(tail, 0, 1000));
        assertArrayEquals(Arrays.copyOf(bytes, 1000), tail);
      }
      UploadStatistics again =
          client
              .put(
                  "default",
                  "again",
                  new ByteArrayInputStream(bytes),
                  WriteOptions.DEFAULT.withBandwidth(Bandwidth.LOW))
              .statistics();
      assertEquals(0, again.sentDataBytes());
    }
  }

  @ParameterizedTest
  @EnumSource(
      value = Bandwidth.class,
      names = {"LOW", "HIGH"})
  void anUploadGoesOnAfterTheWholeApplianceWasRestarted(Bandwidth bandwidth) throws IOException {
    byte[] bytes = content(30_000_000, 2);
    RereadableSource source =
        (position, target) -> target.put(bytes, (int) position, target.remaining());
    TestAppliance first = serve(open());
    ClientSettings settings = first.clientSettings().withCheckpointBytes(4 << 20);
    try (CatalystClient client = CatalystClient.connect(settings);
        ItemWriter writer =
            client.openWriter(
                "default", "x", WriteOptions.DEFAULT.withBandwidth(bandwidth).withSource(source))) {
      writer.write(bytes, 0, 20_000_000);
      int port = first.port();
      first.close();
      try (TestAppliance second = TestAppliance.startOn(port, open())) {
        writer.write(bytes, 20_000_000, 10_000_000);
        UploadStatistics last = writer.commit().statistics();
        assertTrue(last.reconnectCount() >= 1, last::toString);
        try (CatalystClient other = second.client()) {
          assertArrayEquals(bytes, get(other, "x"));
        }
      }
    }
  }
}
