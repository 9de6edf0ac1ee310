package onefold.catalyst.wire;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.StandardCharsets;
import java.security.SecureRandom;
import java.util.Base64;
import java.util.HexFormat;
import java.util.List;
import org.junit.jupiter.api.Test;

class ScramTest {
  private static final SecureRandom RANDOM = new SecureRandom();
  private static final ChannelBinding BINDING =
      new ChannelBinding(ChannelBinding.TLS_EXPORTER, new byte[] {1, 2, 3});

  @Test
  void theArithmeticIsThatOfRfc7677() {
    // RFC 7677 §3: user "user", password "pencil".
    byte[] salt = Base64.getDecoder().decode("W22ZaJ0SNY7soEsUEjb6gQ==");
    ScramVerifier verifier = ScramVerifier.of("pencil".toCharArray(), salt, 4096);
    String authMessage =
        "n=user,r=rOprNGfwEbeRWgbNEkqO,"
            + "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096,"
            + "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";
    assertEquals(
        "6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=",
        Scram.base64(Scram.hmac(verifier.serverKey(), authMessage)));
    byte[] salted = Scram.saltedPassword("pencil".toCharArray(), salt, 4096);
    byte[] clientKey = Scram.hmac(salted, "Client Key");
    assertEquals(
        "dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=",
        Scram.base64(Scram.xor(clientKey, Scram.hmac(verifier.storedKey(), authMessage))));
  }

  private static void login(String user, String given, String real, List<ChannelBinding> server)
      throws WireException {
    ScramVerifier verifier = ScramVerifier.of(real.toCharArray(), RANDOM);
    var client =
        new ScramClient(user, given.toCharArray(), server.isEmpty() ? null : BINDING, RANDOM);
    var at = new ScramServer(client.first(), server, RANDOM);
    assertEquals(Scram.prepared(user), at.user());
    byte[] proof = client.answer(at.challenge(verifier));
    client.verify(at.check(proof));
  }

  @Test
  void theRightPasswordIsTakenAndTheWrongOneIsNot() throws WireException {
    login("ad=m,in", "sécret", "sécret", List.of(BINDING));
    login("admin", "", "", List.of());
    WireException refused =
        assertThrows(WireException.class, () -> login("a", "x", "y", List.of(BINDING)));
    assertEquals(ErrorCode.AUTHENTICATION_FAILED, refused.code());
  }

  @Test
  void aLoginOnAnotherChannelFails() {
    var elsewhere = new ChannelBinding(ChannelBinding.TLS_EXPORTER, new byte[] {9});
    WireException refused =
        assertThrows(WireException.class, () -> login("a", "x", "x", List.of(elsewhere)));
    assertEquals(ErrorCode.AUTHENTICATION_FAILED, refused.code());
  }

  @Test
  void noBindingWhereOneIsRequiredFails() {
    var client = new ScramClient("a", "x".toCharArray(), null, RANDOM);
    assertThrows(
        WireException.class, () -> new ScramServer(client.first(), List.of(BINDING), RANDOM));
  }

  @Test
  void aServerThatDoesNotKnowThePasswordIsFoundOut() throws WireException {
    var client = new ScramClient("a", "x".toCharArray(), BINDING, RANDOM);
    var server = new ScramServer(client.first(), List.of(BINDING), RANDOM);
    client.answer(server.challenge(ScramVerifier.forUnknown("a", new byte[32])));
    byte[] made = ("v=" + Scram.base64(new byte[32])).getBytes(StandardCharsets.UTF_8);
    assertThrows(WireException.class, () -> client.verify(made));
  }

  @Test
  void aServerCannotMakeTheClientWorkForeverOrHardlyAtAll() throws WireException {
    for (String rounds : List.of("1", "2000000000", "x", "4095")) {
      var client = new ScramClient("a", "x".toCharArray(), BINDING, RANDOM);
      var server = new ScramServer(client.first(), List.of(BINDING), RANDOM);
      String challenge =
          new String(
              server.challenge(ScramVerifier.forUnknown("a", new byte[32])),
              StandardCharsets.UTF_8);
      byte[] changed =
          challenge.replaceFirst(",i=.*", ",i=" + rounds).getBytes(StandardCharsets.UTF_8);
      assertThrows(WireException.class, () -> client.answer(changed), rounds);
    }
  }

  @Test
  void anUnknownUserLooksLikeAnyOther() {
    byte[] secret = HexFormat.of().parseHex("00112233445566778899aabbccddeeff");
    ScramVerifier once = ScramVerifier.forUnknown("eve", secret);
    assertArrayEquals(once.salt(), ScramVerifier.forUnknown("eve", secret).salt());
    assertNotEquals(
        HexFormat.of().formatHex(once.salt()),
        HexFormat.of().formatHex(ScramVerifier.forUnknown("bob", secret).salt()));
    assertEquals(ScramVerifier.DEFAULT_ITERATIONS, once.iterations());
  }

  @Test
  void aVerifierKnowsItsPassword() {
    ScramVerifier verifier = ScramVerifier.of("pw".toCharArray(), RANDOM);
    assertTrue(verifier.matches("pw".toCharArray()));
    assertFalse(verifier.matches("Pw".toCharArray()));
  }

  @Test
  void malformedMessagesAreRefused() {
    for (String first :
        List.of(
            "",
            "n",
            "p=tls-exporter",
            "n,,x",
            "n,,n=a",
            "n,,n=a,r=1",
            "n,a=b,n=a,r=123456789",
            "n,,n=a=,r=123456789",
            "n,,m=x,n=a,r=123456789")) {
      assertThrows(
          WireException.class,
          () -> new ScramServer(first.getBytes(StandardCharsets.UTF_8), List.of(), RANDOM),
          first);
    }
  }
}
