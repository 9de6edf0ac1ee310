package onefold.store.container;

/**
 * Sizes and bounds of one domain's containers.
 *
 * @param containerBytes a container is sealed when its file has grown to this; a last block may lie
 *     beyond
 * @param lanes containers of each kind that are open for appending at a time; more writers than
 *     that wait for each other
 * @param blockCacheBytes decompressed bytes kept by {@link Containers#decodedBlock}
 * @param layoutCacheBytes bytes of block tables kept; one of a full container takes about 20 KB
 * @param openFiles sealed files kept open
 */
public record ContainerSettings(
    int containerBytes, int lanes, long blockCacheBytes, long layoutCacheBytes, int openFiles) {
  /** Below this a container is mostly directory. */
  public static final int MIN_CONTAINER_BYTES = 64 << 10;

  /** Positions in a container are kept in 31 bits. */
  public static final int MAX_CONTAINER_BYTES = 1 << 30;

  /** Checks all against their bounds. */
  public ContainerSettings {
    if (containerBytes < MIN_CONTAINER_BYTES || containerBytes > MAX_CONTAINER_BYTES) {
      throw new IllegalArgumentException(
          "containerBytes "
              + containerBytes
              + ", must be "
              + MIN_CONTAINER_BYTES
              + " to "
              + MAX_CONTAINER_BYTES);
    }
    if (lanes < 1 || lanes > 64) {
      throw new IllegalArgumentException("lanes " + lanes + ", must be 1 to 64");
    }
    if (blockCacheBytes < 0 || layoutCacheBytes < 0 || openFiles < 0) {
      throw new IllegalArgumentException(
          "blockCacheBytes "
              + blockCacheBytes
              + ", layoutCacheBytes "
              + layoutCacheBytes
              + ", openFiles "
              + openFiles
              + ", none may be negative");
    }
  }

  /** Settings for a container size: two lanes, caches of 8 and 16 MiB, 32 open files. */
  public static ContainerSettings ofSize(int containerBytes) {
    return new ContainerSettings(containerBytes, 2, 8L << 20, 16L << 20, 32);
  }
}
