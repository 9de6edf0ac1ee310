package onefold.store.simulator;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import onefold.store.ShareChange;
import onefold.store.ShareEntry;
import onefold.store.ShareObject;
import onefold.store.ShareRecord;
import org.jspecify.annotations.Nullable;

/**
 * What one share must hold. Every lane has keys of its own, so that it knows the order of its
 * changes.
 */
final class ShareState {
  /** A call that was made. */
  static final class Asked {
    final List<ShareChange> changes;

    /** Whether its stage is done. */
    boolean durable;

    Asked(List<ShareChange> changes) {
      this.changes = changes;
    }
  }

  /** The entries of one lane: a state that is durable, and what was asked for after it. */
  static final class LaneEntries {
    private SortedMap<byte[], ShareEntry> base = empty();
    private List<Asked> asked = new ArrayList<>();

    /** Notes a call; its changes are seen once it has returned. */
    Asked ask(List<ShareChange> changes) {
      var call = new Asked(changes);
      asked.add(call);
      return call;
    }

    /** Says that a call was refused and has done nothing. */
    void takeBack(Asked call) {
      asked.remove(call);
    }

    /** What is to be seen. */
    SortedMap<byte[], ShareEntry> now() {
      return after(asked.size());
    }

    private SortedMap<byte[], ShareEntry> after(int calls) {
      SortedMap<byte[], ShareEntry> entries = empty();
      entries.putAll(base);
      for (Asked call : asked.subList(0, calls)) {
        for (ShareChange change : call.changes) {
          Optional<ShareEntry> before = Optional.ofNullable(entries.get(change.key()));
          Optional<ShareEntry> after = change.applied(before);
          if (after.isPresent()) {
            entries.put(change.key(), after.get());
          } else {
            entries.remove(change.key());
          }
        }
      }
      return entries;
    }

    boolean isDurable() {
      return asked.stream().allMatch(call -> call.durable);
    }

    /** Finds out how far the calls have come; there is no gap, and none that was told is lost. */
    boolean settle(List<ShareEntry> found) {
      int least = 0;
      for (int i = 0; i < asked.size(); i++) {
        least = asked.get(i).durable ? i + 1 : least;
      }
      for (int calls = asked.size(); calls >= least; calls--) {
        SortedMap<byte[], ShareEntry> state = after(calls);
        if (isSame(state, found)) {
          set(state);
          return true;
        }
      }
      return false;
    }

    void set(SortedMap<byte[], ShareEntry> state) {
      base = state;
      asked = new ArrayList<>(); // Late answers about the old ones must not count.
    }
  }

  @Nullable ShareRecord record;
  final List<LaneEntries> lanes = new ArrayList<>();
  final TreeMap<String, SortedMap<byte[], ShareEntry>> snapshots = new TreeMap<>();

  /** Whether a change could not be made durable since the store was opened. */
  boolean stopped;

  ShareState() {
    for (int i = 0; i < Address.LANES; i++) {
      lanes.add(new LaneEntries());
    }
  }

  static SortedMap<byte[], ShareEntry> empty() {
    return new TreeMap<>(Arrays::compareUnsigned);
  }

  /** What is to be seen of all lanes. */
  SortedMap<byte[], ShareEntry> all() {
    SortedMap<byte[], ShareEntry> all = empty();
    lanes.forEach(lane -> all.putAll(lane.now()));
    return all;
  }

  boolean isDurable() {
    return !stopped && lanes.stream().allMatch(LaneEntries::isDurable);
  }

  void gone() {
    record = null;
    lanes.forEach(lane -> lane.set(empty()));
  }

  /** Takes over what a copy holds. */
  void copied(ShareRecord made, SortedMap<byte[], ShareEntry> entries) {
    record = made;
    for (int lane = 0; lane < lanes.size(); lane++) {
      SortedMap<byte[], ShareEntry> own = empty();
      own.putAll(entries.subMap(prefix(lane), prefix(lane + 1)));
      lanes.get(lane).set(own);
    }
  }

  /** All keys of a lane begin so. */
  static byte[] prefix(int lane) {
    return new byte[] {(byte) (1 + lane)};
  }

  ShareState copy() {
    var copy = new ShareState();
    copy.record = record;
    copy.stopped = stopped;
    snapshots.forEach((name, entries) -> copy.snapshots.put(name, entries));
    for (int i = 0; i < lanes.size(); i++) {
      LaneEntries to = copy.lanes.get(i);
      to.base = lanes.get(i).base;
      for (Asked call : lanes.get(i).asked) {
        to.ask(call.changes).durable = call.durable;
      }
    }
    return copy;
  }

  static boolean isSame(SortedMap<byte[], ShareEntry> expected, List<ShareEntry> found) {
    if (expected.size() != found.size()) {
      return false;
    }
    int at = 0;
    for (ShareEntry entry : expected.values()) {
      if (!isSame(entry, found.get(at++))) {
        return false;
      }
    }
    return true;
  }

  static boolean isSame(ShareEntry a, ShareEntry b) {
    return Arrays.equals(a.key(), b.key())
        && Arrays.equals(a.value(), b.value())
        && a.object().isPresent() == b.object().isPresent()
        && (a.object().isEmpty() || isSame(a.object().get(), b.object().orElseThrow()));
  }

  private static boolean isSame(ShareObject a, ShareObject b) {
    return a.id().equals(b.id())
        && a.root().equals(b.root())
        && a.folded() == b.folded()
        && a.dataBytes() == b.dataBytes()
        && Arrays.equals(a.note(), b.note());
  }
}
