package onefold.store.simulator;

import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.util.Arrays;
import java.util.EnumSet;
import onefold.store.ChunkStore;
import onefold.store.CorruptDataException;
import onefold.store.ObjectReader;
import onefold.store.simulation.Simulation;
import org.junit.jupiter.api.Test;

/**
 * One damage at a time to a directory at rest, {@code -Donefold.damages=N} of them; {@code
 * perf/campaign rot} makes thousands.
 */
class BitRotTest {
  private static final int DAMAGES = Integer.getInteger("onefold.damages", 60);

  /** Where every damage is told, or does no harm, after a clean end. */
  private static final EnumSet<BitRot.Place> PLACES =
      EnumSet.of(BitRot.Place.SUPERBLOCK, BitRot.Place.DATA, BitRot.Place.INDEX);

  /** Even seeds end their process as it should. */
  private static long seed() {
    return Simulation.seed() & ~1L;
  }

  @Test
  void aDamageIsToldOrDoesNoHarmAndWhatIsBesideItIsReadWhole() throws Exception {
    var rot = new BitRot(seed(), SimulatedProgram.ENGINE);
    for (int number = 0; number < DAMAGES; number++) {
      rot.damage(number, PLACES);
    }
    assertTrue(rot.outcomes().containsKey(BitRot.Outcome.HARMLESS), rot.details()::toString);
    assertTrue(
        rot.outcomes().containsKey(BitRot.Outcome.TOLD_AT_READ)
            || rot.outcomes().containsKey(BitRot.Outcome.HEALED),
        rot.details()::toString);
  }

  @Test
  void aStoreThatPutsZerosWhereItCannotReadIsFound() throws Exception {
    var rot = new BitRot(seed(), BitRotTest::withZeros);
    assertThrows(
        AssertionError.class,
        () -> {
          for (int number = 0; number < DAMAGES; number++) {
            rot.damage(number, EnumSet.of(BitRot.Place.DATA));
          }
        });
  }

  private static ChunkStore withZeros(
      onefold.store.device.Device device,
      onefold.store.scheduler.Scheduler scheduler,
      onefold.store.engine.EngineSettings settings)
      throws java.io.IOException {
    ChunkStore store = SimulatedProgram.ENGINE.open(device, scheduler, settings);
    return (ChunkStore)
        Proxy.newProxyInstance(
            ChunkStore.class.getClassLoader(),
            new Class<?>[] {ChunkStore.class},
            (proxy, method, arguments) -> {
              try {
                Object answer = method.invoke(store, arguments);
                return answer instanceof ObjectReader reader ? withZeros(reader) : answer;
              } catch (InvocationTargetException e) {
                throw e.getCause() == null ? e : e.getCause();
              }
            });
  }

  private static ObjectReader withZeros(ObjectReader reader) {
    return (ObjectReader)
        Proxy.newProxyInstance(
            ObjectReader.class.getClassLoader(),
            new Class<?>[] {ObjectReader.class},
            (proxy, method, arguments) -> {
              try {
                return method.invoke(reader, arguments);
              } catch (InvocationTargetException e) {
                if (e.getCause() instanceof CorruptDataException
                    && method.getName().equals("read")) {
                  int from = (int) arguments[2];
                  Arrays.fill((byte[]) arguments[1], from, from + (int) arguments[3], (byte) 0);
                  return arguments[3];
                }
                throw e.getCause() == null ? e : e.getCause();
              }
            });
  }
}
