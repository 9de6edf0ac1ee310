package onefold.appliance.cli;

import java.io.IOException;
import java.net.ConnectException;
import onefold.appliance.FrontEnd;
import onefold.appliance.Version;
import onefold.appliance.context.Context;
import onefold.appliance.context.Contexts;
import onefold.catalyst.client.CatalystClient;
import onefold.catalyst.client.CatalystException;
import onefold.catalyst.client.ClientSettings;
import onefold.catalyst.client.KeyMismatchException;
import onefold.catalyst.client.ServerTrust;
import onefold.catalyst.wire.ErrorCode;
import onefold.catalyst.wire.TlsProvider;

/** Connects to the Catalyst door that a context names. */
final class Catalyst {
  private Catalyst() {}

  /**
   * Connects and logs in, for a verb that moves gigabytes: its TLS is worth loading. The caller
   * closes the client.
   *
   * @throws Failure if that is not possible; the message names the context's file and what mends it
   */
  static CatalystClient open(Contexts.Found found) throws Failure {
    return open(found, TlsProvider.AUTO);
  }

  /** The same for a verb that asks and lists: its TLS is the one that is there at once. */
  static CatalystClient openBriefly(Contexts.Found found) throws Failure {
    return open(found, TlsProvider.JDK);
  }

  private static CatalystClient open(Contexts.Found found, TlsProvider tls) throws Failure {
    Context context = found.context();
    int port = context.port(FrontEnd.CATALYST.label(), FrontEnd.CATALYST.defaultPort());
    if (context.user().isEmpty()) {
      throw Failure.failed(
          "context "
              + found.file()
              + " holds a token only; bytes need a user and a password: ./onefold connect "
              + context.host());
    }
    ServerTrust trust =
        context.pin().isEmpty()
            ? new ServerTrust.Certified(java.util.List.of())
            : new ServerTrust.Pinned(context.pin());
    try {
      return CatalystClient.connect(
          ClientSettings.of(
                  context.host(), port, context.user(), context.password().toCharArray(), trust)
              .withTlsProvider(tls)
              .withSoftware("onefold " + Version.current()));
    } catch (KeyMismatchException e) {
      throw RestClient.stale(
          found,
          context.host()
              + " has another key than the one this context trusts (found "
              + e.foundPin()
              + ", expected "
              + e.expectedPin()
              + "); it was set up anew, or it is not the same machine",
          e);
    } catch (CatalystException e) {
      throw RestClient.stale(found, refusal(e), e);
    } catch (IOException e) {
      if (e instanceof ConnectException || e.getCause() instanceof ConnectException) {
        throw RestClient.stale(found, "nothing answers at " + context.host() + " port " + port, e);
      }
      throw RestClient.stale(found, context.host() + " port " + port + ": " + e.getMessage(), e);
    }
  }

  private static String refusal(CatalystException error) {
    return error.code() == ErrorCode.AUTHENTICATION_FAILED
        ? "user or password is wrong (" + error.getMessage() + ")"
        : String.valueOf(error.getMessage());
  }

  /** Says that a store does not exist and what makes it. */
  static Failure noSuchStore(String store, Throwable cause) {
    return Failure.failed(
        "store '" + store + "' does not exist; make it: ./onefold store create " + store, cause);
  }
}
