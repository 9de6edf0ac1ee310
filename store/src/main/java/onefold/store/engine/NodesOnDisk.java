package onefold.store.engine;

import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import onefold.chunker.ChunkKind;
import onefold.chunker.Fingerprint;
import onefold.chunker.FingerprintBatch;
import onefold.chunker.ParameterSet;
import onefold.store.CorruptDataException;
import onefold.store.Id;
import onefold.store.container.ChunkPlace;
import onefold.store.container.ContainerDirectory;
import onefold.store.container.Containers;
import onefold.store.container.DurableEnds;
import onefold.store.container.SealListener;
import onefold.store.device.Device;
import onefold.store.scheduler.Scheduler;

/**
 * The nodes of a domain without its index, by the containers' directories. Takes about 100 bytes of
 * memory a node. One thread at a time. Owns its containers.
 */
final class NodesOnDisk implements AutoCloseable {
  private final Containers containers;
  private final Map<Fingerprint, List<ChunkPlace>> places = new HashMap<>();

  private NodesOnDisk(Containers containers) {
    this.containers = containers;
  }

  /**
   * Reads the directories of all containers of nodes.
   *
   * @param device may be written to: containers that are open are finished
   * @param ends how far containers count that are not sealed
   * @param epoch of the writer
   */
  static NodesOnDisk open(
      Device device,
      Scheduler scheduler,
      EngineSettings settings,
      Id domain,
      long epoch,
      DurableEnds ends,
      Rebuild.Progress progress)
      throws IOException {
    NodesOnDisk nodes =
        new NodesOnDisk(
            Containers.open(
                device,
                scheduler,
                Domain.directory(domain),
                domain,
                ParameterSet.SET_1, // The only one there is.
                epoch,
                settings.containers(),
                ends,
                SealListener.NONE));
    boolean read = false;
    try {
      List<Long> numbers = nodes.containers.numbers(ChunkKind.NODE);
      long done = 0;
      for (long number : numbers) {
        progress.at("reading the directories of nodes", done++, numbers.size());
        nodes.add(number);
      }
      progress.at("reading the directories of nodes", done, numbers.size());
      read = true;
      return nodes;
    } finally {
      if (!read) {
        nodes.close();
      }
    }
  }

  private void add(long number) throws IOException {
    ContainerDirectory directory;
    try {
      directory = containers.directory(number);
    } catch (CorruptDataException e) {
      return; // What misses its nodes will say so.
    }
    FingerprintBatch chunks = directory.chunks();
    for (int slot = 0; slot < chunks.count(); slot++) {
      if (!directory.isLost(slot)) {
        places
            .computeIfAbsent(chunks.fingerprint(slot), node -> new ArrayList<>(1))
            .add(new ChunkPlace(number, slot));
      }
    }
  }

  Containers containers() {
    return containers;
  }

  Set<Fingerprint> fingerprints() {
    return places.keySet();
  }

  /**
   * Reads a node by whichever copy is sound.
   *
   * @throws CorruptDataException if there is none
   */
  byte[] node(Fingerprint fingerprint) throws IOException {
    CorruptDataException damage = null;
    for (ChunkPlace place : places.getOrDefault(fingerprint, List.of())) {
      try {
        return containers.readChunk(place, fingerprint.toBytes(), 0);
      } catch (CorruptDataException e) {
        damage = e;
      }
    }
    throw damage != null
        ? damage
        : new CorruptDataException("node " + fingerprint, -1, "a stored copy", "none");
  }

  @Override
  public void close() throws IOException {
    containers.close();
  }
}
