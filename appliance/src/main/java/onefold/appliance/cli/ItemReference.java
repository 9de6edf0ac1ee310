package onefold.appliance.cli;

import java.io.IOException;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.util.Locale;
import onefold.store.Names;

/**
 * An item as it is typed: STORE/ITEM, or STORE@SNAPSHOT/ITEM. The first slash ends the store's
 * name; {@code {date}} in an item's name becomes the local time.
 *
 * @param store name of the store
 * @param item name of the item
 */
public record ItemReference(String store, String item) {
  private static final DateTimeFormatter DATE =
      DateTimeFormatter.ofPattern("yyyy-MM-dd'T'HHmmss", Locale.ROOT);

  /**
   * Reads a reference.
   *
   * @param now what {@code {date}} stands for
   * @throws Failure if it names no store and item that can be
   */
  public static ItemReference parse(String text, ZonedDateTime now) throws Failure {
    int slash = text.indexOf('/');
    if (slash <= 0 || slash == text.length() - 1) {
      throw Failure.misused("'" + text + "' is no STORE/ITEM, such as default/monday");
    }
    return of(
        text.substring(0, slash), text.substring(slash + 1).replace("{date}", DATE.format(now)));
  }

  private static ItemReference of(String store, String item) throws Failure {
    checkDecoded(item);
    try {
      return new ItemReference(Names.checkStoreOrSnapshotName(store), Names.checkItemName(item));
    } catch (IOException e) {
      throw Failure.misused(String.valueOf(e.getMessage()));
    }
  }

  /**
   * Java puts U+FFFD where the command line held no UTF-8; such a name is not the one that was
   * meant.
   */
  static void checkDecoded(String name) throws Failure {
    if (name.indexOf('\ufffd') >= 0) {
      throw Failure.misused("name '" + name + "' is not valid UTF-8");
    }
  }

  @Override
  public String toString() {
    return store + "/" + item;
  }
}
