package onefold.store;

import java.util.SortedMap;
import onefold.chunker.ObjectRoot;

/**
 * One version of a backup image in a store.
 *
 * @param storeId the store
 * @param name unique in the store; checked by {@link Names#checkItemName}
 * @param id of this version; the id of the upload that made it, so that a writer that lost the
 *     answer to its commit can tell whether it was done
 * @param version event counter of the catalog at the commit
 * @param root of its recipe
 * @param createdAtMillis store time of the commit
 * @param tags in order of key
 * @param lockedUntilMillis store time before which nobody can delete or replace it; 0 for not
 *     locked
 * @param lockKind how firm the lock is; {@link LockKind#GOVERNANCE} if it was never locked
 * @param held not deletable or replaceable until released
 * @param newBytes raw bytes that its upload added to the domain
 */
public record ItemRecord(
    Id storeId,
    String name,
    Id id,
    long version,
    ObjectRoot root,
    long createdAtMillis,
    SortedMap<String, String> tags,
    long lockedUntilMillis,
    LockKind lockKind,
    boolean held,
    long newBytes) {}
