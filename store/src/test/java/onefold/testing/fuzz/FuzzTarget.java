package onefold.testing.fuzz;

import java.io.IOException;
import java.util.List;

/**
 * A decoder under fuzz. Has a public constructor without parameters, so that it can be named on a
 * command line. One thread at a time uses it.
 */
public interface FuzzTarget {
  /** Names it, and the file of its kept corpus. */
  String name();

  /** Returns well-formed inputs, small ones: the format's samples and what they leave out. */
  List<byte[]> samples() throws IOException;

  /**
   * Returns the input with checksums, and lengths that nothing else depends on, made right, as far
   * as they can be found; so that the checks behind them are reached. May change the array.
   */
  default byte[] repaired(byte[] input) {
    return input;
  }

  /**
   * Decodes, reads everything that was decoded, and encodes it again where there is an encoder.
   *
   * @throws IOException the refusal of a malformed input, if {@link #isRefusal} says so
   * @throws AssertionError if another encoding comes out
   */
  void decode(byte[] input) throws IOException;

  /** Whether the decoder may throw this. */
  boolean isRefusal(Throwable thrown);

  /** Most bytes that decoding and encoding so many bytes may allocate on the heap. */
  default long allocationBound(int inputBytes) {
    return (64 << 10) + 64L * inputBytes;
  }
}
