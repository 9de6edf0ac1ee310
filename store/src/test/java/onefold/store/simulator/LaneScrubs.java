package onefold.store.simulator;

import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import onefold.store.ChunkStore;
import onefold.store.Id;
import onefold.store.ScrubStatus;
import onefold.store.StoreRecord;
import onefold.store.simulation.SimulatedDevice;
import org.jspecify.annotations.Nullable;

/** Reading everything back, and what a parity makes good. */
final class LaneScrubs {
  private static final String CONTAINER = ".container";
  private static final String PARITY = ".parity";

  /** What a parity makes good is one run of bytes of this length at most. */
  private static final int LARGEST_RUN_BYTES = 1 << 20;

  /** {@code -Donefold.lost-runs=true}: docs/roadmap.md names what is met with it. */
  private static final boolean LOSES_RUNS = Boolean.getBoolean("onefold.lost-runs");

  private final Lane lane;
  private final World world;

  LaneScrubs(Lane lane) {
    this.lane = lane;
    this.world = lane.world;
  }

  /** The id of one of the two domains, or of the catalog; null if there is none yet. */
  private @Nullable Id idOf(int domain) {
    if (domain == Step.CATALOG) {
      return ChunkStore.CATALOG;
    }
    StoreRecord record = world.model.store(domain == 0 ? 0 : 2).record;
    return record == null ? null : record.domainId();
  }

  /** Runs a pass. Where nothing was damaged nothing may be left that is said to be. */
  void scrub(int domain) throws IOException {
    Id id = idOf(domain);
    if (id != null) {
      var _ = scrub(domain, id);
    }
  }

  private @Nullable ScrubStatus scrub(int domain, Id id) throws IOException {
    Boolean parity = domain == Step.CATALOG ? Boolean.FALSE : world.parity[domain];
    long passes = world.store().scrubbing(id).status().passes();
    ScrubStatus status =
        lane.attempt(Lane.Expected.SUCCESS, () -> world.store().scrubbing(id).run());
    if (status != null) {
      Wrong.unless(status.passes() > passes, () -> "no pass has ended: " + status);
      Wrong.unless(
          world.rotten || world.failing || status.damageCount() + status.quarantinedCount() == 0,
          () -> "nothing was damaged, and a whole pass leaves " + status);
      Wrong.unless(
          parity == null || parity == status.parity(),
          () -> "the domain was told to keep a parity: " + parity + ", and does: " + status);
    }
    return status;
  }

  /** Says whether a domain keeps a parity for each container. */
  void keepParity(Step.KeepParity step) throws IOException {
    Id id = idOf(step.domain());
    if (id == null) {
      return;
    }
    world.parity[step.domain()] = null; // Until it is answered, either may be.
    Boolean done =
        lane.attempt(
            Lane.Expected.SUCCESS,
            () -> {
              world.store().scrubbing(id).keepParity(step.parity());
              return true;
            });
    if (done != null) {
      world.parity[step.domain()] = step.parity();
    }
  }

  /** Damages one run of bytes of a container that has a parity; one pass makes it whole. */
  void loseRun(Step.LoseRun step) throws IOException {
    Id id = idOf(step.domain());
    if (id == null || world.rotten || world.mayBeFull()) {
      return; // What was damaged before, nobody can tell apart.
    }
    if (!LOSES_RUNS) {
      return;
    }
    ScrubStatus before = scrub(step.domain(), id);
    if (before == null
        || !before.parity()
        || before.withoutParityCount() > 0
        || world.failing) { // A call that fails looks as if more were lost.
      return;
    }
    SimulatedDevice device = world.simulation().device();
    String folder = "domains/" + id + "/";
    List<String> files = device.files();
    List<String> covered =
        files.stream()
            .filter(path ->
                path.startsWith(folder)
                    && path.endsWith(CONTAINER)
                    && files.contains(path.replace(CONTAINER, PARITY)))
            .sorted()
            .toList();
    if (covered.isEmpty()) {
      return;
    }
    var random = new SplittableRandom(step.seed());
    String path = covered.get(step.number() % covered.size());
    byte[] whole = device.peek(path);
    byte[] lost = new byte[1 + random.nextInt(Math.min(LARGEST_RUN_BYTES, whole.length))];
    if (random.nextBoolean()) {
      random.nextBytes(lost);
    }
    world.rotten = true; // If the power goes before it is made good.
    world.damageCount++;
    device.overwriteAtRest(path, random.nextInt(whole.length - lost.length + 1), lost);
    ScrubStatus after = scrub(step.domain(), id);
    if (after == null) {
      return;
    }
    Wrong.unless(
        after.damageCount() + after.quarantinedCount() == 0,
        () -> "one run of " + path + " was lost, and a pass with a parity leaves " + after);
    if (device.files().contains(path)) { // Else housekeeping has dropped it, or written it anew.
      Wrong.unless(
          Arrays.equals(whole, device.peek(path)), () -> path + " was made good and is another");
    }
    world.rotten = false;
  }
}
