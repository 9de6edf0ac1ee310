package onefold.appliance.cli;

import java.io.IOException;
import java.nio.file.Path;
import java.security.cert.X509Certificate;
import java.time.Instant;
import onefold.appliance.Appliance;
import onefold.appliance.context.Contexts;
import onefold.appliance.identity.TlsFiles;
import onefold.appliance.json.JsonObject;
import onefold.catalyst.server.TlsIdentity;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** The appliance's own certificate: show, renew. */
@Command(
    name = "certificate",
    description = "The appliance's own certificate: show and renew it.",
    footer = {"", "Example:", "  ./onefold certificate show"})
final class CertificateVerb extends Group {
  CertificateVerb(Environment environment) {
    super(new Show(environment), new Renew(environment));
  }

  private abstract static class OfDirectory extends Verb {
    @Option(
        names = "--data",
        paramLabel = "DIR",
        description = "The data directory; ./onefold-data when not said.")
    Path data = Path.of(Contexts.DEFAULT_DATA);

    OfDirectory(Environment environment) {
      super(environment);
    }

    TlsFiles files() {
      return TlsFiles.in(data.resolve(Appliance.KEYS_FOLDER));
    }

    void show(TlsIdentity identity) {
      X509Certificate certificate = identity.certificate();
      say("pin      " + identity.pin());
      say("subject  " + certificate.getSubjectX500Principal().getName());
      say("until    " + Times.show(certificate.getNotAfter().toInstant().toEpochMilli()));
      result(
          new JsonObject()
              .put("pin", identity.pin())
              .put("subject", certificate.getSubjectX500Principal().getName())
              .put("notAfter", certificate.getNotAfter().toInstant().toEpochMilli()));
    }
  }

  @Command(
      name = "show",
      description = "Show the certificate of a data directory and the key that clients pin.",
      footer = {"", "Example:", "  ./onefold certificate show --data ./onefold-data"})
  private static final class Show extends OfDirectory {
    Show(Environment environment) {
      super(environment);
    }

    @Override
    public Integer call() throws IOException {
      show(files().read());
      return Exit.DONE;
    }
  }

  @Command(
      name = "renew",
      description =
          "Make a new certificate for the same key; pinned clients go on. Needs the server"
              + " stopped.",
      footer = {"", "Example:", "  ./onefold certificate renew --data ./onefold-data"})
  private static final class Renew extends OfDirectory {
    Renew(Environment environment) {
      super(environment);
    }

    @Override
    public Integer call() throws IOException, Failure {
      try (OfflineStore locked = OfflineStore.open(data)) {
        if (!locked.store().stores().isEmpty()) {
          show(files().renew(Appliance.certificateNames(), Instant.now()));
        }
      }
      return Exit.DONE;
    }
  }
}
