package onefold.nas;

/**
 * What a read gave.
 *
 * @param lengthBytes 0 at or beyond the end
 * @param end whether these reach the end of the file
 */
public record ReadResult(int lengthBytes, boolean end) {}
