package onefold.store.scrub;

import java.io.IOException;
import java.util.List;
import java.util.Optional;
import java.util.SortedMap;
import onefold.chunker.ObjectRoot;
import onefold.store.Id;
import onefold.store.ItemRecord;
import onefold.store.catalog.QuarantinedChunk;
import onefold.store.container.Containers;

/** The domain that is scrubbed, as far as the scrub needs it. */
public interface ScrubGround {
  /** Its id. */
  Id id();

  /** Its containers. */
  Containers containers();

  /** Whether its nodes are recipes; those of the catalog are pages. */
  boolean holdsRecipes();

  // ---- quarantine

  /** Chunks of which no sound copy is known, as they were found damaged. */
  List<QuarantinedChunk> quarantined();

  /** Changes whenever a chunk is put into quarantine or leaves it. */
  long quarantineVersion();

  /** Whether a sound copy is known nevertheless, in an older container. */
  boolean isFound(QuarantinedChunk chunk) throws IOException;

  /**
   * Puts the chunks of a block into quarantine, as far as they are found there and nowhere else.
   *
   * @throws onefold.store.container.ContainerGoneException if there is no such container
   */
  void quarantineBlock(long containerNumber, int block) throws IOException;

  /**
   * Says that nothing is wrong with a container any more: stores those of its chunks that are in
   * quarantine and can be read again at new places, and ends their quarantine.
   *
   * @param chunksUnknown whether it was not known for a while what the container holds: then those
   *     of its chunks that are found nowhere are made known again
   * @throws onefold.store.container.ContainerGoneException if there is no such container
   */
  void restore(long containerNumber, boolean chunksUnknown) throws IOException;

  /** Stores a sound copy of a chunk and ends its quarantine. */
  void store(QuarantinedChunk chunk, byte[] bytes) throws IOException;

  // ---- items

  /** Takes objects that have a name. */
  interface ItemVisitor {
    /** Takes one; an unfinished upload is among them. */
    void object(Id storeId, String name, ObjectRoot root) throws IOException;
  }

  /** Visits all objects of the domain. */
  void visitObjects(ItemVisitor visitor) throws IOException;

  /** Finds an item. */
  Optional<ItemRecord> item(Id storeId, String name) throws IOException;

  /** Reads a node. */
  byte[] node(byte[] fingerprints, int offset) throws IOException;

  // ---- what is remembered

  /** What the domain is to do. */
  DomainOptions options() throws IOException;

  /** Says whether it is to keep parities; durable when it returns. */
  void keepParity(boolean parity) throws IOException;

  /** Records of a kind, by key. */
  SortedMap<String, byte[]> records(String kind) throws IOException;

  /** Sets a record, or removes it; durable when it returns. */
  void putRecord(String kind, String key, Optional<byte[]> value) throws IOException;

  /** Store time. */
  long storeTimeMillis();
}
