package onefold.replication;

import java.time.Duration;

/** When a mapping syncs by itself; it always does when asked to. */
public sealed interface Trigger {
  /** As soon as something has changed here. */
  record OnCommit() implements Trigger {}

  /** Again and again, so long after the end of the pass before. */
  record Every(Duration pause) implements Trigger {
    public Every {
      if (pause.compareTo(Duration.ofSeconds(1)) < 0) {
        throw new IllegalArgumentException("a pass every " + pause + ", at least every second");
      }
    }
  }

  /** Never. */
  record OnDemand() implements Trigger {}
}
