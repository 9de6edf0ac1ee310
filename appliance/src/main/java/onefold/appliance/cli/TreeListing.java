package onefold.appliance.cli;

import java.io.IOException;
import java.util.Arrays;
import java.util.Locale;
import onefold.appliance.Size;
import onefold.appliance.json.JsonArray;
import onefold.appliance.json.JsonObject;
import onefold.appliance.tree.IndexedEntry;
import onefold.appliance.tree.PathBytes;
import onefold.appliance.tree.TreeIndex;
import onefold.appliance.tree.TreeSource;

/** What lies in one directory of a backed-up tree, read from the tree's index alone. */
final class TreeListing {
  private static final byte[] SELF = {'.'};

  private final Table table = new Table("MODE", ">OWNER", ">SIZE", "MODIFIED", "NAME");
  private final JsonArray entries = new JsonArray();
  private boolean found;

  private TreeListing() {}

  /**
   * Lists a directory's own entries, or one file.
   *
   * @param path as typed; {@code /} or {@code .} for the tree's own directory
   * @throws IOException if the item is no tree or its index is damaged
   * @throws Failure if the path is not in it
   */
  static TreeListing of(ItemReference item, TreeSource tree, String path)
      throws IOException, Failure {
    byte[] wanted = path.equals(".") ? new byte[0] : RestoreVerb.pathInTree(path);
    TreeListing listing = new TreeListing();
    TreeIndex.read(
        tree,
        entry -> {
          listing.visit(entry, wanted);
          return true;
        });
    if (!listing.found) {
      throw Failure.failed(
          "'" + path + "' is not in " + item + "; ./onefold ls " + item + " / shows what is");
    }
    return listing;
  }

  Iterable<String> lines() {
    return table.lines();
  }

  JsonObject json() {
    return new JsonObject().put("entries", entries);
  }

  private void visit(IndexedEntry entry, byte[] wanted) {
    byte[] path = Arrays.equals(entry.path(), SELF) ? new byte[0] : entry.path();
    boolean itself = Arrays.equals(path, wanted);
    boolean below =
        wanted.length == 0
            || (path.length > wanted.length
                && Arrays.mismatch(path, wanted) == wanted.length
                && path[wanted.length] == '/');
    int start = wanted.length == 0 ? 0 : wanted.length + 1;
    found |= itself || below;
    if (itself && entry.type() != 'd') {
      add(entry, PathBytes.printable(path));
    } else if (!itself && below && isLastName(path, start)) {
      add(entry, PathBytes.printable(Arrays.copyOfRange(path, start, path.length)));
    }
  }

  private static boolean isLastName(byte[] path, int start) {
    for (int i = start; i < path.length; i++) {
      if (path[i] == '/') {
        return false;
      }
    }
    return true;
  }

  private void add(IndexedEntry entry, String name) {
    String target = entry.linkTarget().length == 0 ? "" : PathBytes.printable(entry.linkTarget());
    table.row(
        mode(entry),
        Integer.toUnsignedString(entry.userId()) + ":" + Integer.toUnsignedString(entry.groupId()),
        Size.format(entry.sizeBytes()),
        Times.show(entry.modifiedSeconds() * 1000),
        target.isEmpty() ? name : name + " -> " + target);
    entries.add(
        new JsonObject()
            .put("name", name)
            .put("type", String.valueOf(entry.type()))
            .put("mode", String.format(Locale.ROOT, "%04o", entry.permissions()))
            .put("userId", Integer.toUnsignedLong(entry.userId()))
            .put("groupId", Integer.toUnsignedLong(entry.groupId()))
            .put("sizeBytes", entry.sizeBytes())
            .put("modifiedSeconds", entry.modifiedSeconds())
            .put("linkTarget", target));
  }

  private static String mode(IndexedEntry entry) {
    StringBuilder mode = new StringBuilder().append(entry.type());
    String letters = "rwxrwxrwx";
    for (int i = 0; i < letters.length(); i++) {
      boolean set = (entry.permissions() & (0400 >> i)) != 0;
      mode.append(set ? letters.charAt(i) : '-');
    }
    return mode.toString();
  }
}
