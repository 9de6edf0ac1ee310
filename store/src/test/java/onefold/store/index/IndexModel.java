package onefold.store.index;

import java.io.IOException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.TreeMap;
import onefold.chunker.ChunkKind;
import onefold.chunker.Fingerprint;
import onefold.chunker.FingerprintBatch;
import org.jspecify.annotations.Nullable;

/**
 * What an index must say: the containers that exist, as an engine would know them, without any
 * cleverness. Drives the index too, so that both always see the same.
 */
final class IndexModel {
  /** A chunk in a slot. */
  record Chunk(ChunkKind kind, Fingerprint fingerprint, int lengthBytes) {}

  /** A place that was taken out of reach. */
  record Retracted(Chunk chunk, long container, int slot) {}

  private static final class Container {
    private final ChunkKind kind;
    private final List<Chunk> chunks = new ArrayList<>();
    private boolean sealed;

    Container(ChunkKind kind) {
      this.kind = kind;
    }
  }

  private final SplittableRandom random;
  private final List<Chunk> pool = new ArrayList<>();
  private final TreeMap<Long, Container> containers = new TreeMap<>(Long::compareUnsigned);
  private final Set<Retracted> retracted = new HashSet<>();
  private long nextContainer = 1;

  /** A model whose chunks come from a pool, some with equal first bytes. */
  IndexModel(SplittableRandom random, int poolSize) {
    this.random = random;
    for (int i = 0; i < poolSize; i++) {
      long first = random.nextLong();
      first = random.nextInt(8) == 0 ? first >>> random.nextInt(64) : first;
      first = random.nextInt(16) == 0 ? 7 : first;
      var fingerprint =
          new Fingerprint(first, random.nextLong(), random.nextLong(), random.nextLong());
      int lengthBytes = random.nextInt(1, (1 << 20) + 1);
      pool.add(new Chunk(ChunkKind.DATA, fingerprint, lengthBytes));
      if (random.nextInt(4) == 0) {
        pool.add(new Chunk(ChunkKind.NODE, fingerprint, lengthBytes));
      }
    }
  }

  /** Publishes some chunks to an open container, old or new. */
  void publish(ChunkIndex index, int maxChunks) throws IOException {
    ChunkKind kind = random.nextInt(3) == 0 ? ChunkKind.NODE : ChunkKind.DATA;
    List<Long> open = numbers(kind, false);
    long number;
    if (open.isEmpty() || random.nextInt(3) == 0) {
      nextContainer += random.nextInt(20) == 0 ? random.nextLong(1L << 50) : 1;
      number = nextContainer;
    } else {
      number = open.get(random.nextInt(open.size()));
    }
    Container container = containers.get(number);
    if (container == null) {
      container = new Container(kind);
      containers.put(number, container);
    }
    int firstSlot = container.chunks.size();
    for (int i = random.nextInt(1, maxChunks + 1); i > 0; i--) {
      Chunk chunk = pool.get(random.nextInt(pool.size()));
      if (chunk.kind == kind) {
        container.chunks.add(chunk);
      }
    }
    publish(index, number, container, firstSlot);
  }

  private static void publish(ChunkIndex index, long number, Container container, int firstSlot)
      throws IOException {
    var batch = new FingerprintBatch(container.kind, 8);
    for (Chunk chunk : container.chunks.subList(firstSlot, container.chunks.size())) {
      batch.add(chunk.fingerprint, chunk.lengthBytes);
    }
    index.publish(number, container.kind, firstSlot, batch);
  }

  /** Seals an open container, if there is one. */
  void seal(ChunkIndex index) {
    List<Long> open = numbers(null, false);
    if (!open.isEmpty()) {
      long number = open.get(random.nextInt(open.size()));
      containers.computeIfPresent(
          number,
          (same, container) -> {
            container.sealed = true;
            return container;
          });
      index.sealed(number);
    }
  }

  /** Deletes a container, if there is one. */
  void retract(ChunkIndex index) {
    if (!containers.isEmpty()) {
      var numbers = new ArrayList<>(containers.keySet());
      long number = numbers.get(random.nextInt(numbers.size()));
      containers.remove(number);
      retracted.removeIf(place -> place.container == number);
      index.retract(number);
    }
  }

  /** Takes the place of some chunk out of reach, if it has one. */
  void retractChunk(ChunkIndex index) throws IOException {
    Chunk chunk = pool.get(random.nextInt(pool.size()));
    Retracted place = place(chunk);
    if (place != null) {
      retracted.add(place);
      index.retractChunk(chunk.kind, chunk.fingerprint, place.container, place.slot);
    }
  }

  /** Does what an engine does after it has opened the index. */
  void recover(ChunkIndex index) throws IOException {
    Set<Long> covered = index.coveredContainers();
    for (long number : index.knownContainers()) {
      if (!containers.containsKey(number)) {
        index.retract(number);
      }
    }
    long rebuild = index.beginRebuild();
    republish(index, covered);
    if (index.rebuildNeeded()) {
      index.finishRebuild(rebuild);
    }
  }

  /** Publishes all containers but some, and says again which places are out of reach. */
  void republish(ChunkIndex index, Set<Long> covered) throws IOException {
    for (var entry : containers.entrySet()) {
      if (!covered.contains(entry.getKey())) {
        publish(index, entry.getKey(), entry.getValue(), 0);
        if (entry.getValue().sealed) {
          index.sealed(entry.getKey());
        }
      }
    }
    for (Retracted place : retracted) {
      index.retractChunk(place.chunk.kind, place.chunk.fingerprint, place.container, place.slot);
    }
  }

  /** All chunks of one kind that there may be, and some that there are not. */
  List<Chunk> questions(ChunkKind kind) {
    var questions = new ArrayList<Chunk>();
    for (Chunk chunk : pool) {
      if (chunk.kind == kind) {
        questions.add(chunk);
      }
      if (random.nextInt(4) == 0) {
        Fingerprint like = chunk.fingerprint;
        questions.add(
            new Chunk(
                kind,
                new Fingerprint(like.first(), like.second(), like.third(), random.nextLong()),
                0));
      }
    }
    return questions;
  }

  static FingerprintBatch batch(ChunkKind kind, List<Chunk> chunks) {
    var batch = new FingerprintBatch(kind, Math.max(1, chunks.size()));
    for (Chunk chunk : chunks) {
      batch.add(chunk.fingerprint, 0);
    }
    return batch;
  }

  /** Says what is wrong with answers, or null. */
  @Nullable String wrong(List<Chunk> questions, Places places) {
    for (int i = 0; i < questions.size(); i++) {
      Retracted expected = place(questions.get(i));
      boolean right =
          expected == null
              ? !places.isPresent(i)
              : places.containerNumbers()[i] == expected.container
                  && places.slots()[i] == expected.slot
                  && places.lengths()[i] == expected.chunk.lengthBytes;
      if (!right) {
        return questions.get(i)
            + ": expected "
            + expected
            + ", found "
            + places.containerNumbers()[i]
            + "/"
            + places.slots()[i];
      }
    }
    return null;
  }

  /** Says which answer is no place of its chunk, or null; absent is no answer. */
  @Nullable String untrue(List<Chunk> questions, Places places) {
    for (int i = 0; i < questions.size(); i++) {
      if (places.isPresent(i)) {
        Chunk question = questions.get(i);
        Container container = containers.get(places.containerNumbers()[i]);
        int slot = places.slots()[i];
        boolean right =
            container != null
                && slot < container.chunks.size()
                && container.chunks.get(slot).kind == question.kind
                && container.chunks.get(slot).fingerprint.equals(question.fingerprint)
                && container.chunks.get(slot).lengthBytes == places.lengths()[i];
        if (!right) {
          return question + ": found " + places.containerNumbers()[i] + "/" + slot;
        }
      }
    }
    return null;
  }

  boolean isRetracted(Chunk chunk, long container, int slot) {
    return retracted.stream()
        .anyMatch(place ->
            place.chunk.kind == chunk.kind
                && place.chunk.fingerprint.equals(chunk.fingerprint)
                && place.container == container
                && place.slot == slot);
  }

  private @Nullable Retracted place(Chunk chunk) {
    for (var entry : containers.descendingMap().entrySet()) {
      List<Chunk> chunks = entry.getValue().chunks;
      for (int slot = chunks.size() - 1; slot >= 0; slot--) {
        Chunk found = chunks.get(slot);
        if (found.kind == chunk.kind && found.fingerprint.equals(chunk.fingerprint)) {
          var place = new Retracted(found, entry.getKey(), slot);
          if (!retracted.contains(place)) {
            return place;
          }
        }
      }
    }
    return null;
  }

  private List<Long> numbers(@Nullable ChunkKind kind, boolean sealed) {
    var numbers = new ArrayList<Long>();
    for (var entry : containers.entrySet()) {
      Container container = entry.getValue();
      if (container.sealed == sealed && (kind == null || container.kind == kind)) {
        numbers.add(entry.getKey());
      }
    }
    return numbers;
  }
}
