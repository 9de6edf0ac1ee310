package onefold.appliance.judge;

import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.text.Normalizer;
import java.util.Base64;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/** The client's side of SCRAM-SHA-256-PLUS (RFC 5802, RFC 7677). */
final class ScramLogin {
  private static final int LEAST_ROUNDS = 4_096;
  private static final int MOST_ROUNDS = 1_000_000;

  private final String header;
  private final byte[] binding;
  private final String password;
  private final String nonce;
  private final String firstBare;
  private byte[] serverSignature = {};

  ScramLogin(String user, String password, String bindingType, byte[] binding, String nonce) {
    this.header = "p=" + bindingType + ",,";
    this.binding = binding.clone();
    this.password = password;
    this.nonce = nonce;
    String name =
        Normalizer.normalize(user, Normalizer.Form.NFKC).replace("=", "=3D").replace(",", "=2C");
    this.firstBare = "n=" + name + ",r=" + nonce;
  }

  byte[] first() {
    return utf8(header + firstBare);
  }

  /** Answers the server's challenge with the proof. */
  byte[] proof(byte[] challenge) throws JudgeException {
    String serverFirst = new String(challenge, StandardCharsets.UTF_8);
    String[] fields = serverFirst.split(",", -1);
    if (fields.length < 3
        || !fields[0].startsWith("r=")
        || !fields[1].startsWith("s=")
        || !fields[2].startsWith("i=")) {
      throw new JudgeException("the server's challenge is none");
    }
    String combined = fields[0].substring(2);
    if (!combined.startsWith(nonce) || combined.length() <= nonce.length()) {
      throw new JudgeException("the server's nonce does not go on ours");
    }
    byte[] salt = Base64.getDecoder().decode(fields[1].substring(2));
    int rounds = Integer.parseInt(fields[2].substring(2));
    if (rounds < LEAST_ROUNDS || rounds > MOST_ROUNDS) {
      throw new JudgeException("the server asks for " + rounds + " rounds");
    }
    byte[] channel = new byte[header.length() + binding.length];
    System.arraycopy(utf8(header), 0, channel, 0, header.length());
    System.arraycopy(binding, 0, channel, header.length(), binding.length);
    String withoutProof = "c=" + base64(channel) + ",r=" + combined;
    byte[] message = utf8(firstBare + "," + serverFirst + "," + withoutProof);
    try {
      byte[] salted =
          salted(utf8(Normalizer.normalize(password, Normalizer.Form.NFKC)), salt, rounds);
      byte[] clientKey = hmac(salted, utf8("Client Key"));
      byte[] storedKey = MessageDigest.getInstance("SHA-256").digest(clientKey);
      byte[] proof = hmac(storedKey, message);
      for (int i = 0; i < proof.length; i++) {
        proof[i] ^= clientKey[i];
      }
      serverSignature = hmac(hmac(salted, utf8("Server Key")), message);
      return utf8(withoutProof + ",p=" + base64(proof));
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException("SHA-256 is part of every JDK", e);
    }
  }

  /** Checks that the server knows the password's verifier too. */
  void checkServer(byte[] serverFinal) throws JudgeException {
    byte[] expected = utf8("v=" + base64(serverSignature));
    if (!MessageDigest.isEqual(expected, serverFinal)) {
      throw new JudgeException(
          "the server's signature is wrong: it does not know the user's verifier");
    }
  }

  private static byte[] salted(byte[] password, byte[] salt, int rounds)
      throws GeneralSecurityException {
    Mac mac = Mac.getInstance("HmacSHA256");
    mac.init(new SecretKeySpec(password.length == 0 ? new byte[1] : password, "HmacSHA256"));
    mac.update(salt);
    byte[] block = mac.doFinal(new byte[] {0, 0, 0, 1});
    byte[] result = block.clone();
    for (int round = 1; round < rounds; round++) {
      block = mac.doFinal(block);
      for (int i = 0; i < result.length; i++) {
        result[i] ^= block[i];
      }
    }
    return result;
  }

  private static byte[] hmac(byte[] key, byte[] message) throws GeneralSecurityException {
    Mac mac = Mac.getInstance("HmacSHA256");
    mac.init(new SecretKeySpec(key, "HmacSHA256"));
    return mac.doFinal(message);
  }

  private static String base64(byte[] bytes) {
    return Base64.getEncoder().encodeToString(bytes);
  }

  private static byte[] utf8(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }
}
