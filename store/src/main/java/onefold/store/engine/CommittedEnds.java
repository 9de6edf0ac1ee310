package onefold.store.engine;

import java.util.HashMap;
import java.util.Map;
import java.util.TreeMap;
import onefold.chunker.ChunkKind;
import onefold.store.container.DurableEnds;
import onefold.store.engine.CommitRecord.ContainerEnd;
import onefold.store.engine.CommitRecord.DomainPart;

/**
 * How far the containers of one domain are committed, as the journal says: what recovery keeps. A
 * container below the next number that the last record does not name is sealed and whole.
 */
final class CommittedEnds implements DurableEnds {
  private final Map<Long, ContainerEnd> ends = new HashMap<>();
  private long nextContainerNumber = 1;

  /** Takes the next record, which names every container that was not sealed then. */
  void take(DomainPart part) {
    ends.clear();
    nextContainerNumber = Math.max(nextContainerNumber, part.nextContainerNumber());
    for (ContainerEnd end : part.ends()) {
      ends.put(end.containerNumber(), end);
    }
  }

  @Override
  public Map<Long, ChunkKind> named() {
    Map<Long, ChunkKind> named = new TreeMap<>();
    ends.forEach((number, end) -> named.put(number, end.kind()));
    return named;
  }

  @Override
  public long nextContainerNumber() {
    return nextContainerNumber;
  }

  @Override
  public long endBytes(long containerNumber) {
    ContainerEnd end = ends.get(containerNumber);
    if (end != null) {
      return end.endBytes();
    }
    return containerNumber < nextContainerNumber ? Long.MAX_VALUE : 0;
  }
}
