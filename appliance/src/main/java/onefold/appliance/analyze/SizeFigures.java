package onefold.appliance.analyze;

/**
 * What one chunk size gives.
 *
 * @param meanBytes wished mean of the chunks, or their fixed size
 * @param fixed whether borders stand at fixed distances
 * @param logicalBytes of all generations
 * @param chunkCount chunks, repeated ones included
 * @param uniqueBytes raw bytes of different chunks
 * @param uniqueChunks different chunks
 * @param lz4Bytes of the different chunks in blocks
 * @param zstdBytes of the different chunks in blocks
 * @param recipeBytes of different recipe nodes
 * @param indexBytes index and directories for the different chunks and nodes
 */
public record SizeFigures(
    int meanBytes,
    boolean fixed,
    long logicalBytes,
    long chunkCount,
    long uniqueBytes,
    long uniqueChunks,
    long lz4Bytes,
    long zstdBytes,
    long recipeBytes,
    long indexBytes) {

  /** Logical bytes over different bytes, nothing compressed, nothing else counted. */
  public double dedupRatio() {
    return ratio(uniqueBytes);
  }

  /** Logical bytes over all bytes that a store with LZ4 would have on disk. */
  public double lz4Ratio() {
    return ratio(lz4Bytes + recipeBytes + indexBytes);
  }

  /** Logical bytes over all bytes that a store with zstd would have on disk. */
  public double zstdRatio() {
    return ratio(zstdBytes + recipeBytes + indexBytes);
  }

  SizeFigures minus(SizeFigures before) {
    return new SizeFigures(
        meanBytes,
        fixed,
        logicalBytes - before.logicalBytes,
        chunkCount - before.chunkCount,
        uniqueBytes - before.uniqueBytes,
        uniqueChunks - before.uniqueChunks,
        lz4Bytes - before.lz4Bytes,
        zstdBytes - before.zstdBytes,
        recipeBytes - before.recipeBytes,
        indexBytes - before.indexBytes);
  }

  private double ratio(long storedBytes) {
    return storedBytes == 0
        ? logicalBytes == 0 ? 1 : Double.POSITIVE_INFINITY
        : (double) logicalBytes / storedBytes;
  }
}
