package onefold.appliance.rest;

import java.io.IOException;
import java.security.GeneralSecurityException;
import java.security.cert.X509Certificate;
import java.util.Base64;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.LongSupplier;
import java.util.random.RandomGenerator;
import onefold.appliance.identity.CertificateBinding;
import onefold.appliance.identity.User;
import onefold.appliance.identity.Users;
import onefold.catalyst.wire.ChannelBinding;
import onefold.catalyst.wire.ScramServer;
import onefold.catalyst.wire.ScramVerifier;
import onefold.catalyst.wire.WireException;

/**
 * Logins over REST: two requests of one SCRAM conversation, bound to the server's certificate, then
 * a token. An unknown user fails at the same step and in the same words as a wrong password. After
 * each failure the next answer for that name comes later, up to {@link #MOST_DELAY_NANOS}.
 */
final class Logins {
  static final int MAX_PENDING = 256;

  private static final int MAX_FAILING_NAMES = 1024;
  private static final long PENDING_NANOS = 60_000_000_000L;
  private static final long FIRST_DELAY_NANOS = 250_000_000L;
  private static final long MOST_DELAY_NANOS = 4_000_000_000L;

  /** A conversation whose challenge was given. */
  private record Pending(ScramServer server, String user, boolean enabled, long startedNanos) {}

  /** Failures of a name since its last success. */
  private record Failures(int count, long lastNanos) {}

  private final Users users;
  private final Tokens tokens;
  private final RandomGenerator random;
  private final LongSupplier nanoTime;
  private final byte[] unknownSecret;
  private final List<ChannelBinding> bindings;
  private final ReentrantLock lock = new ReentrantLock();
  private final Map<String, Pending> pending = new LinkedHashMap<>(); // guarded by lock
  private final Map<String, Failures> failures = new HashMap<>(); // guarded by lock

  /**
   * @param unknownSecret of this appliance, for the salt that an unknown user is shown
   * @param certificate the door's own
   */
  Logins(
      Users users,
      Tokens tokens,
      RandomGenerator random,
      LongSupplier nanoTime,
      byte[] unknownSecret,
      X509Certificate certificate)
      throws GeneralSecurityException {
    this.users = users;
    this.tokens = tokens;
    this.random = random;
    this.nanoTime = nanoTime;
    this.unknownSecret = unknownSecret.clone();
    this.bindings = List.of(CertificateBinding.of(certificate));
  }

  /** What the first step answers. */
  record Challenge(String conversation, byte[] message) {}

  /** What the second step answers. */
  record Outcome(byte[] message, String token, String user) {}

  /**
   * Takes the client's first message.
   *
   * @throws WireException if it is malformed or binds to another channel
   */
  Challenge begin(byte[] clientFirst) throws IOException {
    ScramServer server = new ScramServer(clientFirst, bindings, random);
    Optional<User> user = users.find(server.user());
    ScramVerifier verifier =
        user.map(User::verifier)
            .orElseGet(() -> ScramVerifier.forUnknown(server.user(), unknownSecret));
    byte[] challenge = server.challenge(verifier);
    byte[] bytes = new byte[18];
    random.nextBytes(bytes);
    String conversation = Base64.getUrlEncoder().withoutPadding().encodeToString(bytes);
    lock.lock();
    try {
      long now = nanoTime.getAsLong();
      pending.values().removeIf(p -> now - p.startedNanos() > PENDING_NANOS);
      if (pending.size() >= MAX_PENDING) {
        pending.remove(pending.keySet().iterator().next());
      }
      pending.put(
          conversation,
          new Pending(server, server.user(), user.map(User::enabled).orElse(false), now));
    } finally {
      lock.unlock();
    }
    return new Challenge(conversation, challenge);
  }

  /** Returns how long the answer to the proof of this conversation must wait. */
  long delayNanos(String conversation) {
    lock.lock();
    try {
      Pending found = pending.get(conversation);
      Failures failed = found == null ? null : failures.get(found.user());
      if (failed == null) {
        return 0;
      }
      long delay =
          Math.min(MOST_DELAY_NANOS, FIRST_DELAY_NANOS << Math.min(10, failed.count() - 1));
      return Math.max(0, delay - (nanoTime.getAsLong() - failed.lastNanos()));
    } finally {
      lock.unlock();
    }
  }

  /**
   * Takes the client's proof.
   *
   * @return empty if user or password is wrong, or nobody knows the conversation
   */
  Optional<Outcome> finish(String conversation, byte[] clientFinal) {
    Pending found;
    lock.lock();
    try {
      found = pending.remove(conversation);
    } finally {
      lock.unlock();
    }
    if (found == null) {
      return Optional.empty();
    }
    try {
      byte[] serverFinal = found.server().check(clientFinal);
      if (found.enabled()) {
        forget(found.user());
        return Optional.of(new Outcome(serverFinal, tokens.issue(found.user()), found.user()));
      }
    } catch (WireException e) {
      // A wrong password, or a message that is none: both fail the login and count.
    }
    countFailure(found.user());
    return Optional.empty();
  }

  private void forget(String user) {
    lock.lock();
    try {
      failures.remove(user);
    } finally {
      lock.unlock();
    }
  }

  private void countFailure(String user) {
    lock.lock();
    try {
      if (failures.size() >= MAX_FAILING_NAMES && !failures.containsKey(user)) {
        failures.clear(); // Somebody tries names; those he tried most are worth no memory.
      }
      int count = failures.getOrDefault(user, new Failures(0, 0)).count();
      failures.put(user, new Failures(count + 1, nanoTime.getAsLong()));
    } finally {
      lock.unlock();
    }
  }
}
