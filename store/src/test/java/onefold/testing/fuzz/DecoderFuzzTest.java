package onefold.testing.fuzz;

import java.io.IOException;
import java.util.List;
import onefold.store.catalog.CommandFuzz;
import onefold.store.catalog.PageFuzz;
import onefold.store.container.ContainerFuzz;
import onefold.store.container.DirectoryFuzz;
import onefold.store.container.ParityFuzz;
import onefold.store.engine.CommitRecordFuzz;
import onefold.store.engine.SuperblockFuzz;
import onefold.store.index.ManifestFuzz;
import onefold.store.index.RunFuzz;
import onefold.store.journal.SegmentFuzz;
import onefold.store.writeback.RecordFuzz;
import onefold.testing.RealClients;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Every decoder of stored bytes under its kept corpus and some seconds of mutations. */
class DecoderFuzzTest {
  static List<FuzzTarget> targets() {
    return List.of(
        new BlockFuzz(),
        new NodeFuzz(),
        new ContainerFuzz(),
        new DirectoryFuzz(),
        new ParityFuzz(),
        new RunFuzz(),
        new ManifestFuzz(),
        new SegmentFuzz(),
        new CommitRecordFuzz(),
        new SuperblockFuzz(),
        new CommandFuzz(),
        new PageFuzz(),
        new RecordFuzz());
  }

  @ParameterizedTest
  @MethodSource("targets")
  void whatIsMalformedIsRefusedAndCostsNoMoreThanItsLength(FuzzTarget target) throws IOException {
    long seed = Long.getLong("onefold.seed", System.nanoTime());
    Fuzzing.run(target, seed, RealClients.gateIsFull() ? 20_000 : 1_000);
  }
}
