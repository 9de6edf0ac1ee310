package onefold.store.simulator;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.function.LongFunction;
import onefold.store.simulation.Simulation;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/**
 * The judge is judged by engines that are broken on purpose: {@link JudgeCampaign} tries them all,
 * this some, which follow from the seed, {@code -Donefold.variants=N} of them.
 */
class BrokenEngineTest {
  private static final int VARIANTS = Integer.getInteger("onefold.variants", 3);

  /** Programs of the sound engine that must pass where those of a broken one fail. */
  private static final int SOUND_PROGRAMS = 10;

  @Test
  void everyBrokenEngineIsThisOneButForWhatIsBroken() throws Exception {
    List<Variant> all = Variant.all();
    assertTrue(all.size() >= 30, all.size() + " variants");
    for (Variant variant : all) {
      for (String path : variant.hunks().keySet()) {
        String source = BrokenEngine.source(path);
        assertTrue(!variant.patched(path, source).equals(source), variant.name());
      }
    }
  }

  @Test
  void brokenEnginesAreFound() throws Exception {
    long seed = Simulation.seed();
    var some = new ArrayList<>(Variant.all());
    Collections.shuffle(some, new Random(seed));
    for (Variant variant : some.subList(0, Math.min(VARIANTS, some.size()))) {
      JudgeCampaign.Verdict verdict =
          JudgeCampaign.judge(
              variant, seed, Runtime.getRuntime().availableProcessors(), JudgeCampaign.PROGRAMS);
      assertTrue(verdict.found(), () -> "onefold.seed=" + seed + ": " + verdict);
      System.out.println(verdict);
    }
  }

  @Test
  void theSameProgramsPassOnTheSoundEngineWhenItIsLoadedAnew() {
    long seed = Simulation.seed();
    LongFunction<@Nullable String> sound = BrokenEngine.sound();
    for (int i = 0; i < SOUND_PROGRAMS; i++) {
      assertNull(sound.apply(seed + i), "onefold.seed=" + (seed + i));
    }
  }

  @Test
  void theTestsThatFindSomePassOnTheSoundEngine() throws Exception {
    for (Variant variant : Variant.all()) {
      if (!variant.test().isEmpty()) {
        assertNull(BrokenEngine.soundTest(variant), variant.name());
      }
    }
  }

  @Test
  void aPatchThatDoesNotFitIsRefused() {
    Variant variant =
        Variant.parse(
            "v", List.of("Something is broken.", "--- a/B.java", "@@", " one", "-two", "+three"));
    assertEquals("one\nthree\n", variant.patched("a/B.java", "one\ntwo\n"));
    for (String other : List.of("one\nthree\n", "one\ntwo\none\ntwo\n")) {
      org.junit.jupiter.api.Assertions.assertThrows(
          IllegalArgumentException.class, () -> variant.patched("a/B.java", other));
    }
  }
}
