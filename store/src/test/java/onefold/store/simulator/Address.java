package onefold.store.simulator;

/**
 * Where an item is: small numbers, so that steps of a program meet each other often and one can be
 * taken out without the others losing their sense.
 *
 * @param store index of the store
 * @param lane whose names; tasks that run at once have different ones
 * @param name index of the name
 */
record Address(int store, int lane, int name) {
  /** Stores of a program: two in one domain, the second with quotas, and one in another domain. */
  static final int STORES = 3;

  static final int LANES = 3;

  /** Names whose order by UTF-8 bytes is not that of their UTF-16 units. */
  private static final String[] NAMES = {
    "monday", "monday/1", "tuesday", "\uFFFD", "\uD83D\uDCBE", "ü", "m"
  };

  static final int NAMES_PER_LANE = NAMES.length;

  private static final String[] STORE_NAMES = {"default", "other", "third"};

  static String storeName(int store) {
    return STORE_NAMES[store];
  }

  static String prefix(int lane) {
    return "lane" + lane + "/";
  }

  String itemName() {
    return prefix(lane) + NAMES[name];
  }

  @Override
  public String toString() {
    return "%s:%d/%d".formatted(STORE_NAMES[store], lane, name);
  }
}
