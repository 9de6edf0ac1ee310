package onefold.chunker;

import java.io.IOException;

/** Takes the nodes that a {@link RecipeBuilder} finishes, children before parents. */
@FunctionalInterface
public interface NodeSink {
  /**
   * Takes one finished node.
   *
   * @param level 0 for a leaf
   * @param node the node's encoding; read before the method returns, the array is used again
   * @param lengthBytes how much of {@code node} is the encoding
   * @param fingerprint of the node, 32 bytes; read before the method returns
   * @throws IOException if the node cannot be passed on; the builder is unusable after that
   */
  void node(int level, byte[] node, int lengthBytes, byte[] fingerprint) throws IOException;
}
