package onefold.store.container;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import onefold.store.CorruptDataException;
import onefold.store.container.ContainerStore.StoredContainer;
import onefold.store.container.ParityFormat.Shape;
import org.junit.jupiter.api.Test;

/** docs/formats/parity.md. */
class ParityFormatTest {
  private static byte[] sample(String file, String name) throws IOException {
    try (InputStream in = ParityFormatTest.class.getResourceAsStream("/samples/" + file)) {
      if (in == null) {
        throw new IOException("no sample " + file);
      }
      for (String line : new String(in.readAllBytes(), StandardCharsets.UTF_8).lines().toList()) {
        if (line.startsWith(name + " ")) {
          return HexFormat.of().parseHex(line.substring(name.length() + 1));
        }
      }
    }
    throw new IOException("no " + name + " in " + file);
  }

  static byte[] container() throws IOException {
    return sample("container-1.txt", "container");
  }

  static byte[] made() throws IOException {
    return ParityFuzz.parityOf(container());
  }

  @Test
  void theSampleOfTheFirstReleaseIsWrittenAsItIsAndRead() throws IOException {
    byte[] sample = sample("parity-1.txt", "parity");
    assertArrayEquals(sample, made());
    try (StoredContainer parity = new ContainerBytes(sample);
        StoredContainer container = new ContainerBytes(container())) {
      Parity.check(parity, ContainerBytes.IDENTITY, container.sizeBytes(), ReadPace.NONE);
      assertTrue(Parity.plan(container, parity, ContainerBytes.IDENTITY, ReadPace.NONE).isWhole());
    }
  }

  @Test
  void shapesAreThoseOfTheDocument() {
    assertEquals(1, new Shape(593).sectors());
    assertEquals(1, new Shape(593).columns());
    assertEquals(593, new Shape(593).sectorBytes(0));
    assertEquals(4_368, new Shape(593).fileBytes());
    Shape full = new Shape(64 << 20);
    assertEquals(16_384, full.sectors());
    assertEquals(257, full.columns());
    assertEquals(257 * 4_096 + 2 * 4 * (16_384 + 257) + 256, full.fileBytes());
    assertTrue(full.fileBytes() < full.containerBytes() * 0.0182);
    // The two copies of the checksums are further apart than what may be lost.
    assertTrue(full.secondTableOffset() - full.parityOffset() > ParityFormat.SURVIVED_BYTES);
  }

  @Test
  void newerAndForeignFilesAreToldFromDamage() throws IOException {
    byte[] newer = made();
    for (int at : new int[] {0, newer.length - ParityFormat.HEADER_BYTES}) {
      newer[at + 8] = 2;
      int end = at + ParityFormat.HEADER_BYTES - 4;
      ContainerFormat.setInt(newer, end, ContainerFormat.crc(newer, at, end - at));
    }
    try (StoredContainer parity = new ContainerBytes(newer);
        StoredContainer container = new ContainerBytes(container())) {
      IOException refused =
          assertThrows(
              IOException.class,
              () -> Parity.plan(container, parity, ContainerBytes.IDENTITY, ReadPace.NONE));
      assertTrue(ContainerBytes.isNewer(refused), refused::toString);
    }
    var other =
        new ContainerFormat.Identity(
            ContainerBytes.IDENTITY.domain(), ContainerBytes.IDENTITY.kind(), 1, 8, 1, 1);
    try (StoredContainer parity = new ContainerBytes(made());
        StoredContainer container = new ContainerBytes(container())) {
      assertThrows(
          CorruptDataException.class, () -> Parity.plan(container, parity, other, ReadPace.NONE));
    }
  }
}
