package onefold.nas;

import java.util.List;

/**
 * Names of extended attributes.
 *
 * @param names in order of bytes
 * @param end whether nothing follows
 */
public record AttributeNames(List<byte[]> names, boolean end) {}
