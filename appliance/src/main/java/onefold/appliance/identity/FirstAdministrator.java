package onefold.appliance.identity;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Collections;
import java.util.Optional;
import java.util.TreeMap;
import java.util.random.RandomGenerator;
import onefold.appliance.context.Context;
import onefold.catalyst.wire.ScramVerifier;
import onefold.store.ChunkStore;
import onefold.store.Id;

/** Makes the administrator {@value #NAME} with a random password when there is no user yet. */
public final class FirstAdministrator {
  /** Who is made first. */
  public static final String NAME = "admin";

  // No letters and digits that look alike; 16 of 31 are 79 bits.
  private static final String ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789";
  private static final int PASSWORD_CHARS = 16;
  private static final int GROUP_CHARS = 4;

  private final ChunkStore store;
  private final Users users;
  private final RandomGenerator random;

  public FirstAdministrator(ChunkStore store, Users users, RandomGenerator random) {
    this.store = store;
    this.users = users;
    this.random = random;
  }

  /**
   * Makes the administrator if there is no user.
   *
   * <p>The password is made durable in the context file before the user is: a crash between the two
   * leaves a context whose password the next start takes, never a user whose password nobody knows.
   *
   * @param contextFile where the password is kept for this machine
   * @param before what it holds now
   * @param pin of the appliance's key
   * @return the password if the user was made
   */
  public Optional<String> ensure(Path contextFile, Optional<Context> before, String pin)
      throws IOException {
    if (!users.list().isEmpty()) {
      return Optional.empty();
    }
    Optional<String> kept =
        before.filter(c -> c.user().equals(NAME) && !c.password().isEmpty()).map(Context::password);
    String password = kept.orElseGet(() -> randomPassword(random));
    if (kept.isEmpty()) {
      new Context("127.0.0.1", Collections.emptySortedMap(), NAME, password, "", pin)
          .write(contextFile);
    }
    users.create(
        Id.random(random),
        new User(
            NAME,
            User.DEFAULT_TENANT,
            true,
            true,
            new TreeMap<>(),
            ScramVerifier.of(password.toCharArray(), random),
            store.storeTimeMillis()));
    return Optional.of(password);
  }

  /** Makes a password that can be read aloud. */
  public static String randomPassword(RandomGenerator random) {
    StringBuilder password = new StringBuilder();
    for (int i = 0; i < PASSWORD_CHARS; i++) {
      if (i > 0 && i % GROUP_CHARS == 0) {
        password.append('-');
      }
      password.append(ALPHABET.charAt(random.nextInt(ALPHABET.length())));
    }
    return password.toString();
  }
}
