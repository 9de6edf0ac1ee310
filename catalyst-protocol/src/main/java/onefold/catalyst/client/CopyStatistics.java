package onefold.catalyst.client;

/**
 * Figures of one copy.
 *
 * @param logicalBytes of the object
 * @param settledBytes of these, known to be with the peer, from the start on
 * @param durableBytes of these, covered by its last durable checkpoint
 * @param sentBytes bytes of frames to the peer
 * @param receivedBytes bytes of frames from it
 * @param sentDataBytes raw bytes of chunks that were lacking and sent
 * @param nodeCount nodes sent
 * @param readBlockCount blocks read from the source's containers; each holds a chunk that was
 *     lacking
 * @param storedBlockCount of these, sent as they were
 * @param packedBlockCount blocks made anew of lacking chunks and sent
 * @param roundTripCount times that nothing was left to send but after the peer's next answer
 * @param reconnectCount how often the connection was made again
 */
public record CopyStatistics(
    long logicalBytes,
    long settledBytes,
    long durableBytes,
    long sentBytes,
    long receivedBytes,
    long sentDataBytes,
    long nodeCount,
    long readBlockCount,
    long storedBlockCount,
    long packedBlockCount,
    long roundTripCount,
    long reconnectCount) {
  /** Returns what crossed the line both ways, frames' headers included, TLS and TCP not. */
  public long wireBytes() {
    return sentBytes + receivedBytes;
  }
}
