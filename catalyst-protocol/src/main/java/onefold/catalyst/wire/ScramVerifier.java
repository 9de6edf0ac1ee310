package onefold.catalyst.wire;

import java.util.Arrays;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/**
 * What a server keeps of a password (RFC 5802 §3): enough to check a proof, not enough to make one.
 * It is a secret all the same.
 *
 * @param salt of this user
 * @param iterations rounds of PBKDF2
 * @param storedKey SHA-256 of the client key, 32 bytes
 * @param serverKey 32 bytes
 */
public record ScramVerifier(byte[] salt, int iterations, byte[] storedKey, byte[] serverKey) {
  /** Rounds for new passwords; RFC 7677 asks for at least so many. */
  public static final int DEFAULT_ITERATIONS = 4096;

  /** Fewer rounds are refused by clients. */
  public static final int MIN_ITERATIONS = 4096;

  /** More rounds are refused by clients: a server could else keep them busy. */
  public static final int MAX_ITERATIONS = 1_000_000;

  /** Bytes of the salt of new passwords. */
  public static final int SALT_BYTES = 16;

  public ScramVerifier {
    if (salt.length < 8 || salt.length > 64) {
      throw new IllegalArgumentException("salt of " + salt.length + " bytes, must be 8 to 64");
    }
    if (iterations < MIN_ITERATIONS || iterations > MAX_ITERATIONS) {
      throw new IllegalArgumentException("iterations " + iterations);
    }
    if (storedKey.length != Scram.HASH_BYTES || serverKey.length != Scram.HASH_BYTES) {
      throw new IllegalArgumentException("keys must have 32 bytes");
    }
  }

  /** Makes the verifier of a new password, which the caller may wipe afterwards. */
  public static ScramVerifier of(char[] password, RandomGenerator random) {
    byte[] salt = new byte[SALT_BYTES];
    random.nextBytes(salt);
    return of(password, salt, DEFAULT_ITERATIONS);
  }

  /** Makes the verifier for a given salt and count. */
  public static ScramVerifier of(char[] password, byte[] salt, int iterations) {
    byte[] salted = Scram.saltedPassword(password, salt, iterations);
    return new ScramVerifier(
        salt,
        iterations,
        Scram.hash(Scram.hmac(salted, "Client Key")),
        Scram.hmac(salted, "Server Key"));
  }

  /** Returns whether this is the verifier of that password. */
  public boolean matches(char[] password) {
    return Scram.equalInConstantTime(
        storedKey, ScramVerifier.of(password, salt, iterations).storedKey);
  }

  /**
   * Returns the verifier that an unknown user is shown: always the same for a name, so that nobody
   * can tell that he is unknown, and no password fits it.
   *
   * @param secret of this appliance, the same after a restart
   */
  public static ScramVerifier forUnknown(String user, byte[] secret) {
    byte[] salt = Arrays.copyOf(Scram.hmac(secret, "salt " + user), SALT_BYTES);
    return new ScramVerifier(
        salt,
        DEFAULT_ITERATIONS,
        Scram.hmac(secret, "stored key " + user),
        Scram.hmac(secret, "server key " + user));
  }

  @Override
  public boolean equals(@Nullable Object other) {
    return other instanceof ScramVerifier that
        && Arrays.equals(salt, that.salt)
        && iterations == that.iterations
        && Arrays.equals(storedKey, that.storedKey)
        && Arrays.equals(serverKey, that.serverKey);
  }

  @Override
  public int hashCode() {
    return Arrays.hashCode(salt);
  }

  /** Shows nothing secret. */
  @Override
  public String toString() {
    return "ScramVerifier[" + iterations + " iterations]";
  }
}
