package onefold.appliance.identity;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.util.Arrays;
import java.util.random.RandomGenerator;
import javax.crypto.AEADBadTagException;
import javax.crypto.Cipher;
import javax.crypto.Mac;
import javax.crypto.spec.GCMParameterSpec;
import javax.crypto.spec.SecretKeySpec;
import onefold.appliance.context.PrivateFile;
import onefold.store.CorruptDataException;

/**
 * The key under which secrets in the catalog are sealed: 32 random bytes in a file of mode 0600.
 * {@code docs/formats/user-record.md} has the envelope's table: magic {@code OFSR}, version, key
 * number, nonce, then AES-256-GCM of the content with the record's kind and key as associated data,
 * so that a record cannot be passed off as another.
 */
public final class ApplianceKey {
  /** Its name in the folder of keys. */
  public static final String FILE_NAME = "appliance.key";

  private static final int KEY_BYTES = 32;
  private static final byte[] MAGIC = {'O', 'F', 'S', 'R'};
  private static final int VERSION = 1;
  private static final int KEY_NUMBER = 1;
  private static final int NONCE_BYTES = 12;
  private static final int HEADER_BYTES = 4 + 1 + 1 + NONCE_BYTES;
  private static final int TAG_BYTES = 16;

  private final SecretKeySpec key;
  private final RandomGenerator random;

  private ApplianceKey(byte[] key, RandomGenerator random) {
    this.key = new SecretKeySpec(key, "AES");
    this.random = random;
  }

  /**
   * Reads the key from a folder, or makes one if there is none.
   *
   * @throws IOException if it cannot be read or written, or is no key
   */
  public static ApplianceKey openOrCreate(Path folder, RandomGenerator random) throws IOException {
    Path file = folder.resolve(FILE_NAME);
    if (!Files.exists(file)) {
      PrivateFile.createFolder(folder);
      byte[] fresh = new byte[KEY_BYTES];
      random.nextBytes(fresh);
      PrivateFile.write(file, fresh);
    }
    byte[] key = PrivateFile.read(file, KEY_BYTES);
    if (key.length != KEY_BYTES) {
      throw new IOException(file + " has " + key.length + " bytes, a key has " + KEY_BYTES);
    }
    return new ApplianceKey(key, random);
  }

  /** Seals the content of a record of this kind and key. */
  public byte[] seal(String kind, String recordKey, byte[] content) {
    byte[] nonce = new byte[NONCE_BYTES];
    random.nextBytes(nonce);
    byte[] sealed = cipher(Cipher.ENCRYPT_MODE, nonce, kind, recordKey, content);
    return ByteBuffer.allocate(HEADER_BYTES + sealed.length)
        .put(MAGIC)
        .put((byte) VERSION)
        .put((byte) KEY_NUMBER)
        .put(nonce)
        .put(sealed)
        .array();
  }

  /**
   * Opens a record of this kind and key.
   *
   * @throws CorruptDataException if it was not sealed with this key for this kind and key, or was
   *     changed
   */
  public byte[] open(String kind, String recordKey, byte[] record) throws CorruptDataException {
    String what = kind + " " + recordKey;
    if (record.length < HEADER_BYTES + TAG_BYTES
        || !Arrays.equals(MAGIC, Arrays.copyOf(record, MAGIC.length))) {
      throw new CorruptDataException(
          what, -1, "a sealed record", record.length + " bytes of something else");
    }
    if (record[4] != VERSION || record[5] != KEY_NUMBER) {
      throw new CorruptDataException(
          what, 4, "version 1 of key 1", "version " + record[4] + " of key " + record[5]);
    }
    byte[] nonce = Arrays.copyOfRange(record, 6, HEADER_BYTES);
    try {
      return cipher(
          Cipher.DECRYPT_MODE,
          nonce,
          kind,
          recordKey,
          Arrays.copyOfRange(record, HEADER_BYTES, record.length));
    } catch (IllegalArgumentException e) {
      throw new CorruptDataException(
          what,
          HEADER_BYTES,
          "content sealed with this appliance's key",
          "another key's or changed content");
    }
  }

  /** Derives 32 secret bytes for another use; the same label gives the same bytes. */
  public byte[] derive(String label) {
    try {
      Mac mac = Mac.getInstance("HmacSHA256");
      mac.init(new SecretKeySpec(key.getEncoded(), "HmacSHA256"));
      return mac.doFinal(label.getBytes(StandardCharsets.UTF_8));
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException("HMAC is part of every JDK", e);
    }
  }

  private byte[] cipher(int mode, byte[] nonce, String kind, String recordKey, byte[] content) {
    try {
      Cipher cipher = Cipher.getInstance("AES/GCM/NoPadding");
      cipher.init(mode, key, new GCMParameterSpec(8 * TAG_BYTES, nonce));
      cipher.updateAAD((kind + "\0" + recordKey).getBytes(StandardCharsets.UTF_8));
      return cipher.doFinal(content);
    } catch (AEADBadTagException e) {
      throw new IllegalArgumentException(e);
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException("AES-GCM is part of every JDK", e);
    }
  }
}
