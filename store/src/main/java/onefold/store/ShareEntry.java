package onefold.store;

import java.util.Optional;

/**
 * One entry of a {@link ShareTree}.
 *
 * @param key 1 to {@link ShareTree#MAX_KEY_BYTES}
 * @param object content, if the entry stands for a file
 * @param value opaque to the store, at most {@link ShareTree#MAX_VALUE_BYTES}
 */
public record ShareEntry(byte[] key, Optional<ShareObject> object, byte[] value) {}
