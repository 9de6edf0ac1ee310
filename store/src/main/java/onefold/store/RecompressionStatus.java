package onefold.store;

/**
 * Where the recompression of cold containers stands in a domain. Counted since the start, but for
 * what waits.
 *
 * @param on whether it begins by itself when nothing else is done
 * @param running whether a container is being written anew
 * @param waitingCount sealed containers of data that have not been written anew, warm ones too
 * @param waitingBytes bytes of their files
 * @param doneCount containers written anew
 * @param beforeBytes bytes of their files before
 * @param afterBytes bytes of their files now
 * @param keptCount containers that stay as they are: they would not get smaller, or are damaged
 * @param problem why the last one could not be written anew, or empty
 */
public record RecompressionStatus(
    boolean on,
    boolean running,
    long waitingCount,
    long waitingBytes,
    long doneCount,
    long beforeBytes,
    long afterBytes,
    long keptCount,
    String problem) {}
