package onefold.chunker;

import java.io.IOException;

/** Hands out stored nodes by fingerprint, for walking down a recipe. */
@FunctionalInterface
public interface NodeSource {
  /**
   * Returns a node's encoding in an array of its own length, checked against its fingerprint.
   *
   * @param fingerprints array that holds the node's fingerprint, read before the method returns
   * @param offset where it starts
   * @return the bytes; the caller does not change them
   * @throws IOException if the node is absent or cannot be read
   */
  byte[] node(byte[] fingerprints, int offset) throws IOException;
}
