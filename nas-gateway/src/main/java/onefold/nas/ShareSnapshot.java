package onefold.nas;

import onefold.store.Id;

/**
 * A snapshot of a share.
 *
 * @param id never used again
 * @param shareName whose it is
 * @param name without the share's
 * @param createdAtMillis store time
 */
public record ShareSnapshot(Id id, String shareName, String name, long createdAtMillis) {}
