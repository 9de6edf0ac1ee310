package onefold.store;

/**
 * Figures of one domain.
 *
 * @param logicalBytes sum over its stores
 * @param uniqueBytes raw bytes of data chunks in containers, each counted once per stored copy
 * @param nodeBytes raw bytes of node chunks in containers
 * @param compressedBytes stored bytes of blocks
 * @param physicalBytes bytes of all files of the domain: containers, index, journal
 * @param chunkCount chunks in containers
 * @param containerCount containers
 * @param lookupCount index look-ups since the start
 * @param hitCount of these, found
 * @param indexPageReadCount index pages read from disk since the start
 */
public record DomainStatistics(
    long logicalBytes,
    long uniqueBytes,
    long nodeBytes,
    long compressedBytes,
    long physicalBytes,
    long chunkCount,
    long containerCount,
    long lookupCount,
    long hitCount,
    long indexPageReadCount) {}
