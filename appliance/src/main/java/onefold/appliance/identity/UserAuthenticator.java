package onefold.appliance.identity;

import java.io.IOException;
import java.util.Optional;
import onefold.catalyst.server.Authenticator;
import onefold.catalyst.server.Right;
import onefold.catalyst.wire.ScramVerifier;

/** Lets the Catalyst endpoint ask the appliance's users. */
public final class UserAuthenticator implements Authenticator {
  private final Users users;
  private final byte[] unknownUserSecret;

  public UserAuthenticator(Users users, ApplianceKey key) {
    this.users = users;
    this.unknownUserSecret = key.derive("unknown users");
  }

  @Override
  public Optional<ScramVerifier> verifier(String user) throws IOException {
    return users.find(user).filter(User::enabled).map(User::verifier);
  }

  @Override
  public byte[] unknownUserSecret() {
    return unknownUserSecret.clone();
  }

  @Override
  public boolean permits(String user, Right right, String storeName) throws IOException {
    Access wanted =
        switch (right) {
          case READ -> Access.READ;
          case APPEND -> Access.APPEND;
          case WRITE, RELEASE -> Access.WRITE;
        };
    return users
        .find(user)
        .filter(User::enabled)
        .filter(u -> u.may(wanted, storeName))
        .filter(u -> right != Right.RELEASE || u.administrator())
        .isPresent();
  }
}
