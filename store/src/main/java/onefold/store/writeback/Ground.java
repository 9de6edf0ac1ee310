package onefold.store.writeback;

import java.io.IOException;
import onefold.chunker.NodeSource;
import onefold.chunker.ObjectRoot;
import onefold.store.Id;
import onefold.store.ObjectReader;
import onefold.store.ShareTree;

/** What the write-back of a domain asks of the engine. Any number of threads. */
public interface Ground {
  /**
   * The tree that names the objects of a share.
   *
   * @throws onefold.store.RefusedException {@code NOT_FOUND} if the share is gone
   */
  ShareTree tree(Id shareId) throws IOException;

  /** Begins a recipe. */
  ObjectBuilder newBuilder() throws IOException;

  /** Opens a recipe for reading; it is kept until the reader is closed. */
  ObjectReader openReader(ObjectRoot root) throws IOException;

  /**
   * Keeps a recipe from housekeeping.
   *
   * @throws onefold.store.RefusedException {@code NOT_FOUND} if it is not here
   */
  Pin pin(ObjectRoot root) throws IOException;

  /** Hands out the nodes of recipes. */
  NodeSource nodes();

  /**
   * Takes room on the disk.
   *
   * @throws onefold.store.StoreFullException if it would come out of the reserve
   */
  void takeSpace(int bytes) throws IOException;

  /** The first position of the log that was needed when {@link #keepFrom} was called last. */
  long keptFrom() throws IOException;

  /** Remembers durably that no position of the log before this one is needed any more. */
  void keepFrom(long position) throws IOException;

  /** Says that recipes have replaced much that nobody refers to any more. */
  void garbageLikely();

  /** Shows the operator what could not be done. */
  void problem(String what);

  /** Keeps a recipe. */
  @FunctionalInterface
  interface Pin {
    void release();
  }
}
