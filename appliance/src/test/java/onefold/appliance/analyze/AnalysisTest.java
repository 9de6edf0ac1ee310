package onefold.appliance.analyze;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Path;
import java.util.SplittableRandom;
import onefold.appliance.sample.SampleKind;
import onefold.appliance.sample.SampleMaker;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class AnalysisTest {
  @TempDir Path folder;

  @Test
  void theSameGenerationTwiceHalvesWhatIsStored() throws IOException {
    Path made = new SampleMaker(SampleKind.FILES, 8 << 20, 3).make(folder, 1, bytes -> {});
    try (Analysis analysis = new Analysis(2)) {
      Analysis.Generation first = analysis.add(made, (files, bytes) -> {});
      Analysis.Generation second = analysis.add(made, (files, bytes) -> {});
      for (int i = 0; i < first.alone().size(); i++) {
        SizeFigures size = first.alone().get(i);
        SizeFigures again = second.alone().get(i);
        assertTrue(size.uniqueBytes() <= size.logicalBytes(), size::toString);
        assertEquals(size.logicalBytes(), again.logicalBytes());
        assertTrue(again.uniqueBytes() <= size.logicalBytes() / 1000, again::toString);
        assertTrue(again.recipeBytes() <= size.recipeBytes() / 10 + 512, again::toString);
        assertTrue(size.lz4Ratio() > 1.3 && size.lz4Ratio() < 4, size::toString);
        assertTrue(size.zstdRatio() > size.lz4Ratio(), size::toString);
      }
    }
  }

  @Test
  void randomDataGiveARatioJustBelowOne() throws IOException {
    Path made = new SampleMaker(SampleKind.RANDOM, 8 << 20, 3).make(folder, 1, bytes -> {});
    try (Analysis analysis = new Analysis(1)) {
      for (SizeFigures size : analysis.add(made, (files, bytes) -> {}).alone()) {
        assertTrue(size.lz4Ratio() < 1 && size.lz4Ratio() > 0.95, size::toString);
      }
    }
  }

  @Test
  void aFullSetEstimatesWithinAFewPercent() {
    long seed = Long.getLong("onefold.seed", 5L);
    SplittableRandom random = new SplittableRandom(seed);
    SeenChunks seen = new SeenChunks(10_000);
    long counted = 0;
    int different = 500_000;
    for (int i = 0; i < different; i++) {
      long hash = random.nextLong();
      counted += seen.weightIfNew(hash);
      counted += seen.weightIfNew(hash);
    }
    double error = Math.abs(counted - different) / (double) different;
    assertTrue(error < 0.08, "error " + error + ", onefold.seed=" + seed);
  }
}
