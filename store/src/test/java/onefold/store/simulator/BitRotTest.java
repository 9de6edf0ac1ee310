package onefold.store.simulator;

import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.util.Arrays;
import java.util.EnumSet;
import onefold.store.ChunkStore;
import onefold.store.CorruptDataException;
import onefold.store.ObjectReader;
import onefold.store.device.Device;
import onefold.store.device.DeviceFile;
import onefold.store.engine.EngineSettings;
import onefold.store.scheduler.Scheduler;
import onefold.store.simulation.PassingDevice;
import onefold.store.simulation.Simulation;
import org.junit.jupiter.api.Test;

/**
 * One damage at a time to a directory at rest, {@code -Donefold.damages=N} of them; {@code
 * perf/campaign rot} makes thousands.
 */
class BitRotTest {
  private static final int DAMAGES = Integer.getInteger("onefold.damages", 150);
  private static final int JOURNAL_CUT_BYTES = 480;
  private static final int JOURNAL_STEP_BYTES = 24;

  /** Even seeds end their process as it should, odd ones are killed. */
  private static long cleanSeed() {
    return Simulation.seed() & ~1L;
  }

  private static long killedSeed() {
    return Simulation.seed() | 1;
  }

  @Test
  void aDamageIsToldOrDoesNoHarmAndWhatIsBesideItIsReadWhole() throws Exception {
    for (long seed : new long[] {cleanSeed(), killedSeed()}) {
      var rot = new BitRot(seed, SimulatedProgram.ENGINE);
      // After a kill all data may stand in the journal once more, which makes it good. After an
      // orderly end it does not, but with few items most damages meet what nobody needs.
      boolean mustTell = seed == cleanSeed();
      for (int number = 0;
          number < DAMAGES || (mustTell && !tells(rot) && number < 10 * DAMAGES);
          number++) {
        rot.damage(number, EnumSet.allOf(BitRot.Place.class));
      }
      assertTrue(rot.outcomes().containsKey(BitRot.Outcome.HARMLESS), rot.details()::toString);
      assertTrue(!mustTell || tells(rot), rot.details()::toString);
    }
  }

  private static boolean tells(BitRot rot) {
    return rot.outcomes().containsKey(BitRot.Outcome.TOLD_AT_READ)
        || rot.outcomes().containsKey(BitRot.Outcome.HEALED);
  }

  @Test
  void aStoreThatPutsZerosWhereItCannotReadIsFound() throws Exception {
    var rot = new BitRot(cleanSeed(), BitRotTest::withZeros);
    assertThrows(
        AssertionError.class,
        () -> {
          for (int number = 0; number < DAMAGES; number++) {
            rot.damage(number, EnumSet.of(BitRot.Place.DATA));
          }
        });
  }

  @Test
  void aJournalThatIsCutWhereItsLastRecordsStandIsTold() throws Exception {
    var rot = new BitRot(killedSeed(), SimulatedProgram.ENGINE);
    cutJournal(rot);
    assertTrue(rot.outcomes().containsKey(BitRot.Outcome.TOLD_AT_OPEN), rot.details()::toString);
  }

  @Test
  void aStoreThatDoesNotAskHowFarItsJournalWentIsFound() throws Exception {
    var rot = new BitRot(killedSeed(), BitRotTest::withoutWitness);
    assertThrows(AssertionError.class, () -> cutJournal(rot));
  }

  /** Cuts off nothing that counts, then the last record, then some more. */
  private static void cutJournal(BitRot rot) {
    for (int bytes = 0; bytes < JOURNAL_CUT_BYTES; bytes += JOURNAL_STEP_BYTES) {
      rot.cutJournal(bytes);
    }
  }

  private static ChunkStore withoutWitness(
      Device device, Scheduler scheduler, EngineSettings settings) throws IOException {
    String witness = "journal/witness";
    return SimulatedProgram.ENGINE.open(
        new PassingDevice(device) {
          @Override
          public boolean exists(String path) throws IOException {
            return !path.equals(witness) && super.exists(path);
          }

          @Override
          public DeviceFile create(String path) throws IOException {
            return path.equals(witness) && super.exists(path)
                ? super.open(path, true)
                : super.create(path);
          }
        },
        scheduler,
        settings);
  }

  private static ChunkStore withZeros(Device device, Scheduler scheduler, EngineSettings settings)
      throws IOException {
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
