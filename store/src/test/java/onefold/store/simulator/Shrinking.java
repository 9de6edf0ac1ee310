package onefold.store.simulator;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Makes a failing program small: leaves out steps as long as it still fails. */
final class Shrinking {
  /** Programs tried at most. */
  private static final int MAX_TRIES = Integer.getInteger("onefold.shrink", 400);

  private static final int KIND_CHARS = 60;

  private final SimulatedProgram.Opener opener;
  private final String kind;
  private Program smallest;
  private Throwable failure;
  private int tries;

  private Shrinking(Program program, SimulatedProgram.Opener opener, Throwable failure) {
    this.smallest = program;
    this.opener = opener;
    this.failure = failure;
    this.kind = kind(failure);
  }

  /** What kind of failure it is: its message up to where the values begin. */
  private static String kind(Throwable thrown) {
    String text = thrown.toString().replaceAll("[0-9]+", "");
    return text.substring(0, Math.min(text.length(), KIND_CHARS));
  }

  /** A failure that says how to see it again, and a smaller program that fails. */
  static AssertionError explained(
      Program program, SimulatedProgram.Opener opener, Throwable failure) {
    var shrinking = new Shrinking(program, opener, failure);
    shrinking.shrink();
    return new AssertionError(
        "program %d fails: %s\nagain: -Donefold.programs=1 -Donefold.seed=%d\nshrunk, in %d tries: %s\n%s"
            .formatted(
                program.seed(),
                failure,
                program.seed(),
                shrinking.tries,
                shrinking.failure,
                shrinking.smallest),
        shrinking.failure);
  }

  /** The smallest program found that fails; for tests of the simulator. */
  static Program shrunk(Program program, SimulatedProgram.Opener opener, Throwable failure) {
    var shrinking = new Shrinking(program, opener, failure);
    shrinking.shrink();
    return shrinking.smallest;
  }

  private void shrink() {
    boolean smaller = true;
    while (smaller && tries < MAX_TRIES) {
      smaller = dropRuns();
      smaller |= simplifyEach();
    }
  }

  /** Leaves out runs of steps, long ones first. */
  private boolean dropRuns() {
    boolean any = false;
    for (int length = Math.max(1, smallest.steps().size() / 2); length >= 1; length /= 2) {
      int at = 0;
      while (at < smallest.steps().size() && tries < MAX_TRIES) {
        var fewer = new ArrayList<>(smallest.steps());
        fewer.subList(at, Math.min(fewer.size(), at + length)).clear();
        if (stillFails(fewer)) {
          any = true;
        } else {
          at += length;
        }
      }
    }
    return any;
  }

  /** Puts simpler steps in the place of those that hold others. */
  private boolean simplifyEach() {
    boolean any = false;
    for (int at = 0; at < smallest.steps().size() && tries < MAX_TRIES; at++) {
      for (List<Step> simpler : simpler(smallest.steps().get(at))) {
        var changed = new ArrayList<>(smallest.steps());
        changed.remove(at);
        changed.addAll(at, simpler);
        if (stillFails(changed)) {
          any = true;
          break;
        }
      }
    }
    return any;
  }

  private static List<List<Step>> simpler(Step step) {
    var ways = new ArrayList<List<Step>>();
    switch (step) {
      case Step.Cut cut -> {
        ways.add(List.of(cut.during()));
        if (cut.recoveryCalls() > 0) {
          ways.add(List.of(new Step.Cut(cut.during(), cut.end(), cut.calls(), 0, cut.seed())));
        }
        for (List<Step> during : simpler(cut.during())) {
          if (during.size() == 1) {
            ways.add(
                List.of(
                    new Step.Cut(
                        during.getFirst(),
                        cut.end(),
                        cut.calls(),
                        cut.recoveryCalls(),
                        cut.seed())));
          }
        }
      }
      case Step.FailedCall failed -> {
        ways.add(List.of(failed.during()));
        for (List<Step> during : simpler(failed.during())) {
          if (during.size() == 1) {
            ways.add(
                List.of(
                    new Step.FailedCall(
                        during.getFirst(),
                        failed.forces(),
                        failed.end(),
                        failed.calls(),
                        false,
                        failed.seed())));
          }
        }
      }
      case Step.NoSpace full -> {
        ways.add(List.of(full.during()));
        for (List<Step> during : simpler(full.during())) {
          if (during.size() == 1) {
            ways.add(List.of(new Step.NoSpace(during.getFirst(), full.calls(), full.journal())));
          }
        }
      }
      case Step.Damage damage -> {
        for (List<Step> during : simpler(damage.during())) {
          if (during.size() == 1) {
            ways.add(
                List.of(
                    new Step.Damage(
                        during.getFirst(), damage.how(), damage.number(), damage.seed())));
          }
        }
      }
      case Step.Together together -> {
        var all = new ArrayList<Step>();
        together.lanes().forEach(all::addAll);
        ways.add(all);
        if (together.housekeepingRuns() > 0) {
          ways.add(List.of(new Step.Together(together.lanes(), 0)));
        }
        for (int lane = 0; lane < together.lanes().size(); lane++) {
          for (int i = 0; i < together.lanes().get(lane).size(); i++) {
            var lanes = new ArrayList<>(together.lanes());
            var fewer = new ArrayList<>(lanes.get(lane));
            fewer.remove(i);
            lanes.set(lane, List.copyOf(fewer));
            ways.add(List.of(new Step.Together(List.copyOf(lanes), together.housekeepingRuns())));
          }
        }
      }
      case Step.Put put -> {
        Plan plan = put.plan();
        if (plan.marks() > 0 || plan.edits() > 0) {
          ways.add(
              List.of(with(put, new Plan(plan.base(), plan.kind(), plan.lengthBytes(), 0, 0, 0))));
        }
        if (plan.lengthBytes() > 10) {
          ways.add(
              List.of(
                  with(
                      put,
                      new Plan(
                          plan.base(),
                          plan.kind(),
                          plan.lengthBytes() / 4,
                          plan.edits(),
                          plan.editSeed(),
                          plan.marks()))));
        }
      }
      default -> {}
    }
    return ways;
  }

  private static Step.Put with(Step.Put put, Plan plan) {
    return new Step.Put(
        put.to(),
        plan,
        put.road(),
        put.compression(),
        put.mode(),
        put.tags(),
        put.splitSeed(),
        put.again());
  }

  private boolean stillFails(List<Step> steps) {
    tries++;
    Program candidate = smallest.with(List.copyOf(steps));
    Throwable thrown = failureOf(candidate);
    if (thrown == null || !kind(thrown).equals(kind)) {
      return false;
    }
    smallest = candidate;
    failure = thrown;
    return true;
  }

  private @Nullable Throwable failureOf(Program candidate) {
    try {
      var _ = new SimulatedProgram(candidate, opener).runOnce();
      return null;
    } catch (Exception | AssertionError thrown) {
      return thrown;
    }
  }
}
