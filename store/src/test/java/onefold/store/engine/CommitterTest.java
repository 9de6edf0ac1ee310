package onefold.store.engine;

import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotNull;

import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import onefold.store.catalog.CatalogCommand;
import onefold.store.catalog.CatalogReply;
import onefold.store.device.DeviceForceException;
import onefold.store.scheduler.Scheduler;
import onefold.store.simulation.Simulation;
import org.junit.jupiter.api.Test;

/** What those hear who have handed in a command when nothing can be committed any more. */
class CommitterTest {
  private static final Committer.Listener UNHEARD =
      new Committer.Listener() {
        @Override
        public void replied(CatalogReply reply) {}

        @Override
        public void failed(Throwable failure) {}
      };

  private static CatalogCommand command(int number) {
    return new CatalogCommand.AdvanceStoreTime(
        new CatalogCommand.Stamp(Walk.commandId("c" + number), number, 1));
  }

  /** A disk that fails its first force, after a while in which the queue fills. */
  private record FailingGround(Scheduler scheduler) implements Committer.Ground {
    @Override
    public List<Committer.Outcome> commit(Set<Domain> touched, List<CatalogCommand> commands) {
      scheduler.park(Duration.ofSeconds(1));
      throw new DeviceForceException("journal", new IOException("input/output error"));
    }

    @Override
    public void checkpoint() {}

    @Override
    public boolean checkpointDue() {
      return false;
    }

    @Override
    public void broken(Throwable failure) {}
  }

  @Test
  void whoWaitsForRoomWhenTheStoreStopsHearsWhyItHasStopped() throws Exception {
    var simulation = new Simulation(7);
    Throwable heard =
        simulation.run(() -> {
          Scheduler scheduler = simulation.scheduler();
          var committer = new Committer(scheduler, new FailingGround(scheduler));
          try {
            // More than are taken at once and may wait.
            for (int i = 0; i <= Committer.GROUP + Committer.QUEUE; i++) {
              committer.submit(null, command(i), UNHEARD);
            }
            return null;
          } catch (IOException e) {
            return e;
          } finally {
            committer.close();
          }
        });
    assertNotNull(heard, "nobody had to wait");
    assertInstanceOf(DeviceForceException.class, heard.getCause(), heard::toString);
  }
}
