package onefold.catalyst.client;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.SeekableByteChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import onefold.catalyst.server.TestAppliance;
import onefold.catalyst.wire.ItemInfo;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The examples of docs/sdk.md, as they stand there. */
class SdkExamplesTest {
  @TempDir private Path directory = Path.of("");

  @Test
  void theExamplesRun() throws IOException {
    byte[] content = CatalystClientTest.content(300_000, 1);
    Path file = Files.write(directory.resolve("file"), content);
    Path restored = directory.resolve("restored");
    byte[] header = new byte[512];
    byte[] body = content;
    byte[] change = new byte[1000];
    List<Long> shown = new CopyOnWriteArrayList<>();
    InputStream first = new ByteArrayInputStream(content);
    InputStream second = new ByteArrayInputStream(content);
    try (TestAppliance appliance = TestAppliance.start()) {
      String host = "127.0.0.1";
      int port = appliance.port();
      char[] password = TestAppliance.PASSWORD.toCharArray();
      String pin = TestAppliance.IDENTITY.pin();

      ClientSettings settings =
          ClientSettings.of(host, port, "admin", password, new ServerTrust.Pinned(pin));
      CatalystClient client = CatalystClient.connect(settings);

      try (InputStream source = Files.newInputStream(file)) {
        CommittedItem done = client.put("default", "srv/monday", source, WriteOptions.DEFAULT);
        System.out.println(
            done.item().lengthBytes()
                + " bytes, "
                + done.statistics().wireBytes()
                + " on the wire");
      }
      try (OutputStream target = Files.newOutputStream(restored)) {
        client.get("default", "srv/monday", target);
      }
      assertArrayEquals(content, Files.readAllBytes(restored));

      WriteOptions options =
          WriteOptions.DEFAULT
              .withReplace(true)
              .withTags(Map.of("host", "srv"))
              .withProgress(p -> shown.add(p.settledBytes()));
      try (ItemWriter writer = client.openWriter("default", "srv/pieces", options)) {
        writer.write(header);
        writer.cut(); // The next byte begins a chunk, wherever it stands.
        writer.write(body);
        writer.hole(1L << 30); // A gibibyte of zeros that costs nothing.
        writer.commit();
      }
      assertFalse(shown.isEmpty());

      try (FileChannel again = FileChannel.open(file, StandardOpenOption.READ);
          InputStream source = Files.newInputStream(file)) {
        client.put(
            "default",
            "srv/long",
            source,
            WriteOptions.DEFAULT.withSource(RereadableSource.of(again)));
      }

      try (SeekableByteChannel channel = client.openReader("default", "srv/pieces").channel()) {
        channel.position(channel.size() - 16);
        channel.read(ByteBuffer.allocate(16));
      }

      ItemInfo full = client.findItem("default", "srv/monday").orElseThrow();
      try (ItemWriter writer =
          client.openWriter(
              "default", "srv/synthetic", WriteOptions.DEFAULT.withBandwidth(Bandwidth.HIGH))) {
        writer.splice("default", full, 0, 1000);
        writer.write(change);
        writer.splice("default", full, 2000, full.lengthBytes() - 2000);
        writer.commit();
      }
      assertEquals(
          300_000, client.findItem("default", "srv/synthetic").orElseThrow().lengthBytes());

      CompletableFuture<CommittedItem> one =
          client.putAsync("default", "srv/a", first, WriteOptions.DEFAULT);
      CompletableFuture<CommittedItem> two =
          client.putAsync("default", "srv/b", second, WriteOptions.DEFAULT);
      CompletableFuture.allOf(one, two).join();

      for (ItemInfo item : client.items("default", "srv/")) {
        System.out.println(item.name() + " " + item.lengthBytes());
      }
      client.cloneItem("default", "srv/monday", "default", "srv/kept", false);
      client.lock("default", "srv/kept", 30);
      client.deleteItem("default", "srv/monday");
      client.close();
    }
  }

  /** Code of the page must stand in this file, white space aside. */
  @Test
  void thePageShowsWhatIsTested() throws IOException {
    Path root = Path.of("").toAbsolutePath();
    while (root.getParent() != null && !Files.exists(root.resolve("docs/sdk.md"))) {
      root = root.getParent();
    }
    String page = Files.readString(root.resolve("docs/sdk.md"));
    String tested =
        squeezed(
            Files.readString(
                root.resolve(
                    "catalyst-protocol/src/test/java/onefold/catalyst/client/SdkExamplesTest.java")));
    Matcher blocks = Pattern.compile("(?s)```java\n(.*?)```").matcher(page);
    int count = 0;
    while (blocks.find()) {
      count++;
      String block = blocks.group(1);
      assertTrue(tested.contains(squeezed(block)), () -> "not tested:\n" + block);
    }
    assertEquals(8, count);
  }

  private static String squeezed(String code) {
    return code.replaceAll("\\s+", "");
  }
}
