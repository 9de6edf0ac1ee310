package onefold.store.container;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import onefold.block.BlockBuilder;
import onefold.block.BlockCodec;
import onefold.chunker.ChunkKind;
import onefold.chunker.Fingerprint;
import onefold.chunker.FingerprintBatch;
import onefold.chunker.Fingerprinter;
import onefold.chunker.ParameterSet;
import onefold.store.CorruptDataException;
import onefold.store.Id;
import onefold.store.container.ContainerFormat.Identity;
import onefold.store.container.ContainerStore.StoredContainer;
import onefold.store.device.DeviceFile;
import onefold.store.scheduler.ThreadScheduler;
import onefold.store.simulation.SimulatedDevice;
import org.junit.jupiter.api.Test;

/** The bytes of docs/formats/container.md, and the sample that every later release must read. */
final class ContainerFormatTest {
  private static final Id DOMAIN = Id.ofHex("00112233445566778899aabbccddeeff");
  private static final Id FILE = Id.ofHex("0f0e0d0c0b0a09080706050403020100");
  private static final Identity IDENTITY = new Identity(DOMAIN, ChunkKind.DATA, 1, 7, 1, 1);
  private static final String PATH = "d/data/0000000000000007-1.container";
  private static final String[] CHUNKS = {"one", "two and", "three"};

  /** The container of the worked example: two blocks, stored raw. */
  private static byte[] write() throws IOException {
    SimulatedDevice device = new SimulatedDevice();
    DeviceContainerStore store = DeviceContainerStore.open(device, "d");
    try (var scheduler = new ThreadScheduler(1, (name, failure) -> failure.printStackTrace());
        StoredContainer file = store.create(ChunkKind.DATA, 7, 1)) {
      ContainerFile.writeHeader(file, IDENTITY, FILE);
      OpenContainer container =
          new OpenContainer(store, file, IDENTITY, scheduler.lock("container"));
      append(container, CHUNKS[0], CHUNKS[1]);
      append(container, CHUNKS[2]);
      container.full();
      container.seal();
    }
    return device.peek(PATH);
  }

  private static void append(OpenContainer container, String... chunks) throws IOException {
    Fingerprinter fingerprinter = new Fingerprinter(ParameterSet.SET_1);
    FingerprintBatch batch = new FingerprintBatch(ChunkKind.DATA, chunks.length);
    try (BlockBuilder builder = new BlockBuilder(ChunkKind.DATA, BlockCodec.NONE, 1)) {
      for (String chunk : chunks) {
        byte[] bytes = chunk.getBytes(StandardCharsets.US_ASCII);
        builder.add(bytes, 0, bytes.length);
        batch.add(fingerprinter.fingerprint(bytes, 0, bytes.length), bytes.length);
      }
      int length = builder.encode();
      container.append(builder.bytes(), 0, length, batch);
    }
  }

  private static byte[] sample() throws IOException {
    Map<String, byte[]> parts = new TreeMap<>();
    try (InputStream in =
        ContainerFormatTest.class.getResourceAsStream("/samples/container-1.txt")) {
      if (in == null) {
        throw new IOException("samples/container-1.txt is not there");
      }
      for (String line : new String(in.readAllBytes(), StandardCharsets.UTF_8).lines().toList()) {
        if (!line.startsWith("#")) {
          String[] words = line.split(" ", 2);
          parts.put(words[0], HexFormat.of().parseHex(words[1]));
        }
      }
    }
    byte[] bytes = parts.get("container");
    if (bytes == null) {
      throw new IOException("the sample has no container");
    }
    return bytes;
  }

  private static Containers open(SimulatedDevice device, ThreadScheduler scheduler)
      throws IOException {
    return Containers.open(
        device,
        scheduler,
        "d",
        DOMAIN,
        ParameterSet.SET_1,
        1,
        ContainerSettings.ofSize(1 << 20),
        DurableEnds.NONE,
        SealListener.NONE);
  }

  private static SimulatedDevice with(byte[] bytes) throws IOException {
    SimulatedDevice device = new SimulatedDevice();
    device.createDirectories("d/data");
    try (DeviceFile file = device.create(PATH)) {
      file.write(0, ByteBuffer.wrap(bytes));
    }
    return device;
  }

  @Test
  void aContainerIsWrittenAsTheSampleHasIt() throws IOException {
    assertEquals(HexFormat.of().formatHex(sample()), HexFormat.of().formatHex(write()));
  }

  @Test
  void theSampleIsReadAsItWasWritten() throws IOException {
    try (var scheduler = new ThreadScheduler(1, (name, failure) -> failure.printStackTrace());
        Containers containers = open(with(sample()), scheduler)) {
      List<CorruptDataException> damages = new ArrayList<>();
      assertEquals(15, containers.verify(7, true, damages::add));
      assertEquals(List.of(), damages);
      FingerprintBatch chunks = containers.directory(7).chunks();
      assertEquals(3, chunks.count());
      for (int slot = 0; slot < 3; slot++) {
        assertArrayEquals(
            CHUNKS[slot].getBytes(StandardCharsets.US_ASCII),
            containers.readChunk(
                new ChunkPlace(7, slot), chunks.fingerprints(), slot * Fingerprint.BYTES));
      }
      assertEquals(8, containers.nextContainerNumber());
    }
  }

  @Test
  void aNewerVersionAndAnotherDomainsContainerAreToldApartFromDamage() throws IOException {
    byte[] newer = sample();
    int footer = newer.length - ContainerFormat.FOOTER_BYTES;
    newer[footer + 8] = 2;
    byte[] end = Arrays.copyOfRange(newer, footer, newer.length);
    ContainerFormat.setInt(newer, newer.length - 4, ContainerFormat.crc(end, 0, end.length - 4));
    try (var scheduler = new ThreadScheduler(1, (name, failure) -> failure.printStackTrace());
        Containers containers = open(with(newer), scheduler)) {
      IOException refused = assertThrows(IOException.class, () -> containers.directory(7));
      assertTrue(
          String.valueOf(refused.getMessage()).contains("container footer version 2"),
          refused::getMessage);
    }
    SimulatedDevice moved = with(sample());
    moved.rename(PATH, "d/data/0000000000000008-1.container");
    try (var scheduler = new ThreadScheduler(1, (name, failure) -> failure.printStackTrace());
        Containers containers = open(moved, scheduler)) {
      List<CorruptDataException> damages = new ArrayList<>();
      containers.verify(8, true, damages::add);
      assertTrue(damages.size() >= 2, damages::toString);
      assertThrows(
          CorruptDataException.class,
          () -> containers.readChunk(new ChunkPlace(8, 0), new byte[32], 0));
    }
  }

  @Test
  void rootsAreThoseOfThePage() {
    FingerprintBatch chunks = new FingerprintBatch(ChunkKind.DATA, 200);
    assertEquals(32, SealRoots.content(chunks).length);
    byte[] fingerprint = new byte[Fingerprint.BYTES];
    List<String> roots = new ArrayList<>();
    for (int i = 0; i < 200; i++) {
      fingerprint[0] = (byte) i;
      chunks.add(fingerprint, 0, i + 1);
      roots.add(HexFormat.of().formatHex(SealRoots.content(chunks)));
    }
    assertEquals(200, roots.stream().distinct().count());
    // A change of one length changes the root: it is not over the fingerprints alone.
    String before = roots.getLast();
    chunks.lengths()[77]++;
    assertTrue(!before.equals(HexFormat.of().formatHex(SealRoots.content(chunks))));
  }
}
