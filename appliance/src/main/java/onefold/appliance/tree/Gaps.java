package onefold.appliance.tree;

import java.util.ArrayList;
import java.util.List;

/** Counts gaps and keeps the first {@link TreeSummary#MAX_GAPS}. */
final class Gaps {
  private final List<Gap> kept = new ArrayList<>();
  private long count;

  void add(byte[] path, String reason) {
    count++;
    if (kept.size() < TreeSummary.MAX_GAPS) {
      kept.add(new Gap(PathBytes.printable(path), reason));
    }
  }

  long count() {
    return count;
  }

  List<Gap> kept() {
    return List.copyOf(kept);
  }
}
