package onefold.store.simulation;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;

/**
 * A running hash over all calls through the seams: their names, arguments and results, in order.
 * Two runs of one seed must give the same. Not for several threads at once.
 */
public final class SeamTrace {
  private final int keptCount;
  private final Deque<String> kept = new ArrayDeque<>();
  private long hash = 0x6f6e65666f6c64L;
  private long callCount;

  /** A trace that keeps the hash only. */
  public SeamTrace() {
    this(0);
  }

  /** A trace that also keeps the text of the last calls, for reading after a failure. */
  public SeamTrace(int keptCount) {
    this.keptCount = keptCount;
  }

  void add(String call, String name, long first, long second) {
    callCount++;
    mix(call.hashCode());
    mix(name.hashCode());
    mix(first);
    mix(second);
    if (keptCount > 0) {
      if (kept.size() == keptCount) {
        kept.removeFirst();
      }
      kept.addLast(callCount + " " + call + " " + name + " " + first + " " + second);
    }
  }

  private void mix(long value) {
    long mixed = (hash ^ value) * 0x9e3779b97f4a7c15L;
    hash = mixed ^ (mixed >>> 29);
  }

  /** The hash of all calls so far. */
  public long hash() {
    return hash;
  }

  /** How many calls there were. */
  public long callCount() {
    return callCount;
  }

  /** The last calls, oldest first, as far as they are kept. */
  public List<String> lastCalls() {
    return List.copyOf(kept);
  }
}
