package onefold.appliance.tree;

import java.util.List;

/**
 * What a backup or restore of a tree did.
 *
 * @param fileCount regular files, links and devices
 * @param directoryCount directories
 * @param bytes bytes of regular files, holes included
 * @param gapCount everything that is missing or not as it was
 * @param gaps the first {@link #MAX_GAPS} of them
 */
public record TreeSummary(
    long fileCount, long directoryCount, long bytes, long gapCount, List<Gap> gaps) {
  /** Gaps that are kept with name and reason; the rest is only counted. */
  public static final int MAX_GAPS = 10_000;
}
