package onefold.appliance.identity;

import java.util.Collections;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import onefold.catalyst.wire.ScramVerifier;
import onefold.store.SnapshotRecord;

/**
 * Somebody who may enter.
 *
 * @param name unique on the appliance
 * @param tenant the tenant the user belongs to
 * @param administrator whether the user manages the appliance, which includes every store
 * @param enabled whether the user may enter at all
 * @param stores access by name of store; the name {@value #EVERY_STORE} stands for every store of
 *     the tenant
 * @param shortensLocks whether the user, being an administrator, may also shorten locks of the
 *     governance kind and weaken what a store promises about locks
 * @param verifier of the password
 * @param changedAtMillis store time of the last change
 */
public record User(
    String name,
    String tenant,
    boolean administrator,
    boolean enabled,
    SortedMap<String, Access> stores,
    boolean shortensLocks,
    ScramVerifier verifier,
    long changedAtMillis) {
  /** The tenant in which everything is made when nothing else is said. */
  public static final String DEFAULT_TENANT = "default";

  /** Stands for every store. */
  public static final String EVERY_STORE = "*";

  public User {
    stores = Collections.unmodifiableSortedMap(new TreeMap<>(stores));
  }

  /** Makes one without the right to shorten locks. */
  public User(
      String name,
      String tenant,
      boolean administrator,
      boolean enabled,
      SortedMap<String, Access> stores,
      ScramVerifier verifier,
      long changedAtMillis) {
    this(name, tenant, administrator, enabled, stores, false, verifier, changedAtMillis);
  }

  /** Says whether the user may shorten locks. */
  public boolean mayShortenLocks() {
    return administrator && shortensLocks;
  }

  /**
   * Returns what the user may do in a store; empty: it does not exist for the user. A snapshot is
   * as its store.
   */
  public Optional<Access> access(String name) {
    if (administrator) {
      return Optional.of(Access.WRITE);
    }
    return Optional.ofNullable(stores.get(SnapshotRecord.storeName(name)))
        .or(() -> Optional.ofNullable(stores.get(EVERY_STORE)));
  }

  /** Says whether the user may do in a store what this level allows. */
  public boolean may(Access wanted, String store) {
    return access(store).filter(has -> has.compareTo(wanted) >= 0).isPresent();
  }

  public User withVerifier(ScramVerifier value, long atMillis) {
    return new User(name, tenant, administrator, enabled, stores, shortensLocks, value, atMillis);
  }

  public User with(
      boolean isAdministrator, boolean isEnabled, SortedMap<String, Access> access, long atMillis) {
    return new User(
        name, tenant, isAdministrator, isEnabled, access, shortensLocks, verifier, atMillis);
  }

  public User withShortensLocks(boolean value) {
    return new User(name, tenant, administrator, enabled, stores, value, verifier, changedAtMillis);
  }
}
