package onefold.store.simulator;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.util.Collections;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.Predicate;
import onefold.store.ChunkStore;
import onefold.store.ItemPage;
import onefold.store.ItemRecord;
import onefold.store.ObjectReader;
import onefold.store.device.Device;
import onefold.store.device.DeviceFile;
import onefold.store.simulation.PassingDevice;
import onefold.store.simulation.Simulation;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** The judge is judged: each fault planted below or above the engine must be found. */
class JudgeTest {
  /** Programs within which a planted fault must be found. */
  private static final int PROGRAMS = 60;

  /** A change of what a method of the store answers. */
  @FunctionalInterface
  private interface Lie {
    @Nullable Object answer(String method, Object[] arguments, @Nullable Object truth);
  }

  @Test
  void containersThatAreNotForcedAreFound() {
    mustBeFound(forgetting(path -> path.contains("/data/"), path -> false));
  }

  @Test
  void nodeContainersThatAreNotForcedAreFound() {
    mustBeFound(forgetting(path -> path.contains("/node/"), path -> false));
  }

  @Test
  void aJournalThatIsNotForcedIsFound() {
    mustBeFound(forgetting(path -> path.startsWith("journal/"), path -> false));
  }

  @Test
  void directoriesThatAreNotForcedAreFound() {
    mustBeFound(forgetting(path -> false, path -> true));
  }

  @Test
  void aDeleteThatDoesNothingIsFound() {
    mustBeFound((device, scheduler, settings) -> {
      ChunkStore store = SimulatedProgram.ENGINE.open(device, scheduler, settings);
      return (ChunkStore)
          Proxy.newProxyInstance(
              ChunkStore.class.getClassLoader(),
              new Class<?>[] {ChunkStore.class},
              (proxy, method, arguments) ->
                  method.getName().equals("deleteItem")
                      ? null
                      : call(() -> method.invoke(store, arguments)));
    });
  }

  @Test
  void anItemThatIsNotListedIsFound() {
    mustBeFound(
        lying((method, arguments, truth) ->
            truth instanceof ItemPage page && page.items().size() > 4
                ? new ItemPage(page.items().subList(0, page.items().size() - 1), page.more())
                : truth));
  }

  @Test
  void anItemWithAnotherTagIsFound() {
    mustBeFound(
        lying((method, arguments, truth) -> {
          if (method.equals("findItem") || !(truth instanceof ItemPage page)) {
            return truth;
          }
          List<ItemRecord> changed =
              page.items().stream()
                  .map(item ->
                      item.tags().size() < 3
                          ? item
                          : new ItemRecord(
                              item.storeId(),
                              item.name(),
                              item.id(),
                              item.version(),
                              item.root(),
                              item.createdAtMillis(),
                              Collections.emptySortedMap(),
                              item.lockedUntilMillis(),
                              item.lockKind(),
                              item.held(),
                              item.newBytes()))
                  .toList();
          return new ItemPage(changed, page.more());
        }));
  }

  @Test
  void aByteThatIsReadWronglyIsFound() {
    mustBeFound(
        lying((method, arguments, truth) ->
            truth instanceof ObjectReader reader
                ? lying(
                    ObjectReader.class,
                    reader,
                    (read, given, answer) -> {
                      if (read.equals("read")
                          && (long) given[0] > 7_000
                          && answer instanceof Integer count
                          && count > 0) {
                        ((byte[]) given[1])[(int) given[2]] ^= 1;
                      }
                      return answer;
                    })
                : truth));
  }

  @Test
  void aRecordThatIsForgottenIsFound() {
    mustBeFound(
        lying((method, arguments, truth) -> {
          if (!method.equals("records") || !(truth instanceof SortedMap<?, ?> all)) {
            return truth;
          }
          var fewer = new TreeMap<Object, @Nullable Object>(all);
          if (!fewer.isEmpty()) {
            fewer.remove(fewer.lastKey());
          }
          return fewer;
        }));
  }

  @Test
  void aFailingProgramIsShrunkToAFewSteps() {
    SimulatedProgram.Opener forgetful =
        lying((method, arguments, truth) ->
            truth instanceof ItemPage page && page.items().size() > 1
                ? new ItemPage(page.items().subList(1, page.items().size()), page.more())
                : truth);
    long seed = Simulation.seed();
    while (true) {
      Program program = ProgramMaker.make(seed++);
      Throwable failure = failureOf(program, forgetful);
      if (failure != null) {
        Program shrunk = Shrinking.shrunk(program, forgetful, failure);
        assertTrue(shrunk.steps().size() <= 4, shrunk::toString);
        return;
      }
    }
  }

  // ---- planting

  private static void mustBeFound(SimulatedProgram.Opener planted) {
    long first = Simulation.seed();
    for (long seed = first; seed < first + PROGRAMS; seed++) {

      if (failureOf(ProgramMaker.make(seed), planted) != null) {
        return;
      }
    }
    throw new AssertionError(
        "not found in " + PROGRAMS + " programs from onefold.seed=" + first + " on");
  }

  private static @Nullable Throwable failureOf(Program program, SimulatedProgram.Opener opener) {
    try {
      var _ = new SimulatedProgram(program, opener).runOnce();
      return null;
    } catch (Exception | AssertionError failure) {
      return failure;
    }
  }

  private static SimulatedProgram.Opener forgetting(
      Predicate<String> files, Predicate<String> directories) {
    return (device, scheduler, settings) ->
        SimulatedProgram.ENGINE.open(
            new Forgetful(device, files, directories), scheduler, settings);
  }

  private static SimulatedProgram.Opener lying(Lie lie) {
    return (device, scheduler, settings) ->
        lying(ChunkStore.class, SimulatedProgram.ENGINE.open(device, scheduler, settings), lie);
  }

  private static <T> T lying(Class<T> face, T truthful, Lie lie) {
    return face.cast(
        Proxy.newProxyInstance(
            face.getClassLoader(),
            new Class<?>[] {face},
            (proxy, method, arguments) ->
                lie.answer(
                    method.getName(),
                    arguments == null ? new Object[0] : arguments,
                    call(() -> method.invoke(truthful, arguments)))));
  }

  /** A reflective call. */
  @FunctionalInterface
  private interface Reflective {
    @Nullable Object call() throws InvocationTargetException, IllegalAccessException;
  }

  private static @Nullable Object call(Reflective call) throws Throwable {
    try {
      return call.call();
    } catch (InvocationTargetException e) {
      throw e.getCause() == null ? e : e.getCause();
    }
  }

  /** A device that says it has forced what it has not. */
  private static final class Forgetful extends PassingDevice {
    private final Predicate<String> files;
    private final Predicate<String> directories;

    Forgetful(Device device, Predicate<String> files, Predicate<String> directories) {
      super(device);
      this.files = files;
      this.directories = directories;
    }

    @Override
    protected void force(DeviceFile file) throws IOException {
      if (!files.test(file.path())) {
        super.force(file);
      }
    }

    @Override
    public void forceDirectory(String directory) throws IOException {
      if (!directories.test(directory)) {
        super.forceDirectory(directory);
      }
    }
  }
}
