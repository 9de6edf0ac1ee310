package onefold.store.engine;

import java.util.List;
import onefold.chunker.ChunkKind;
import onefold.store.Id;

/**
 * One group commit, as the journal carries it: how far each touched container reaches, the bytes of
 * small additions themselves, and the commands for the catalog.
 *
 * @param checkpoint whether it is the first record after a superblock; then {@code domains} names
 *     every domain and {@code commands} is empty
 * @param storeTimeMillis store time of the commit
 * @param domains what happened to containers
 * @param commands encoded catalog commands, in the order in which they are applied
 */
record CommitRecord(
    boolean checkpoint, long storeTimeMillis, List<DomainPart> domains, List<byte[]> commands) {

  /**
   * What one commit says about one domain.
   *
   * @param domainId the domain; the catalog's own has the id of zeros
   * @param nextContainerNumber no container of this or a higher number has been committed
   * @param ends all containers that are not sealed; those below the next number that are not named
   *     are
   */
  record DomainPart(Id domainId, long nextContainerNumber, List<ContainerEnd> ends) {}

  /**
   * A container's committed end.
   *
   * @param containerNumber the container
   * @param kind of its chunks
   * @param endBytes bytes of the file that are committed
   * @param redo the last bytes before the end, if the record carries them instead of a force; else
   *     empty
   */
  record ContainerEnd(long containerNumber, ChunkKind kind, long endBytes, byte[] redo) {}
}
