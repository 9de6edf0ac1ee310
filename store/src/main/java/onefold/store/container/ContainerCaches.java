package onefold.store.container;

import java.util.function.Predicate;
import onefold.store.Id;
import onefold.store.scheduler.Scheduler;
import org.jspecify.annotations.Nullable;

/**
 * What is kept of the containers that are read: one for all domains of an engine, so that its
 * bounds do not depend on how many there are. Any number of threads.
 */
public final class ContainerCaches {
  private record LayoutKey(Id domain, OpenFiles.Key container) {}

  private record BlockKey(Id domain, OpenFiles.Key container, int block) {}

  private final LruCache<LayoutKey, ContainerLayout> layouts;
  private final LruCache<BlockKey, DecodedBlock> blocks;

  /**
   * Makes empty ones.
   *
   * @param blockBytes most decompressed bytes kept
   * @param layoutBytes most bytes of block tables kept
   */
  public ContainerCaches(Scheduler scheduler, long blockBytes, long layoutBytes) {
    layouts = new LruCache<>(scheduler.lock("layouts"), layoutBytes, ContainerLayout::memoryBytes);
    blocks = new LruCache<>(scheduler.lock("blocks"), blockBytes, DecodedBlock::memoryBytes);
  }

  /** Sets other bounds; what is beyond them goes at once. */
  public void setBounds(long blockBytes, long layoutBytes) {
    blocks.setMaxBytes(blockBytes);
    layouts.setMaxBytes(layoutBytes);
  }

  /** Decompressed bytes kept now. */
  public long blockBytes() {
    return blocks.bytes();
  }

  /** Bytes of block tables kept now. */
  public long layoutBytes() {
    return layouts.bytes();
  }

  @Nullable ContainerLayout layout(Id domain, OpenFiles.Key container) {
    return layouts.get(new LayoutKey(domain, container));
  }

  void put(Id domain, OpenFiles.Key container, ContainerLayout layout) {
    layouts.put(new LayoutKey(domain, container), layout);
  }

  @Nullable DecodedBlock block(Id domain, OpenFiles.Key container, int block) {
    return blocks.get(new BlockKey(domain, container, block));
  }

  void put(Id domain, OpenFiles.Key container, int block, DecodedBlock decoded) {
    blocks.put(new BlockKey(domain, container, block), decoded);
  }

  /** Forgets what is kept of some containers of a domain. */
  void removeIf(Id domain, Predicate<OpenFiles.Key> which) {
    layouts.removeIf(key -> key.domain().equals(domain) && which.test(key.container()));
    blocks.removeIf(key -> key.domain().equals(domain) && which.test(key.container()));
  }
}
