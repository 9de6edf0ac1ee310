package onefold.store.simulator;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import onefold.chunker.Cutter;
import onefold.chunker.Fingerprint;
import onefold.chunker.Fingerprinter;
import onefold.chunker.ObjectRoot;
import onefold.chunker.ParameterSet;
import onefold.chunker.RecipeBuilder;
import org.jspecify.annotations.Nullable;

/** What an object is cut into, worked out beside the store. */
final class Pieces {
  private Pieces() {}

  /**
   * A chunk or a hole.
   *
   * @param fingerprint null for a hole
   * @param offset where in the object
   */
  record Piece(@Nullable Fingerprint fingerprint, int offset, long lengthBytes) {}

  static List<Piece> of(List<Plan.Segment> segments, ParameterSet set) {
    var pieces = new ArrayList<Piece>();
    Cutter cutter = Cutter.of(set);
    var fingerprinter = new Fingerprinter(set);
    int offset = 0;
    for (Plan.Segment segment : segments) {
      byte[] bytes = segment.bytes();
      int[] lengths = new int[bytes.length / set.minBytes() + 2];
      int count = cutter.cut(bytes, 0, bytes.length, true, lengths, 0);
      int at = 0;
      for (int i = 0; i < count; i++) {
        pieces.add(
            new Piece(fingerprinter.fingerprint(bytes, at, lengths[i]), offset + at, lengths[i]));
        at += lengths[i];
      }
      offset += bytes.length;
      if (segment.holeBytes() > 0) {
        pieces.add(new Piece(null, offset, segment.holeBytes()));
        offset += Math.toIntExact(segment.holeBytes());
      }
    }
    return pieces;
  }

  /** The root that an object of these pieces must have. */
  static ObjectRoot root(List<Piece> pieces, ParameterSet set) throws IOException {
    var recipe = new RecipeBuilder(set, (level, node, lengthBytes, fingerprint) -> {});
    for (Piece piece : pieces) {
      Fingerprint fingerprint = piece.fingerprint();
      if (fingerprint == null) {
        recipe.hole(piece.lengthBytes());
      } else {
        recipe.chunk(fingerprint.toBytes(), 0, Math.toIntExact(piece.lengthBytes()));
      }
    }
    return recipe.finish();
  }
}
