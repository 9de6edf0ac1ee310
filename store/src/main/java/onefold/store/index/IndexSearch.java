package onefold.store.index;

import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.LongAdder;
import onefold.chunker.Fingerprint;
import onefold.chunker.FingerprintBatch;

/**
 * Looks chunks up in the version that counts when a search begins. Waits for nobody; any number of
 * threads.
 */
final class IndexSearch {
  private final Versions versions;
  private final ContainerSet known;
  private final PageCache.Space cache;
  private final PageReader.Owner runOwner;

  /** Counts retracted containers, so that a search sees that one went while it ran. */
  private final AtomicLong containerRetractions = new AtomicLong();

  private final LongAdder lookups = new LongAdder();
  private final LongAdder hits = new LongAdder();
  private final LongAdder missPagesRead = new LongAdder();

  /**
   * @param known the index's set of known containers
   * @param runOwner loads runs and hears of damage
   */
  IndexSearch(
      Versions versions, ContainerSet known, PageCache.Space cache, PageReader.Owner runOwner) {
    this.versions = versions;
    this.known = known;
    this.cache = cache;
    this.runOwner = runOwner;
  }

  /** What is wanted of chunks in a part of the index that is not whole. */
  enum InLostPart {
    /** Places that are still named, be they retracted or not the highest. */
    ANY_PLACE,
    /** Nothing. */
    ABSENT
  }

  /** Hears that a container is about to be no longer known. */
  void containerRetracted() {
    containerRetractions.incrementAndGet();
  }

  /** Chunks that were looked up so far. */
  long lookups() {
    return lookups.sum();
  }

  /** How many of them were found. */
  long hits() {
    return hits.sum();
  }

  /** Pages read for chunks that were absent all the same. */
  long missPagesRead() {
    return missPagesRead.sum();
  }

  /** Finds chunks; returns how many of those that are absent may have been lost. */
  long find(FingerprintBatch batch, Places places, InLostPart inLostPart) {
    var found = new Found(0, 0);
    boolean done = false;
    while (!done) {
      long retractionsBefore = containerRetractions.get();
      IndexVersion now = versions.acquire();
      try {
        var lookup = new Lookup(known, places);
        var reader = new PageReader(runOwner, cache, lookup);
        find(now, batch, places, lookup, reader);
        // A chunk that moved meanwhile: its new place was published behind the search, and its old
        // one retracted before it. Whoever begins after the retraction finds the new one.
        boolean moved =
            containerRetractions.get() != retractionsBefore && isAnyAbsent(places, batch.count());
        done = !reader.isStale() && !moved;
        if (done) {
          found = count(now, batch, places, reader, inLostPart);
          missPagesRead.add(reader.missPagesRead(places));
        }
      } finally {
        versions.release(now);
      }
    }
    lookups.add(batch.count());
    hits.add(found.present);
    return found.lost;
  }

  /** The highest container that is named for a chunk and not known. */
  long findForgotten(FingerprintBatch one) {
    IndexVersion now = versions.acquire();
    try {
      var all = new Lookup.Single();
      now.find(
          one.fingerprints(),
          0,
          1,
          Locations.kindBit(one.kind()),
          new PageReader(runOwner, cache, all));
      return all.highestUnknown(known);
    } finally {
      versions.release(now);
    }
  }

  private static boolean isAnyAbsent(Places places, int count) {
    for (int row = 0; row < count; row++) {
      if (!places.isPresent(row)) {
        return true;
      }
    }
    return false;
  }

  private void find(
      IndexVersion now, FingerprintBatch batch, Places places, Lookup lookup, PageReader reader) {
    int count = batch.count();
    places.reset(count);
    byte[] fingerprints = batch.fingerprints();
    long kindBit = Locations.kindBit(batch.kind());
    now.find(fingerprints, 0, count, kindBit, reader);
    for (int row = 0; lookup.anyRetraction() && row < count; row++) {
      if (lookup.isRetracted(row)) {
        var single = new Lookup.Single();
        reader.sendTo(single);
        now.find(fingerprints, row, 1, kindBit, reader);
        single.resolve(known, places, row);
      }
    }
  }

  /**
   * Rows of a look-up.
   *
   * @param present found
   * @param lost absent, but may have been lost
   */
  private record Found(int present, int lost) {}

  private static Found count(
      IndexVersion now,
      FingerprintBatch batch,
      Places places,
      PageReader reader,
      InLostPart inLostPart) {
    boolean anyLost = reader.anyLost() || now.anyLost();
    int present = 0;
    int lost = 0;
    for (int row = 0; row < batch.count(); row++) {
      boolean isPresent = places.containerNumbers()[row] != Places.ABSENT;
      if (anyLost) {
        long first = (long) RunFormat.BIG_ENDIAN.get(batch.fingerprints(), row * Fingerprint.BYTES);
        Partition partition = now.partitions().get(now.partitionOf(first));
        if (partition.lostAt() != 0 || reader.hasLost(partition)) {
          if (inLostPart == InLostPart.ABSENT) {
            places.containerNumbers()[row] = Places.ABSENT;
            isPresent = false;
          }
          lost += isPresent ? 0 : 1;
        }
      }
      present += isPresent ? 1 : 0;
    }
    return new Found(present, lost);
  }
}
