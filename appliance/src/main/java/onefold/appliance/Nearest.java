package onefold.appliance;

import java.util.Collection;
import java.util.Optional;

/** Finds what somebody probably meant. */
public final class Nearest {
  private Nearest() {}

  /**
   * Returns the known word with the fewest edits from {@code word}, if they are few for its length.
   */
  public static Optional<String> of(String word, Collection<String> known) {
    String nearest = "";
    int least = Integer.MAX_VALUE;
    for (String candidate : known) {
      int distance = distance(word, candidate);
      if (distance < least) {
        least = distance;
        nearest = candidate;
      }
    }
    return least <= Math.max(1, Math.min(word.length(), 100) / 2)
        ? Optional.of(nearest)
        : Optional.empty();
  }

  /**
   * Counts insertions, deletions and replacements (Levenshtein); words beyond 100 characters are
   * cut.
   */
  static int distance(String left, String right) {
    String a = left.substring(0, Math.min(left.length(), 100));
    String b = right.substring(0, Math.min(right.length(), 100));
    int[] row = new int[b.length() + 1];
    for (int j = 0; j <= b.length(); j++) {
      row[j] = j;
    }
    for (int i = 1; i <= a.length(); i++) {
      int diagonal = row[0];
      row[0] = i;
      for (int j = 1; j <= b.length(); j++) {
        int replaced = diagonal + (a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1);
        diagonal = row[j];
        row[j] = Math.min(replaced, Math.min(row[j], row[j - 1]) + 1);
      }
    }
    return row[b.length()];
  }
}
