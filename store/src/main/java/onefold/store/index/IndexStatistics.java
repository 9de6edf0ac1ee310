package onefold.store.index;

/**
 * What an index holds and has done since it was opened.
 *
 * @param entries entries in memory and on disk; one that is in several places, or whose container
 *     is gone, counts until merging has removed it
 * @param lookups chunks looked up
 * @param hits of those, found
 * @param pagesRead pages read from the device by look-ups
 * @param missPagesRead of those, for chunks that were then absent
 * @param runs sorted runs on disk
 * @param partitions partitions of the fingerprints
 * @param diskBytes bytes of all runs
 * @param filterBytes memory of the runs' filters, as far as they are loaded
 * @param tableBytes memory of the tables of newest entries
 * @param cacheBytes memory of the page cache; 0 if it is shared with other indexes
 * @param bytesWritten bytes of runs written, merging included
 */
public record IndexStatistics(
    long entries,
    long lookups,
    long hits,
    long pagesRead,
    long missPagesRead,
    int runs,
    int partitions,
    long diskBytes,
    long filterBytes,
    long tableBytes,
    long cacheBytes,
    long bytesWritten) {}
