package onefold.catalyst.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.security.GeneralSecurityException;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.util.Collection;
import java.util.Date;
import java.util.List;
import org.junit.jupiter.api.Test;

class SelfSignedTest {
  private static final Instant NOW = Instant.parse("2026-03-04T05:06:07Z");

  @Test
  void aCertificateSaysWhatItWasAskedTo() throws GeneralSecurityException {
    TlsIdentity made =
        SelfSigned.create(List.of("backup.example", "192.0.2.7", "2001:db8::1"), NOW);
    X509Certificate certificate = made.certificate();
    certificate.verify(certificate.getPublicKey());
    certificate.checkValidity(Date.from(NOW));
    certificate.checkValidity(Date.from(NOW.plus(Duration.ofDays(3650))));
    assertThrows(
        GeneralSecurityException.class,
        () -> certificate.checkValidity(Date.from(NOW.plus(Duration.ofDays(3653)))));
    assertEquals("CN=backup.example", certificate.getSubjectX500Principal().getName());
    Collection<List<?>> names = certificate.getSubjectAlternativeNames();
    assertEquals(3, names.size());
    assertTrue(names.contains(List.of(2, "backup.example")), names::toString);
    assertTrue(names.contains(List.of(7, "192.0.2.7")), names::toString);
    assertEquals(List.of("1.3.6.1.5.5.7.3.1"), certificate.getExtendedKeyUsage());
    assertEquals("SHA256withECDSA", certificate.getSigAlgName());
  }

  @Test
  void validityBeyond2049IsWrittenInFourDigits() throws GeneralSecurityException {
    X509Certificate certificate =
        SelfSigned.create(List.of("x"), Instant.parse("2045-01-01T00:00:00Z")).certificate();
    assertEquals(
        Instant.parse("2045-01-01T00:00:00Z").plus(SelfSigned.VALIDITY),
        certificate.getNotAfter().toInstant());
  }

  @Test
  void pemComesBackAsItWas() throws GeneralSecurityException {
    TlsIdentity made = SelfSigned.create(List.of("x"), NOW);
    TlsIdentity read = SelfSigned.read(SelfSigned.keyPem(made), SelfSigned.certificatePem(made));
    assertEquals(made.chain(), read.chain());
    assertEquals(made.key(), read.key());
    assertEquals(made.pin(), read.pin());
  }

  @Test
  void renewalKeepsThePin() {
    TlsIdentity made = SelfSigned.create(List.of("x"), NOW);
    TlsIdentity renewed = SelfSigned.renew(made, List.of("y"), NOW.plus(Duration.ofDays(300)));
    assertEquals(made.pin(), renewed.pin());
    assertTrue(!made.certificate().equals(renewed.certificate()));
  }

  @Test
  void aKeyWhoseCertificateIsLostKeepsItsPin() throws GeneralSecurityException {
    for (int i = 0; i < 20; i++) {
      TlsIdentity made = SelfSigned.create(List.of("x"), NOW);
      TlsIdentity renewed = SelfSigned.renew(SelfSigned.keyPem(made), List.of("y"), NOW);
      assertEquals(made.pin(), renewed.pin());
      assertEquals(made.key(), renewed.key());
      renewed.certificate().verify(made.certificate().getPublicKey());
    }
    assertThrows(
        GeneralSecurityException.class, () -> SelfSigned.renew("no key", List.of("y"), NOW));
  }

  @Test
  void aKeyOfAnotherCertificateIsRefused() {
    TlsIdentity one = SelfSigned.create(List.of("x"), NOW);
    TlsIdentity other = SelfSigned.create(List.of("x"), NOW);
    assertThrows(
        GeneralSecurityException.class,
        () -> SelfSigned.read(SelfSigned.keyPem(one), SelfSigned.certificatePem(other)));
    assertThrows(
        GeneralSecurityException.class,
        () -> SelfSigned.read("no key", SelfSigned.certificatePem(other)));
    assertThrows(
        GeneralSecurityException.class, () -> SelfSigned.read(SelfSigned.keyPem(one), "nothing"));
  }
}
