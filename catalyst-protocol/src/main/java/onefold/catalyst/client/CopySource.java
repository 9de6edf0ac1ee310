package onefold.catalyst.client;

import java.io.IOException;
import onefold.chunker.Fingerprint;
import onefold.chunker.ObjectRoot;

/**
 * An object that is there already cut, fingerprinted and compressed: what an {@link ItemCopy} sends
 * from. One thread at a time calls it.
 */
public interface CopySource {
  /** Takes a range in stored form. */
  interface Taker {
    /**
     * Takes a block.
     *
     * @param number counts from 0 in the range
     * @param stored array that holds the block in stored form; read before the method returns
     */
    void block(long number, byte[] stored, int offset, int lengthBytes) throws IOException;

    /**
     * Takes note that the object's bytes go on with this chunk, or a part of it.
     *
     * @param blockNumber of one of the last {@value BlockWindow#BLOCKS} blocks taken, which with
     *     those after it has at most {@value BlockWindow#BYTES} plain bytes, or is the last
     * @param chunkIndex which chunk of it, from 0
     * @param fingerprint 32 bytes, the whole chunk's; valid until the next call
     */
    void chunk(long blockNumber, int chunkIndex, byte[] fingerprint) throws IOException;
  }

  /** Returns the number of the parameter set that it was cut by. */
  int parameterSet();

  /** Returns the root of its recipe. */
  ObjectRoot root();

  /** Returns the bytes of a node of its recipe, checked against the fingerprint. */
  byte[] node(Fingerprint node) throws IOException;

  /** Hands out the blocks that hold a range of its bytes, and no others, and the chunks in them. */
  void range(long startBytes, long endBytes, Taker taker) throws IOException;
}
