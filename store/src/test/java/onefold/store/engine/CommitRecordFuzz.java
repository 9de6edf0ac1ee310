package onefold.store.engine;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;

import java.io.IOException;
import java.util.List;
import onefold.chunker.ChunkKind;
import onefold.store.CorruptDataException;
import onefold.store.Id;
import onefold.store.engine.CommitRecord.ContainerEnd;
import onefold.store.engine.CommitRecord.DomainPart;
import onefold.testing.fuzz.FuzzTarget;

/** Commit records, docs/formats/commit-record.md: one encoding each. */
public final class CommitRecordFuzz implements FuzzTarget {
  @Override
  public String name() {
    return "commit-record";
  }

  @Override
  public List<byte[]> samples() {
    var ends =
        List.of(
            new ContainerEnd(5, ChunkKind.DATA, 132, new byte[] {1, 2, 3, 4}),
            new ContainerEnd(6, ChunkKind.NODE, 1 << 20, new byte[0]));
    var parts = List.of(new DomainPart(new Id(2, 3), 7, ends));
    return List.of(
        CommitRecordFormat.encode(
            new CommitRecord(false, 1000, parts, List.of(new byte[] {9}, new byte[0]))),
        CommitRecordFormat.encode(new CommitRecord(true, 0, List.of(), List.of())));
  }

  @Override
  public void decode(byte[] input) throws IOException {
    assertArrayEquals(input, CommitRecordFormat.encode(CommitRecordFormat.decode("record", input)));
  }

  @Override
  public boolean isRefusal(Throwable thrown) {
    return thrown instanceof CorruptDataException;
  }
}
