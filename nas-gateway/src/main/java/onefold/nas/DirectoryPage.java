package onefold.nas;

import java.util.List;

/**
 * Part of a directory in order of cookie.
 *
 * @param directory attributes of the directory
 * @param entries without {@code .} and {@code ..}
 * @param end whether nothing follows
 */
public record DirectoryPage(Attributes directory, List<DirectoryEntry> entries, boolean end) {}
