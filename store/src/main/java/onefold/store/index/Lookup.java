package onefold.store.index;

import java.util.ArrayList;
import java.util.List;

/**
 * One look-up while it runs: takes every entry of each key from wherever entries are and keeps, for
 * each row, the one in the highest container, in that the highest slot. That rule makes the answer
 * a function of the set of entries, not of the order in which they came or lie.
 */
final class Lookup implements EntrySink {
  private final ContainerSet known;
  private final Places places;
  private boolean[] retractedRows = {};
  private boolean anyRetraction;

  Lookup(ContainerSet known, Places places) {
    this.known = known;
    this.places = places;
  }

  @Override
  public void found(int row, long container, long location) {
    if (!known.contains(container)) {
      return;
    }
    if (Locations.isRetraction(location)) {
      if (!anyRetraction) {
        anyRetraction = true;
        retractedRows = new boolean[places.count()];
      }
      retractedRows[row] = true;
      return;
    }
    long best = places.containerNumbers()[row];
    if (best == Places.ABSENT
        || Long.compareUnsigned(container, best) > 0
        || (container == best && Locations.slot(location) > places.slots()[row])) {
      places.set(row, container, location);
    }
  }

  /** Whether there are rows of which some place is retracted: each must be looked for again. */
  boolean anyRetraction() {
    return anyRetraction;
  }

  boolean isRetracted(int row) {
    return anyRetraction && retractedRows[row];
  }

  /** The look-up of one key of which some place is retracted: keeps all entries until the end. */
  static final class Single implements EntrySink {
    /** A place named by an entry. */
    private record Found(long container, long location) {}

    private final List<Found> entries = new ArrayList<>();

    @Override
    public void found(int row, long container, long location) {
      entries.add(new Found(container, location));
    }

    /** Answers the row with the best entry that is not retracted. */
    void resolve(ContainerSet known, Places places, int row) {
      places.containerNumbers()[row] = Places.ABSENT;
      var lookup = new Lookup(known, places);
      for (Found entry : entries) {
        if (!Locations.isRetraction(entry.location) && !isRetracted(entry)) {
          lookup.found(row, entry.container, entry.location);
        }
      }
    }

    /** The highest container among the entries that is not known. */
    long highestUnknown(ContainerSet known) {
      long highest = Places.ABSENT;
      for (Found entry : entries) {
        if (!known.contains(entry.container)
            && Long.compareUnsigned(entry.container, highest) > 0) {
          highest = entry.container;
        }
      }
      return highest;
    }

    private boolean isRetracted(Found entry) {
      for (Found other : entries) {
        if (Locations.isRetraction(other.location)
            && other.container == entry.container
            && Locations.sameSlot(other.location, entry.location)) {
          return true;
        }
      }
      return false;
    }
  }
}
