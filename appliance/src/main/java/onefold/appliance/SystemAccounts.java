package onefold.appliance;

import java.io.IOException;
import java.lang.System.Logger.Level;
import java.nio.charset.StandardCharsets;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.LongSupplier;
import onefold.nas.nfs.Accounts;

/**
 * The machine's own accounts, from whatever directory it takes them: asked for with {@code id}.
 * Answers are kept for ten minutes, at most {@link #MAX_KEPT} of them.
 */
final class SystemAccounts implements Accounts {
  static final int MAX_KEPT = 10_000;
  private static final long KEPT_NANOS = TimeUnit.MINUTES.toNanos(10);
  private static final int PATIENCE_SECONDS = 10;
  private static final int MAX_GROUPS = 1024;
  private static final System.Logger LOG = System.getLogger(SystemAccounts.class.getName());

  private final LongSupplier nanoClock;
  private final ReentrantLock lock = new ReentrantLock();
  private final LinkedHashMap<String, Known> kept = new LinkedHashMap<>(); // guarded by lock

  private record Known(Account account, long nanos) {}

  SystemAccounts(LongSupplier nanoClock) {
    this.nanoClock = nanoClock;
  }

  @Override
  public Optional<Account> find(String name) {
    lock.lock();
    try {
      Known known = kept.get(name);
      if (known != null && nanoClock.getAsLong() - known.nanos() < KEPT_NANOS) {
        return Optional.of(known.account());
      }
    } finally {
      lock.unlock();
    }
    Optional<Account> found = Optional.empty();
    try {
      found = ask(name);
    } catch (IOException | NumberFormatException e) {
      LOG.log(Level.WARNING, () -> "the account " + name + " cannot be asked for: " + e);
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
    }
    found.ifPresent(account -> keep(name, account));
    return found;
  }

  private void keep(String name, Account account) {
    lock.lock();
    try {
      kept.remove(name);
      kept.put(name, new Known(account, nanoClock.getAsLong()));
      if (kept.size() > MAX_KEPT) {
        kept.pollFirstEntry();
      }
    } finally {
      lock.unlock();
    }
  }

  private static Optional<Account> ask(String name) throws IOException, InterruptedException {
    Optional<String> uid = id("-u", name);
    Optional<String> gid = id("-g", name);
    Optional<String> groups = id("-G", name);
    if (uid.isEmpty() || gid.isEmpty() || groups.isEmpty()) {
      return Optional.empty();
    }
    Set<Long> numbers = new HashSet<>();
    for (String group : groups.orElseThrow().split(" ", -1)) {
      if (numbers.size() < MAX_GROUPS) {
        numbers.add(Long.parseLong(group));
      }
    }
    return Optional.of(
        new Account(Long.parseLong(uid.orElseThrow()), Long.parseLong(gid.orElseThrow()), numbers));
  }

  /** What id prints; empty if there is no such account. */
  private static Optional<String> id(String what, String name)
      throws IOException, InterruptedException {
    Process process =
        new ProcessBuilder("id", what, "--", name)
            .redirectError(ProcessBuilder.Redirect.DISCARD)
            .start();
    process.getOutputStream().close();
    byte[] said = process.getInputStream().readNBytes(64 << 10);
    if (!process.waitFor(PATIENCE_SECONDS, TimeUnit.SECONDS)) {
      process.destroyForcibly();
      throw new IOException("'id " + what + " " + name + "' does not end");
    }
    return process.exitValue() == 0
        ? Optional.of(new String(said, StandardCharsets.UTF_8).strip())
        : Optional.empty();
  }
}
