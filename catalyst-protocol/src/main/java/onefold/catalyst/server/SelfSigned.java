package onefold.catalyst.server;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.math.BigInteger;
import java.net.InetAddress;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.PrivateKey;
import java.security.SecureRandom;
import java.security.Signature;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.security.interfaces.ECPrivateKey;
import java.security.spec.ECGenParameterSpec;
import java.security.spec.InvalidKeySpecException;
import java.security.spec.PKCS8EncodedKeySpec;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;

/**
 * Makes, writes and reads a server's own certificate: EC P-256, ten years, X.509 v3 in DER (RFC
 * 5280). The JDK can parse certificates but has no public door to make one.
 */
public final class SelfSigned {
  /** How long a new certificate is valid. */
  public static final Duration VALIDITY = Duration.ofDays(3652);

  private static final int INTEGER = 0x02;
  private static final int BIT_STRING = 0x03;
  private static final int OCTET_STRING = 0x04;
  private static final int OBJECT_ID = 0x06;
  private static final int UTF8_STRING = 0x0c;
  private static final int UTC_TIME = 0x17;
  private static final int GENERALIZED_TIME = 0x18;
  private static final int SEQUENCE = 0x30;
  private static final int SET = 0x31;
  private static final int VERSION_TAG = 0xa0;
  private static final int EXTENSIONS_TAG = 0xa3;
  private static final int DNS_NAME_TAG = 0x82;
  private static final int ADDRESS_TAG = 0x87;

  private static final byte[] ECDSA_WITH_SHA256 = {
    0x2a, (byte) 0x86, 0x48, (byte) 0xce, 0x3d, 0x04, 0x03, 0x02
  };
  private static final byte[] COMMON_NAME = {0x55, 0x04, 0x03};
  private static final byte[] BASIC_CONSTRAINTS = {0x55, 0x1d, 0x13};
  private static final byte[] SUBJECT_ALTERNATIVE_NAME = {0x55, 0x1d, 0x11};
  private static final byte[] EXTENDED_KEY_USAGE = {0x55, 0x1d, 0x25};
  private static final byte[] SERVER_AUTHENTICATION = {
    0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x01
  };
  private static final byte[] TRUE = {0x01, 0x01, (byte) 0xff};

  private SelfSigned() {}

  /**
   * Makes a new key and a certificate for it.
   *
   * @param names host names and literal IP addresses; the first becomes the subject's common name
   * @param now from a day before this it is valid
   */
  public static TlsIdentity create(List<String> names, Instant now) {
    try {
      KeyPairGenerator generator = KeyPairGenerator.getInstance("EC");
      generator.initialize(new ECGenParameterSpec("secp256r1"));
      return certify(generator.generateKeyPair(), names, now);
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException("EC P-256 belongs to every JDK", e);
    }
  }

  /** Makes a new certificate for a key there is; its pin stays. */
  public static TlsIdentity renew(TlsIdentity old, List<String> names, Instant now) {
    return certify(new KeyPair(old.certificate().getPublicKey(), old.key()), names, now);
  }

  /**
   * Makes a new certificate for a key whose certificate is lost; its pin stays.
   *
   * @throws GeneralSecurityException if the text is no EC key in PKCS #8
   */
  public static TlsIdentity renew(String keyPem, List<String> names, Instant now)
      throws GeneralSecurityException {
    PrivateKey key = readKey(keyPem, "EC");
    if (!(key instanceof ECPrivateKey curveKey)) {
      throw new GeneralSecurityException("the private key is no EC key");
    }
    TlsIdentity renewed =
        certify(new KeyPair(CurvePoint.publicKeyOf(curveKey), curveKey), names, now);
    checkPair(key, renewed.certificate());
    return renewed;
  }

  private static TlsIdentity certify(KeyPair keys, List<String> names, Instant now) {
    if (names.isEmpty()) {
      throw new IllegalArgumentException("a certificate needs a name");
    }
    try {
      byte[] algorithm = der(SEQUENCE, der(OBJECT_ID, ECDSA_WITH_SHA256));
      byte[] name = name(names.getFirst());
      Instant from = now.minus(Duration.ofDays(1));
      byte[] toSign =
          der(
              SEQUENCE,
              der(VERSION_TAG, der(INTEGER, new byte[] {2})),
              der(INTEGER, new BigInteger(127, new SecureRandom()).setBit(126).toByteArray()),
              algorithm,
              name,
              der(SEQUENCE, time(from), time(now.plus(VALIDITY))),
              name,
              keys.getPublic().getEncoded(),
              der(EXTENSIONS_TAG, der(SEQUENCE, extensions(names))));
      Signature signer = Signature.getInstance("SHA256withECDSA");
      signer.initSign(keys.getPrivate());
      signer.update(toSign);
      byte[] certificate = der(SEQUENCE, toSign, algorithm, bits(signer.sign()));
      return new TlsIdentity(keys.getPrivate(), List.of(parse(certificate)));
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException("ECDSA with SHA-256 belongs to every JDK", e);
    }
  }

  private static byte[] extensions(List<String> names) {
    byte[][] alternatives = new byte[names.size()][];
    for (int i = 0; i < alternatives.length; i++) {
      byte[] address = addressOf(names.get(i));
      alternatives[i] =
          address.length > 0
              ? der(ADDRESS_TAG, address)
              : der(DNS_NAME_TAG, names.get(i).getBytes(StandardCharsets.US_ASCII));
    }
    return joined(
        der(
            SEQUENCE,
            der(OBJECT_ID, BASIC_CONSTRAINTS),
            TRUE,
            der(OCTET_STRING, der(SEQUENCE, TRUE))),
        der(
            SEQUENCE,
            der(OBJECT_ID, EXTENDED_KEY_USAGE),
            der(OCTET_STRING, der(SEQUENCE, der(OBJECT_ID, SERVER_AUTHENTICATION)))),
        der(
            SEQUENCE,
            der(OBJECT_ID, SUBJECT_ALTERNATIVE_NAME),
            der(OCTET_STRING, der(SEQUENCE, alternatives))));
  }

  /** Returns the bytes of a literal address, or none if it is a name; never asks a name server. */
  private static byte[] addressOf(String name) {
    try {
      return InetAddress.ofLiteral(name).getAddress();
    } catch (IllegalArgumentException e) {
      return new byte[0];
    }
  }

  private static byte[] name(String commonName) {
    return der(
        SEQUENCE,
        der(
            SET,
            der(
                SEQUENCE,
                der(OBJECT_ID, COMMON_NAME),
                der(UTF8_STRING, commonName.getBytes(StandardCharsets.UTF_8)))));
  }

  /** RFC 5280 §4.1.2.5: two digits of the year until 2049, four from 2050. */
  private static byte[] time(Instant instant) {
    boolean late = instant.atOffset(ZoneOffset.UTC).getYear() >= 2050;
    String pattern = late ? "yyyyMMddHHmmss'Z'" : "yyMMddHHmmss'Z'";
    String text = DateTimeFormatter.ofPattern(pattern).withZone(ZoneOffset.UTC).format(instant);
    return der(late ? GENERALIZED_TIME : UTC_TIME, text.getBytes(StandardCharsets.US_ASCII));
  }

  private static byte[] bits(byte[] value) {
    byte[] withUnusedCount = new byte[value.length + 1];
    System.arraycopy(value, 0, withUnusedCount, 1, value.length);
    return der(BIT_STRING, withUnusedCount);
  }

  private static byte[] der(int tag, byte[]... parts) {
    byte[] content = joined(parts);
    var out = new ByteArrayOutputStream();
    out.write(tag);
    if (content.length < 0x80) {
      out.write(content.length);
    } else if (content.length < 0x100) {
      out.write(0x81);
      out.write(content.length);
    } else {
      out.write(0x82);
      out.write(content.length >>> 8);
      out.write(content.length);
    }
    out.writeBytes(content);
    return out.toByteArray();
  }

  private static byte[] joined(byte[]... parts) {
    var out = new ByteArrayOutputStream();
    for (byte[] part : parts) {
      out.writeBytes(part);
    }
    if (out.size() > 0xffff) {
      throw new IllegalArgumentException("too many names for a certificate");
    }
    return out.toByteArray();
  }

  private static X509Certificate parse(byte[] der) throws GeneralSecurityException {
    return (X509Certificate)
        CertificateFactory.getInstance("X.509").generateCertificate(new ByteArrayInputStream(der));
  }

  /** Returns the key as PEM (PKCS #8); a secret. */
  public static String keyPem(TlsIdentity identity) {
    return pem("PRIVATE KEY", identity.key().getEncoded());
  }

  /** Returns the certificates as PEM. */
  public static String certificatePem(TlsIdentity identity) {
    var text = new StringBuilder();
    try {
      for (X509Certificate certificate : identity.chain()) {
        text.append(pem("CERTIFICATE", certificate.getEncoded()));
      }
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException("a certificate that was parsed has an encoding", e);
    }
    return text.toString();
  }

  private static String pem(String what, byte[] der) {
    return "-----BEGIN "
        + what
        + "-----\n"
        + Base64.getMimeEncoder(64, new byte[] {'\n'}).encodeToString(der)
        + "\n-----END "
        + what
        + "-----\n";
  }

  /**
   * Reads key and certificates back; keys of EC and RSA in PKCS #8.
   *
   * @throws GeneralSecurityException if the text is not that, or the key is not the first
   *     certificate's
   */
  public static TlsIdentity read(String keyPem, String certificatePem)
      throws GeneralSecurityException {
    var chain = new ArrayList<X509Certificate>();
    for (Certificate certificate :
        CertificateFactory.getInstance("X.509")
            .generateCertificates(
                new ByteArrayInputStream(certificatePem.getBytes(StandardCharsets.US_ASCII)))) {
      chain.add((X509Certificate) certificate);
    }
    if (chain.isEmpty()) {
      throw new GeneralSecurityException("there is no certificate in the PEM text");
    }
    X509Certificate own = chain.getFirst();
    String algorithm = own.getPublicKey().getAlgorithm();
    PrivateKey key = readKey(keyPem, algorithm);
    checkPair(key, own);
    return new TlsIdentity(key, chain);
  }

  private static PrivateKey readKey(String keyPem, String algorithm)
      throws GeneralSecurityException {
    try {
      String body =
          keyPem
              .replaceAll("(?s).*-----BEGIN PRIVATE KEY-----", "")
              .replaceAll("(?s)-----END PRIVATE KEY-----.*", "");
      return KeyFactory.getInstance(algorithm)
          .generatePrivate(new PKCS8EncodedKeySpec(Base64.getMimeDecoder().decode(body)));
    } catch (IllegalArgumentException | InvalidKeySpecException e) {
      throw new GeneralSecurityException("the private key is not PKCS #8 PEM of " + algorithm, e);
    }
  }

  private static void checkPair(PrivateKey key, X509Certificate certificate)
      throws GeneralSecurityException {
    String algorithm =
        certificate.getPublicKey().getAlgorithm().equals("EC")
            ? "SHA256withECDSA"
            : "SHA256with" + certificate.getPublicKey().getAlgorithm();
    byte[] probe = "onefold".getBytes(StandardCharsets.US_ASCII);
    Signature signer = Signature.getInstance(algorithm);
    signer.initSign(key);
    signer.update(probe);
    byte[] signature = signer.sign();
    Signature verifier = Signature.getInstance(algorithm);
    verifier.initVerify(certificate.getPublicKey());
    verifier.update(probe);
    if (!verifier.verify(signature)) {
      throw new GeneralSecurityException("the private key does not belong to the certificate");
    }
  }
}
