package onefold.catalyst.client;

/**
 * Figures of one upload.
 *
 * @param logicalBytes taken from the caller, holes and splices included
 * @param settledBytes of these, known to be with the appliance
 * @param durableBytes of these, covered by its last durable checkpoint
 * @param sentDataBytes raw bytes of data that crossed the line, before compression
 * @param sentBytes bytes of frames to the appliance
 * @param receivedBytes bytes of frames from it
 * @param newBytes raw bytes that were new to the dedup domain; -1 until the commit
 * @param reconnectCount how often the connection was made again
 */
public record UploadStatistics(
    long logicalBytes,
    long settledBytes,
    long durableBytes,
    long sentDataBytes,
    long sentBytes,
    long receivedBytes,
    long newBytes,
    int reconnectCount) {
  /** Returns what crossed the line both ways, frames' headers included, TLS and TCP not. */
  public long wireBytes() {
    return sentBytes + receivedBytes;
  }
}
