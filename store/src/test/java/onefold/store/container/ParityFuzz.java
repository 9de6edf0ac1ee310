package onefold.store.container;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.util.List;
import onefold.store.CorruptDataException;
import onefold.store.container.ContainerStore.StoredContainer;
import onefold.store.device.DeviceFile;
import onefold.store.simulation.SimulatedDevice;
import onefold.testing.fuzz.FuzzTarget;

/** Parity files, docs/formats/parity.md: their check, and the plan of a repair by one. */
public final class ParityFuzz implements FuzzTarget {
  private static final byte[] CONTAINER = container();

  private static byte[] container() {
    try {
      return ContainerBytes.samples().getFirst();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Override
  public String name() {
    return "parity";
  }

  @Override
  public List<byte[]> samples() throws IOException {
    return List.of(parityOf(CONTAINER));
  }

  /** The parity of a container. */
  static byte[] parityOf(byte[] container) throws IOException {
    SimulatedDevice device = new SimulatedDevice();
    DeviceContainerStore store = DeviceContainerStore.open(device, "d");
    var name = new ContainerStore.Name(ContainerBytes.IDENTITY.kind(), 7, 1, true);
    try (DeviceFile file = device.create(store.path(name))) {
      file.write(0, ByteBuffer.wrap(container));
    }
    try (StoredContainer file = store.open(name);
        StoredContainer draft = store.createDraft(name, ContainerStore.Draft.PARITY)) {
      Parity.write(file, draft, ContainerBytes.IDENTITY, ReadPace.NONE);
    }
    store.keep(name, ContainerStore.Draft.PARITY);
    return device.peek("d/data/0000000000000007-1.parity");
  }

  /** Makes the checksums of headers and tables right. */
  @Override
  public byte[] repaired(byte[] input) {
    ParityFormat.Shape shape = new ParityFormat.Shape(CONTAINER.length);
    if (input.length < shape.fileBytes()) {
      return input;
    }
    int table = ContainerFormat.crc(input, ParityFormat.HEADER_BYTES, shape.tableBytes());
    System.arraycopy(
        input,
        ParityFormat.HEADER_BYTES,
        input,
        (int) shape.secondTableOffset(),
        shape.tableBytes());
    for (int at : new int[] {0, (int) shape.secondHeaderOffset()}) {
      ContainerFormat.setInt(input, at + 96, table);
      int end = at + ParityFormat.HEADER_BYTES - Integer.BYTES;
      ContainerFormat.setInt(input, end, ContainerFormat.crc(input, at, end - at));
    }
    return input;
  }

  @Override
  public void decode(byte[] input) throws IOException {
    try (StoredContainer parity = new ContainerBytes(input);
        StoredContainer container = new ContainerBytes(CONTAINER)) {
      Parity.Plan plan = Parity.plan(container, parity, ContainerBytes.IDENTITY, ReadPace.NONE);
      if (plan.badSectors() > new ParityFormat.Shape(Integer.MAX_VALUE).sectors()) {
        throw new AssertionError(plan.badSectors() + " sectors");
      }
      Parity.check(parity, ContainerBytes.IDENTITY, CONTAINER.length, ReadPace.NONE);
    }
  }

  @Override
  public boolean isRefusal(Throwable thrown) {
    return thrown instanceof CorruptDataException || ContainerBytes.isNewer(thrown);
  }

  /** Three segments, and per claimed sector a checksum that must be in the file, and a bit. */
  @Override
  public long allocationBound(int inputBytes) {
    return 4L * ParityFormat.SEGMENT_SECTORS * ParityFormat.SECTOR_BYTES
        + (1 << 20)
        + 64L * inputBytes;
  }
}
