package onefold.appliance;

import java.util.ArrayList;
import java.util.List;
import onefold.appliance.configuration.Configuration;
import onefold.catalyst.server.TransferBudget;
import onefold.store.ChunkStore;
import onefold.store.MemoryUse;
import onefold.store.RefusedException;
import onefold.store.RefusedException.Reason;

/**
 * The one number of a running appliance: who has how much of it, and another one if somebody wants.
 * What the data needs it gets; the caches have the rest; when that is not enough clients get
 * smaller windows, then wait, then are refused. Any thread may call it.
 */
public final class MemoryAccountant {
  private final ChunkStore store;
  private final TransferBudget transfers;
  private final long ceilingBytes;

  /** What the process may take. */
  private volatile MemoryPlan plan;

  /**
   * Makes one and divides the number.
   *
   * @param heapBytes the JVM's greatest heap, which bounds any other number
   */
  public MemoryAccountant(ChunkStore store, MemoryPlan plan, long heapBytes) {
    this.store = store;
    this.plan = plan;
    this.ceilingBytes = MemoryPlan.choose(Long.MAX_VALUE, heapBytes).totalBytes();
    this.transfers = new TransferBudget(plan.windowBytes(), store::missingMemoryBytes);
    store.setMemory(plan.totalBytes());
  }

  /** The budget of what clients have under way, for all endpoints. */
  public TransferBudget transfers() {
    return transfers;
  }

  /** What the process may take. */
  public long totalBytes() {
    return plan.totalBytes();
  }

  /** What it may take at most until the next start. */
  public long ceilingBytes() {
    return ceilingBytes;
  }

  /** What each part takes. */
  public List<MemoryUse> uses() {
    List<MemoryUse> uses = new ArrayList<>(store.memory());
    uses.add(new MemoryUse("clients' transfers", transfers.takenBytes(), transfers.budgetBytes()));
    return uses;
  }

  /**
   * Sets another number, until the next start.
   *
   * @throws RefusedException {@code INVALID_REQUEST} if it is below the least or beyond the ceiling
   */
  public void set(long bytes) throws RefusedException {
    if (bytes < Configuration.LEAST_MEMORY_BYTES || bytes > ceilingBytes) {
      throw new RefusedException(
          Reason.INVALID_REQUEST,
          bytes
              + " bytes of memory: this process can have "
              + Configuration.LEAST_MEMORY_BYTES
              + " to "
              + ceilingBytes
              + "; for more start it with --memory");
    }
    MemoryPlan next = new MemoryPlan(bytes);
    plan = next;
    store.setMemory(bytes);
    transfers.setBudgetBytes(next.windowBytes());
  }
}
