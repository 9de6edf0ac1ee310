package onefold.appliance.rest;

import java.time.Duration;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.LongSupplier;
import java.util.random.RandomGenerator;

/** Tokens given for a login; short-lived, in memory only. At the bound the oldest one goes. */
final class Tokens {
  static final int MAX_TOKENS = 10_000;

  static final Duration LIFETIME = Duration.ofMinutes(15);

  private record Token(String user, long endsAtNanos) {}

  private final RandomGenerator random;
  private final LongSupplier nanoTime;
  private final ReentrantLock lock = new ReentrantLock();
  private final Map<String, Token> tokens = new LinkedHashMap<>(); // guarded by lock

  Tokens(RandomGenerator random, LongSupplier nanoTime) {
    this.random = random;
    this.nanoTime = nanoTime;
  }

  String issue(String user) {
    byte[] bytes = new byte[24];
    random.nextBytes(bytes);
    String token = Base64.getUrlEncoder().withoutPadding().encodeToString(bytes);
    lock.lock();
    try {
      long now = nanoTime.getAsLong();
      tokens.values().removeIf(t -> now - t.endsAtNanos() >= 0);
      if (tokens.size() >= MAX_TOKENS) {
        tokens.remove(tokens.keySet().iterator().next());
      }
      tokens.put(token, new Token(user, now + LIFETIME.toNanos()));
    } finally {
      lock.unlock();
    }
    return token;
  }

  /** Returns whose token it is, while it is valid. */
  Optional<String> userOf(String token) {
    lock.lock();
    try {
      Token found = tokens.get(token);
      return found == null || nanoTime.getAsLong() - found.endsAtNanos() >= 0
          ? Optional.empty()
          : Optional.of(found.user());
    } finally {
      lock.unlock();
    }
  }

  /** Ends all tokens of a user, whose password or rights have changed. */
  void end(String user) {
    lock.lock();
    try {
      tokens.values().removeIf(t -> t.user().equals(user));
    } finally {
      lock.unlock();
    }
  }
}
