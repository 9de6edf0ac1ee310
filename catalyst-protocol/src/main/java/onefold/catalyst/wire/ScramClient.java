package onefold.catalyst.wire;

import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/** The client's half of one login. Not safe for several threads. */
public final class ScramClient {
  private final char[] password;
  private final String gs2Header;
  private final byte[] bindingData;
  private final String clientFirstBare;
  private final String clientNonce;
  private byte @Nullable [] expectedSignature;

  /**
   * Starts a login.
   *
   * @param binding the channel to bind to, or null for a door that cannot
   */
  public ScramClient(
      String user, char[] password, @Nullable ChannelBinding binding, RandomGenerator random) {
    this.password = password.clone();
    this.gs2Header = binding == null ? "n,," : "p=" + binding.type() + ",,";
    this.bindingData = binding == null ? new byte[0] : binding.data();
    byte[] nonce = new byte[18];
    random.nextBytes(nonce);
    this.clientNonce = Scram.base64(nonce);
    this.clientFirstBare = "n=" + Scram.escaped(Scram.prepared(user)) + ",r=" + clientNonce;
  }

  /** Returns the first message. */
  public byte[] first() {
    return (gs2Header + clientFirstBare).getBytes(StandardCharsets.UTF_8);
  }

  /**
   * Answers the server's challenge.
   *
   * @throws WireException if the challenge is malformed or asks for too few or too many rounds
   */
  public byte[] answer(byte[] challenge) throws WireException {
    String serverFirst = Scram.text(challenge);
    Map<Character, String> attributes = Scram.attributes(serverFirst);
    String nonce = Scram.required(attributes, 'r');
    if (!nonce.startsWith(clientNonce) || nonce.length() == clientNonce.length()) {
      throw WireException.malformed("SCRAM: the server's nonce does not continue ours");
    }
    byte[] salt = Scram.unbase64(Scram.required(attributes, 's'));
    int iterations = rounds(Scram.required(attributes, 'i'));
    byte[] salted = Scram.saltedPassword(password, salt, iterations);
    byte[] header = gs2Header.getBytes(StandardCharsets.UTF_8);
    byte[] bound = new byte[header.length + bindingData.length];
    System.arraycopy(header, 0, bound, 0, header.length);
    System.arraycopy(bindingData, 0, bound, header.length, bindingData.length);
    String withoutProof = "c=" + Scram.base64(bound) + ",r=" + nonce;
    String authMessage = clientFirstBare + "," + serverFirst + "," + withoutProof;
    byte[] clientKey = Scram.hmac(salted, "Client Key");
    byte[] signature = Scram.hmac(Scram.hash(clientKey), authMessage);
    expectedSignature = Scram.hmac(Scram.hmac(salted, "Server Key"), authMessage);
    String proof = Scram.base64(Scram.xor(clientKey, signature));
    return (withoutProof + ",p=" + proof).getBytes(StandardCharsets.UTF_8);
  }

  private static int rounds(String text) throws WireException {
    int iterations;
    try {
      iterations = Integer.parseInt(text);
    } catch (NumberFormatException e) {
      throw WireException.malformed("SCRAM: bad number of rounds");
    }
    if (iterations < ScramVerifier.MIN_ITERATIONS || iterations > ScramVerifier.MAX_ITERATIONS) {
      throw WireException.malformed(
          "SCRAM: the server asks for " + iterations + " rounds, accepted are 4,096 to 1,000,000");
    }
    return iterations;
  }

  /**
   * Checks that the server knows the password too.
   *
   * @throws WireException {@code AUTHENTICATION_FAILED} if it does not
   */
  public void verify(byte[] serverFinal) throws WireException {
    Map<Character, String> attributes = Scram.attributes(Scram.text(serverFinal));
    byte[] signature = Scram.unbase64(Scram.required(attributes, 'v'));
    byte[] expected = expectedSignature;
    if (expected == null || !Scram.equalInConstantTime(expected, signature)) {
      throw new WireException(
          ErrorCode.AUTHENTICATION_FAILED, "the server does not know this user's password");
    }
  }
}
