package onefold.appliance.identity;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.PrivateKey;
import java.security.Signature;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.Optional;
import java.util.concurrent.locks.ReentrantLock;
import java.util.random.RandomGenerator;
import onefold.store.ChunkStore;
import onefold.store.CorruptDataException;
import onefold.store.Id;
import org.jspecify.annotations.Nullable;

/**
 * The Ed25519 key with which the appliance signs what it says about items. A record of kind {@value
 * #KIND}, sealed under the appliance's key and made when it is first needed; {@code
 * docs/formats/item-proof.md} has its content. Safe for many threads.
 */
public final class ProofKey {
  private static final String KIND = "proof-key";
  private static final String NAME = "1";
  private static final String ALGORITHM = "Ed25519";

  private final ChunkStore store;
  private final ApplianceKey key;
  private final RandomGenerator random;
  private final ReentrantLock lock = new ReentrantLock();

  private @Nullable Pair pair; // guarded by lock

  /** A signature and the key that checks it. */
  public record Signed(byte[] signature, byte[] publicKey) {}

  /** The private key, and the public one as SubjectPublicKeyInfo. */
  private record Pair(PrivateKey privateKey, byte[] publicKey) {}

  public ProofKey(ChunkStore store, ApplianceKey key, RandomGenerator random) {
    this.store = store;
    this.key = key;
    this.random = random;
  }

  /**
   * Signs a statement.
   *
   * @throws CorruptDataException if the key's record cannot be opened
   */
  public Signed sign(byte[] statement) throws IOException {
    Pair used = pair();
    try {
      Signature signature = Signature.getInstance(ALGORITHM);
      signature.initSign(used.privateKey);
      signature.update(statement);
      return new Signed(signature.sign(), used.publicKey);
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException("Ed25519 is part of every JDK", e);
    }
  }

  private Pair pair() throws IOException {
    lock.lock();
    try {
      if (pair == null) {
        Optional<byte[]> record = store.findRecord(KIND, NAME);
        pair = record.isEmpty() ? create() : decode(key.open(KIND, NAME, record.orElseThrow()));
      }
      return pair;
    } finally {
      lock.unlock();
    }
  }

  private Pair create() throws IOException {
    try {
      KeyPair made = KeyPairGenerator.getInstance(ALGORITHM).generateKeyPair();
      byte[] secret = made.getPrivate().getEncoded();
      byte[] open = made.getPublic().getEncoded();
      byte[] content =
          ByteBuffer.allocate(2 * Short.BYTES + secret.length + open.length)
              .putShort((short) secret.length)
              .put(secret)
              .putShort((short) open.length)
              .put(open)
              .array();
      store.putRecord(Id.random(random), KIND, NAME, Optional.of(key.seal(KIND, NAME, content)));
      return new Pair(made.getPrivate(), open);
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException("Ed25519 is part of every JDK", e);
    }
  }

  private static Pair decode(byte[] content) throws CorruptDataException {
    ByteBuffer source = ByteBuffer.wrap(content);
    try {
      byte[] secret = new byte[Short.toUnsignedInt(source.getShort())];
      source.get(secret);
      byte[] open = new byte[Short.toUnsignedInt(source.getShort())];
      source.get(open);
      PrivateKey privateKey =
          KeyFactory.getInstance(ALGORITHM).generatePrivate(new PKCS8EncodedKeySpec(secret));
      return new Pair(privateKey, open);
    } catch (GeneralSecurityException | java.nio.BufferUnderflowException e) {
      throw new CorruptDataException(
          KIND + " " + NAME, -1, "an Ed25519 key", content.length + " bytes of something else");
    }
  }
}
