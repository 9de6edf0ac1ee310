package onefold.appliance.cli;

import java.io.IOException;
import java.time.ZonedDateTime;
import java.util.ArrayList;
import java.util.List;
import onefold.appliance.json.JsonObject;

/**
 * A deleted item as it is typed: STORE/ITEM, or STORE/ITEM@VERSION where there are several.
 *
 * @param item the item
 * @param version of it, or 0 for the newest
 */
record Deleted(ItemReference item, long version) {
  private static final int PAGE = 1000;

  /** Most digits of a version. */
  private static final int MAX_DIGITS = 18;

  /** Reads a reference; what follows the last @ is a version if it is a number. */
  static Deleted parse(String text, ZonedDateTime now) throws Failure {
    int at = text.lastIndexOf('@');
    String digits = at < 0 ? "" : text.substring(at + 1);
    boolean isVersion =
        !digits.isEmpty()
            && digits.length() <= MAX_DIGITS
            && digits.chars().allMatch(c -> c >= '0' && c <= '9');
    return isVersion
        ? new Deleted(ItemReference.parse(text.substring(0, at), now), Long.parseLong(digits))
        : new Deleted(ItemReference.parse(text, now), 0);
  }

  /** Returns the deleted items of a store whose names begin with a prefix, at most so many. */
  static List<JsonObject> list(RestClient rest, String store, String prefix, int most)
      throws IOException, Failure {
    List<JsonObject> all = new ArrayList<>();
    String after = "";
    boolean more = true;
    while (more && all.size() < most) {
      JsonObject page =
          rest.get(
              "/stores/"
                  + RestClient.encoded(store)
                  + "/deleted?prefix="
                  + RestClient.encoded(prefix)
                  + "&limit="
                  + Math.min(PAGE, most - all.size())
                  + "&after="
                  + RestClient.encoded(after));
      all.addAll(page.array("deleted").objects());
      more = page.bool("more", false);
      after = page.optionalText("next").orElse("");
    }
    return all;
  }

  /**
   * Finds it.
   *
   * @throws Failure if there is none
   */
  JsonObject find(RestClient rest) throws IOException, Failure {
    for (JsonObject found : list(rest, item.store(), item.item(), Integer.MAX_VALUE)) {
      if (!found.text("name").equals(item.item())) {
        break; // Those of the name itself come first.
      }
      if (version == 0 || found.number("version") == version) {
        return found;
      }
    }
    throw Failure.failed(
        "there is no deleted "
            + item
            + (version == 0 ? "" : " of version " + version)
            + "; see './onefold ls "
            + item.store()
            + " --deleted'");
  }

  /** Returns the path of a deleted item over REST. */
  static String path(String store, JsonObject found) {
    return "/stores/"
        + RestClient.encoded(store)
        + "/deleted/"
        + RestClient.encoded(found.text("name"));
  }
}
