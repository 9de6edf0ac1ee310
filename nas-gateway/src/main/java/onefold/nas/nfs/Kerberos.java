package onefold.nas.nfs;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletionException;
import javax.security.auth.Subject;
import javax.security.auth.login.AppConfigurationEntry;
import javax.security.auth.login.Configuration;
import javax.security.auth.login.LoginContext;
import javax.security.auth.login.LoginException;
import org.ietf.jgss.GSSContext;
import org.ietf.jgss.GSSCredential;
import org.ietf.jgss.GSSException;
import org.ietf.jgss.GSSManager;
import org.ietf.jgss.Oid;
import org.jspecify.annotations.Nullable;

/**
 * The keys of the service {@code nfs/HOST@REALM}, with which clients' tickets are checked. No key
 * distribution centre is ever asked. For several threads.
 */
public final class Kerberos {
  /** Serves none: calls with Kerberos are refused. */
  public static final Kerberos NONE = new Kerberos(null, name -> Optional.empty());

  private static final String SERVICE = "nfs/";
  private static final int MAX_NAME_CHARACTERS = 64;
  private static final System.Logger LOG = System.getLogger(Kerberos.class.getName());

  private final @Nullable Subject subject;
  private final Accounts accounts;

  private Kerberos(@Nullable Subject subject, Accounts accounts) {
    this.subject = subject;
    this.accounts = accounts;
  }

  /**
   * Serves Kerberos with the keys in a file, which is read again when it changes.
   *
   * @throws IOException if it cannot be read
   */
  public static Kerberos of(Path keytab, Accounts accounts) throws IOException {
    if (!Files.isReadable(keytab)) {
      throw new IOException(
          "the keytab " + keytab + " cannot be read; make it with 'ktadd -k' for nfs/HOST");
    }
    try {
      var login = new LoginContext("onefold", new Subject(), null, ofKeytab(keytab));
      login.login();
      return new Kerberos(login.getSubject(), accounts);
    } catch (LoginException e) {
      throw new IOException("the keytab " + keytab + ": " + e.getMessage(), e);
    }
  }

  private static Configuration ofKeytab(Path keytab) {
    Map<String, String> options =
        Map.of(
            "useKeyTab", "true",
            "keyTab", keytab.toAbsolutePath().toString(),
            "principal", "*",
            "storeKey", "true",
            "isInitiator", "false",
            "doNotPrompt", "true");
    var entry =
        new AppConfigurationEntry(
            "com.sun.security.auth.module.Krb5LoginModule",
            AppConfigurationEntry.LoginModuleControlFlag.REQUIRED,
            options);
    return new Configuration() {
      @Override
      public AppConfigurationEntry[] getAppConfigurationEntry(String name) {
        return new AppConfigurationEntry[] {entry};
      }
    };
  }

  boolean isServed() {
    return subject != null;
  }

  /**
   * What a client's token led to.
   *
   * @param token for the client
   * @param principal whose ticket it was
   * @param account his numbers; empty if he has none here
   */
  record Accepted(
      GSSContext context, byte[] token, String principal, Optional<Accounts.Account> account) {}

  /**
   * Accepts a client's first and only token.
   *
   * @throws GSSException if the ticket is not for this service, or not good
   */
  Accepted accept(byte[] token) throws GSSException {
    Subject own = subject;
    if (own == null) {
      throw new GSSException(GSSException.NO_CRED);
    }
    try {
      return Subject.callAs(own, () -> acceptAsService(token));
    } catch (CompletionException e) {
      if (e.getCause() instanceof GSSException refused) {
        throw refused;
      }
      throw e;
    }
  }

  private Accepted acceptAsService(byte[] token) throws GSSException {
    var mechanism = new Oid("1.2.840.113554.1.2.2");
    GSSManager manager = GSSManager.getInstance();
    GSSCredential credential =
        manager.createCredential(
            null, GSSCredential.INDEFINITE_LIFETIME, mechanism, GSSCredential.ACCEPT_ONLY);
    GSSContext context = manager.createContext(credential);
    boolean accepted = false;
    try {
      byte[] answer = context.acceptSecContext(token, 0, token.length);
      String service = context.getTargName().toString();
      if (!context.isEstablished() || !service.startsWith(SERVICE)) {
        throw new GSSException(
            GSSException.FAILURE, 1, "the ticket is for " + service + ", not for nfs/HOST");
      }
      String principal = context.getSrcName().toString();
      Optional<Accounts.Account> account = account(principal, realm(service));
      accepted = true;
      return new Accepted(context, answer == null ? new byte[0] : answer, principal, account);
    } finally {
      if (!accepted) {
        dispose(context);
      }
    }
  }

  static void dispose(GSSContext context) {
    try {
      context.dispose();
    } catch (GSSException e) {
      LOG.log(System.Logger.Level.DEBUG, "a context of Kerberos", e);
    }
  }

  private static String realm(String principal) {
    return principal.substring(principal.lastIndexOf('@') + 1);
  }

  /** Users of the service's own realm have accounts; services, hosts and strangers have none. */
  private Optional<Accounts.Account> account(String principal, String realm) {
    int at = principal.lastIndexOf('@');
    if (at < 1 || at > MAX_NAME_CHARACTERS || !principal.substring(at + 1).equals(realm)) {
      return Optional.empty();
    }
    String name = principal.substring(0, at);
    boolean plain =
        name.charAt(0) != '-'
            && name.chars()
                .allMatch(c ->
                    (c >= 'a' && c <= 'z')
                        || (c >= 'A' && c <= 'Z')
                        || (c >= '0' && c <= '9')
                        || c == '.'
                        || c == '-'
                        || c == '_');
    return plain ? accounts.find(name) : Optional.empty();
  }
}
