package onefold.catalyst.server;

import java.io.IOException;
import java.util.Optional;
import onefold.catalyst.wire.ScramVerifier;

/** Who may log in and do what; the appliance answers from its users. Called by many threads. */
public interface Authenticator {
  /** Returns the verifier of a user's password, empty if there is no such user. */
  Optional<ScramVerifier> verifier(String user) throws IOException;

  /**
   * Returns at least 16 secret bytes that stay the same after a restart; from them unknown users
   * get salts, so that they cannot be told from known ones.
   */
  byte[] unknownUserSecret();

  /** Returns whether a user who has logged in may do this in the store; false if it is unknown. */
  boolean permits(String user, Right right, String storeName) throws IOException;
}
