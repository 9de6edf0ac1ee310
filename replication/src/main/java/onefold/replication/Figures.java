package onefold.replication;

/**
 * What a mapping has done, summed up over all its passes and starts.
 *
 * @param copiedItemCount items copied
 * @param logicalBytes of them
 * @param wireBytes bytes of frames both ways for them and for asking what is there, without TLS
 * @param sentDataBytes raw bytes of chunks that were lacking and sent
 * @param readBlockCount blocks read here; each holds a chunk that was lacking
 * @param storedBlockCount of these, sent as they were
 * @param packedBlockCount blocks made anew of lacking chunks
 * @param reconnectCount how often the line was made again in the middle of an item
 * @param passCount passes that came to their end
 */
public record Figures(
    long copiedItemCount,
    long logicalBytes,
    long wireBytes,
    long sentDataBytes,
    long readBlockCount,
    long storedBlockCount,
    long packedBlockCount,
    long reconnectCount,
    long passCount) {
  /** Nothing yet. */
  public static final Figures NONE = new Figures(0, 0, 0, 0, 0, 0, 0, 0, 0);

  /** Returns the sum. */
  public Figures plus(Figures more) {
    return new Figures(
        copiedItemCount + more.copiedItemCount,
        logicalBytes + more.logicalBytes,
        wireBytes + more.wireBytes,
        sentDataBytes + more.sentDataBytes,
        readBlockCount + more.readBlockCount,
        storedBlockCount + more.storedBlockCount,
        packedBlockCount + more.packedBlockCount,
        reconnectCount + more.reconnectCount,
        passCount + more.passCount);
  }
}
