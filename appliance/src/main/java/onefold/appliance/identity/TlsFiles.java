package onefold.appliance.identity;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.time.Instant;
import java.util.List;
import onefold.appliance.context.PrivateFile;
import onefold.catalyst.server.SelfSigned;
import onefold.catalyst.server.TlsIdentity;

/**
 * The appliance's TLS key and certificate as PEM files.
 *
 * @param key file of the private key
 * @param certificate file of the certificates, the appliance's own first
 */
public record TlsFiles(Path key, Path certificate) {
  private static final int MAX_BYTES = 256 << 10;

  /** Returns the files in the folder of keys, where the self-signed certificate lies. */
  public static TlsFiles in(Path folder) {
    return new TlsFiles(folder.resolve("tls.key"), folder.resolve("tls.crt"));
  }

  /**
   * Reads the two files.
   *
   * @throws IOException if one is missing or not what it should be; the message names it
   */
  public TlsIdentity read() throws IOException {
    try {
      return SelfSigned.read(text(key), text(certificate));
    } catch (GeneralSecurityException e) {
      throw new IOException(
          "TLS key " + key + " and certificate " + certificate + ": " + e.getMessage(), e);
    }
  }

  /**
   * Reads the two files, or makes a key and a self-signed certificate if there is no key. A key
   * whose certificate is missing gets a new certificate and stays, because clients pin it.
   *
   * @param names of the machine, for the certificate
   * @throws IOException if a file is not what it should be; the message names it
   */
  public TlsIdentity readOrCreate(List<String> names, Instant now) throws IOException {
    if (Files.exists(key) && Files.exists(certificate)) {
      return read();
    }
    TlsIdentity made = Files.exists(key) ? certifyAgain(names, now) : SelfSigned.create(names, now);
    write(made);
    return made;
  }

  private TlsIdentity certifyAgain(List<String> names, Instant now) throws IOException {
    try {
      return SelfSigned.renew(text(key), names, now);
    } catch (GeneralSecurityException e) {
      throw new IOException(
          "TLS key "
              + key
              + " has no certificate "
              + certificate
              + " and none can be made for it: "
              + e.getMessage()
              + ". Put the certificate back, or move the key away to have a new one made, which"
              + " every client must then be told.",
          e);
    }
  }

  /** Makes a new self-signed certificate for the same key, so that its pin stays. */
  public TlsIdentity renew(List<String> names, Instant now) throws IOException {
    TlsIdentity renewed = SelfSigned.renew(read(), names, now);
    write(renewed);
    return renewed;
  }

  private void write(TlsIdentity identity) throws IOException {
    Path folder = key.toAbsolutePath().getParent();
    if (folder != null) {
      PrivateFile.createFolder(folder);
    }
    PrivateFile.write(key, SelfSigned.keyPem(identity));
    PrivateFile.write(certificate, SelfSigned.certificatePem(identity));
  }

  private static String text(Path file) throws IOException {
    if (!Files.isReadable(file)) {
      throw new IOException("TLS file " + file + " cannot be read");
    }
    return new String(PrivateFile.read(file, MAX_BYTES), StandardCharsets.US_ASCII);
  }
}
