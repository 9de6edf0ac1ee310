package onefold.appliance.judge;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.security.Signature;
import java.security.spec.X509EncodedKeySpec;
import java.util.Base64;
import java.util.HexFormat;
import java.util.List;
import onefold.appliance.json.JsonObject;

/**
 * What an appliance has signed about an item, checked: the signature, and that every leaf hangs
 * from the root that was signed and lies where the challenge wants it. Knows the format from {@code
 * docs/formats/item-proof.md} and {@code docs/formats/recipe-node.md}, and shares no code with what
 * writes them.
 *
 * @param key the appliance's Ed25519 key as SubjectPublicKeyInfo, in hexadecimal digits
 * @param item store, slash, item
 * @param itemId this version's id, 32 hexadecimal digits
 * @param version number of the commit
 * @param root fingerprint of the root node, 64 hexadecimal digits
 * @param lengthBytes length of the item
 * @param chunkCount pieces of chunks it is made of
 * @param readBackMillis store time at which all of it was last read back, 0 for never
 * @param signedMillis store time of the signature
 * @param challenge the seed that was asked with; empty for none
 * @param provenBytes bytes of the leaves that were shown
 */
public record ItemProof(
    String key,
    String item,
    String itemId,
    long version,
    String root,
    long lengthBytes,
    long chunkCount,
    long readBackMillis,
    long signedMillis,
    String challenge,
    long provenBytes) {
  private static final int MAGIC = 0x5049464f; // "OFIP", little-endian.
  private static final int FORMAT = 1;
  private static final int PARAMETER_SET = 1;
  private static final int LEAVES = 4;
  private static final int FINGERPRINT_BYTES = 32;
  private static final int MAX_LEVEL = 15;
  private static final int MAX_PART_BYTES = 1 << 20;

  /** What does not hold. */
  public static final class RefusedProofException extends Exception {
    private static final long serialVersionUID = 1L;

    RefusedProofException(String message) {
      super(message);
    }
  }

  /**
   * Checks a proof.
   *
   * @param proof as the appliance answered
   * @throws RefusedProofException if anything in it does not hold; the message says what
   */
  public static ItemProof check(JsonObject proof) throws RefusedProofException {
    try {
      byte[] statement = Base64.getDecoder().decode(proof.text("statement"));
      String key = proof.text("key");
      checkSignature(key, statement, Base64.getDecoder().decode(proof.text("signature")));
      return read(key, statement, proof.array("leaves").objects());
    } catch (IllegalArgumentException | java.nio.BufferUnderflowException e) {
      throw new RefusedProofException("this is no proof: " + e.getMessage());
    }
  }

  private static void checkSignature(String key, byte[] statement, byte[] signature)
      throws RefusedProofException {
    try {
      Signature check = Signature.getInstance("Ed25519");
      check.initVerify(
          KeyFactory.getInstance("Ed25519")
              .generatePublic(new X509EncodedKeySpec(HexFormat.of().parseHex(key))));
      check.update(statement);
      if (!check.verify(signature)) {
        throw new RefusedProofException("the signature is not that of key " + key);
      }
    } catch (GeneralSecurityException e) {
      throw new RefusedProofException(
          "key " + key + " or its signature is malformed: " + e.getMessage());
    }
  }

  private static ItemProof read(String key, byte[] statement, List<JsonObject> leaves)
      throws RefusedProofException {
    ByteBuffer source = ByteBuffer.wrap(statement).order(ByteOrder.LITTLE_ENDIAN);
    if (source.getInt() != MAGIC) {
      throw new RefusedProofException("the statement does not begin with OFIP");
    }
    int format = Short.toUnsignedInt(source.getShort());
    int parameterSet = Short.toUnsignedInt(source.getShort());
    if (format != FORMAT || parameterSet != PARAMETER_SET) {
      throw new RefusedProofException(
          "format " + format + " of parameter set " + parameterSet + ", known is 1 of 1");
    }
    String itemId = hex(source, 16);
    long version = source.getLong();
    byte[] root = new byte[FINGERPRINT_BYTES];
    source.get(root);
    int level = source.get();
    source.position(source.position() + 7);
    long lengthBytes = source.getLong();
    long chunkCount = source.getLong();
    long readBackMillis = source.getLong();
    long signedMillis = source.getLong();
    String item = text(source, Short.toUnsignedInt(source.getShort()));
    byte[] seed = new byte[Byte.toUnsignedInt(source.get())];
    source.get(seed);
    if (source.hasRemaining() || level < 0 || level > MAX_LEVEL || lengthBytes < 0) {
      throw new RefusedProofException(
          "the statement says level " + level + ", length " + lengthBytes + " or is too long");
    }
    int expected = seed.length == 0 || lengthBytes == 0 ? 0 : LEAVES;
    if (leaves.size() != expected) {
      throw new RefusedProofException(leaves.size() + " leaves, the challenge wants " + expected);
    }
    long proven = 0;
    for (int i = 0; i < expected; i++) {
      long position = position(seed, root, i, lengthBytes);
      JsonObject leaf = leaves.get(i);
      if (leaf.number("position") != position) {
        throw new RefusedProofException(
            "leaf "
                + i
                + " is at "
                + leaf.number("position")
                + ", the challenge wants "
                + position);
      }
      proven += walk(root, level, lengthBytes, position, leaf.array("path").texts());
    }
    return new ItemProof(
        key,
        item,
        itemId,
        version,
        HexFormat.of().formatHex(root),
        lengthBytes,
        chunkCount,
        readBackMillis,
        signedMillis,
        new String(seed, StandardCharsets.UTF_8),
        proven);
  }

  private static String hex(ByteBuffer source, int length) {
    byte[] bytes = new byte[length];
    source.get(bytes);
    return HexFormat.of().formatHex(bytes);
  }

  private static String text(ByteBuffer source, int length) throws RefusedProofException {
    byte[] bytes = new byte[length];
    source.get(bytes);
    try {
      return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
    } catch (CharacterCodingException e) {
      throw new RefusedProofException("the item's name is not valid UTF-8");
    }
  }

  /** Returns where leaf {@code number} of a challenge lies. */
  private static long position(byte[] seed, byte[] root, int number, long lengthBytes) {
    MessageDigest digest = sha256();
    digest.update("onefold-proof\0".getBytes(StandardCharsets.US_ASCII));
    digest.update(seed);
    digest.update(root);
    digest.update((byte) number);
    long value = ByteBuffer.wrap(digest.digest()).order(ByteOrder.LITTLE_ENDIAN).getLong();
    return Long.remainderUnsigned(value, lengthBytes);
  }

  /** Walks from the root to a position and returns how many bytes the leaf there holds. */
  private static long walk(
      byte[] root, int rootLevel, long lengthBytes, long position, List<String> path)
      throws RefusedProofException {
    byte[] expected = root;
    long start = 0;
    long covered = lengthBytes;
    for (int i = 0; i <= rootLevel; i++) {
      byte[] node = part(path, i, expected, "node");
      Entry entry = entryAt(node, rootLevel - i, start, covered, position);
      start = entry.start;
      covered = entry.lengthBytes;
      expected = entry.fingerprint;
    }
    if (expected.length == 0) {
      // A hole: nobody wrote these zeros, and the leaf says so.
      if (path.size() != rootLevel + 1) {
        throw new RefusedProofException("a hole with a chunk behind it");
      }
      return covered;
    }
    if (path.size() != rootLevel + 2) {
      throw new RefusedProofException(
          "a path of " + path.size() + " parts, expected " + (rootLevel + 2));
    }
    byte[] chunk = part(path, rootLevel + 1, expected, "chunk");
    if (chunk.length < covered) {
      throw new RefusedProofException(
          "a chunk of " + chunk.length + " bytes where " + covered + " are covered");
    }
    return covered;
  }

  private static byte[] part(List<String> path, int number, byte[] expected, String what)
      throws RefusedProofException {
    if (number >= path.size()) {
      throw new RefusedProofException("the path ends before its " + what);
    }
    byte[] bytes = Base64.getDecoder().decode(path.get(number));
    byte[] found = sha256().digest(bytes);
    if (bytes.length > MAX_PART_BYTES || !MessageDigest.isEqual(found, expected)) {
      throw new RefusedProofException(
          what
              + " of "
              + bytes.length
              + " bytes has the fingerprint "
              + HexFormat.of().formatHex(found)
              + ", expected "
              + HexFormat.of().formatHex(expected));
    }
    return bytes;
  }

  /** An entry of a node; without a fingerprint if it is a hole. */
  private record Entry(long start, long lengthBytes, byte[] fingerprint) {}

  /** Finds the entry that covers a position, by docs/formats/recipe-node.md. */
  private static Entry entryAt(byte[] node, int level, long from, long covered, long position)
      throws RefusedProofException {
    ByteBuffer source = ByteBuffer.wrap(node).order(ByteOrder.LITTLE_ENDIAN);
    int version = source.get();
    int foundLevel = source.get();
    int set = Short.toUnsignedInt(source.getShort());
    int count = Short.toUnsignedInt(source.getShort());
    if (version != 1 || foundLevel != level || set != PARAMETER_SET) {
      throw new RefusedProofException(
          "a node of version " + version + ", level " + foundLevel + ", set " + set);
    }
    Entry found = new Entry(0, 0, new byte[0]);
    long at = from;
    for (int i = 0; i < count; i++) {
      int first = Byte.toUnsignedInt(source.get());
      int type = first & 7;
      long length = first >> 3 & 15;
      if ((first & 0x80) != 0) {
        length += varint(source) * 16;
      }
      byte[] fingerprint = new byte[type == 3 || type == 4 ? 0 : FINGERPRINT_BYTES];
      if (type == 2) {
        varint(source);
        varint(source);
      }
      boolean known = level == 0 ? type >= 1 && type <= 4 : type == 0;
      if (!known || length <= 0) {
        throw new RefusedProofException("an entry of type " + type + " and length " + length);
      }
      source.get(fingerprint);
      if (position >= at && position < at + length) {
        found = new Entry(at, length, fingerprint);
      }
      at += length;
    }
    if (source.hasRemaining() || at - from != covered || found.lengthBytes == 0) {
      throw new RefusedProofException(
          "a node over " + (at - from) + " bytes where " + covered + " are expected");
    }
    return found;
  }

  private static long varint(ByteBuffer source) throws RefusedProofException {
    long value = 0;
    for (int shift = 0; shift < 63; shift += 7) {
      int next = source.get();
      value |= (long) (next & 0x7f) << shift;
      if (next >= 0) {
        return value;
      }
    }
    throw new RefusedProofException("a number of more than nine bytes");
  }

  private static MessageDigest sha256() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("SHA-256 is part of every JDK", e);
    }
  }
}
