package onefold.catalyst.wire;

import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.text.Normalizer;
import java.util.Arrays;
import java.util.Base64;
import java.util.HashMap;
import java.util.Map;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/**
 * SCRAM-SHA-256 (RFC 5802, RFC 7677): the arithmetic and the messages' form, shared by both ends
 * and by any other door that takes passwords. {@link ScramClient} and {@link ScramServer} hold the
 * two conversations.
 */
public final class Scram {
  /** The mechanism with channel binding, the only one on the Catalyst port. */
  public static final String MECHANISM_PLUS = "SCRAM-SHA-256-PLUS";

  /** The mechanism without, for doors that cannot bind to their channel. */
  public static final String MECHANISM = "SCRAM-SHA-256";

  /** Bytes of SHA-256. */
  public static final int HASH_BYTES = 32;

  /** Longest message either side accepts. */
  static final int MAX_MESSAGE_BYTES = 4096;

  private Scram() {}

  /**
   * Prepares a user's name or password: Unicode NFKC, the part of SASLprep that changes what people
   * type.
   */
  static String prepared(String text) {
    return Normalizer.normalize(text, Normalizer.Form.NFKC);
  }

  static byte[] saltedPassword(char[] password, byte[] salt, int iterations) {
    byte[] key = prepared(new String(password)).getBytes(StandardCharsets.UTF_8);
    try {
      // PBKDF2 with one block of output, RFC 8018 §5.2. An empty password has a key of one zero
      // byte:
      // HMAC pads keys with zeros, so that is the same key, and SecretKeySpec refuses none.
      Mac mac = Mac.getInstance("HmacSHA256");
      mac.init(new SecretKeySpec(key.length == 0 ? new byte[1] : key, "HmacSHA256"));
      mac.update(salt);
      mac.update(new byte[] {0, 0, 0, 1});
      byte[] round = mac.doFinal();
      byte[] sum = round.clone();
      for (int i = 1; i < iterations; i++) {
        mac.update(round);
        mac.doFinal(round, 0);
        for (int k = 0; k < HASH_BYTES; k++) {
          sum[k] ^= round[k];
        }
      }
      return sum;
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException("HmacSHA256 belongs to every JDK", e);
    } finally {
      Arrays.fill(key, (byte) 0);
    }
  }

  static byte[] hmac(byte[] key, String text) {
    return hmac(key, text.getBytes(StandardCharsets.UTF_8));
  }

  static byte[] hmac(byte[] key, byte[] text) {
    try {
      Mac mac = Mac.getInstance("HmacSHA256");
      mac.init(new SecretKeySpec(key, "HmacSHA256"));
      return mac.doFinal(text);
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException("HmacSHA256 belongs to every JDK", e);
    }
  }

  static byte[] hash(byte[] text) {
    try {
      return MessageDigest.getInstance("SHA-256").digest(text);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("SHA-256 belongs to every JDK", e);
    }
  }

  static byte[] xor(byte[] a, byte[] b) {
    byte[] sum = a.clone();
    for (int i = 0; i < sum.length; i++) {
      sum[i] ^= b[i];
    }
    return sum;
  }

  static boolean equalInConstantTime(byte[] a, byte[] b) {
    return MessageDigest.isEqual(a, b);
  }

  static String base64(byte[] bytes) {
    return Base64.getEncoder().encodeToString(bytes);
  }

  static byte[] unbase64(String text) throws WireException {
    try {
      return Base64.getDecoder().decode(text);
    } catch (IllegalArgumentException e) {
      throw WireException.malformed("SCRAM: bad base64");
    }
  }

  /** Escapes a name as RFC 5802 §5.1 asks. */
  static String escaped(String user) {
    return user.replace("=", "=3D").replace(",", "=2C");
  }

  static String unescaped(String text) throws WireException {
    var plain = new StringBuilder();
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (c != '=') {
        plain.append(c);
      } else if (text.startsWith("=2C", i)) {
        plain.append(',');
        i += 2;
      } else if (text.startsWith("=3D", i)) {
        plain.append('=');
        i += 2;
      } else {
        throw WireException.malformed("SCRAM: bad escape in the user's name");
      }
    }
    return plain.toString();
  }

  static String text(byte[] message) throws WireException {
    if (message.length > MAX_MESSAGE_BYTES) {
      throw new WireException(
          ErrorCode.TOO_LARGE, "SCRAM message of " + message.length + " bytes, at most 4096");
    }
    return new String(message, StandardCharsets.UTF_8);
  }

  /** Takes {@code a=b,c=d} apart. */
  static Map<Character, String> attributes(String message) throws WireException {
    var attributes = new HashMap<Character, String>();
    for (String part : message.split(",", -1)) {
      if (part.length() < 2 || part.charAt(1) != '=') {
        throw WireException.malformed("SCRAM: a part of the message is no attribute");
      }
      if (attributes.put(part.charAt(0), part.substring(2)) != null) {
        throw WireException.malformed("SCRAM: attribute " + part.charAt(0) + " stands twice");
      }
    }
    if (attributes.containsKey('m')) {
      throw WireException.malformed("SCRAM: a mandatory extension is asked for");
    }
    return attributes;
  }

  static String required(Map<Character, String> attributes, char name) throws WireException {
    String value = attributes.get(name);
    if (value == null) {
      throw WireException.malformed("SCRAM: attribute " + name + " is missing");
    }
    return value;
  }
}
