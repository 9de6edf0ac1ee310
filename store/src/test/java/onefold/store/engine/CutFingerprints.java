package onefold.store.engine;

import java.security.DigestException;
import java.security.MessageDigest;
import java.security.MessageDigestSpi;
import java.security.NoSuchAlgorithmException;
import java.security.NoSuchProviderException;
import java.security.Provider;
import java.security.Security;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/**
 * The test switch that makes fingerprints collide: while it is open every SHA-256 that is made in
 * this process is cut to 16 bits. The product has no such switch.
 */
final class CutFingerprints implements AutoCloseable {
  private static final String NAME = "CutFingerprints";
  private static final String ALGORITHM = "SHA-256";
  private static final int KEPT_BYTES = 2;

  CutFingerprints() {
    int at = Security.insertProviderAt(new Cut(), 1);
    if (at != 1) {
      throw new IllegalStateException("the switch is on already");
    }
  }

  @Override
  public void close() {
    Security.removeProvider(NAME);
  }

  private static final class Cut extends Provider {
    private static final long serialVersionUID = 1L;

    Cut() {
      super(NAME, "1", "SHA-256 of which 16 bits are left");
      putService(new CutService(this));
    }
  }

  private static final class CutService extends Provider.Service {
    CutService(Provider provider) {
      super(provider, "MessageDigest", ALGORITHM, CutDigest.class.getName(), List.of(), Map.of());
    }

    @Override
    public Object newInstance(Object parameter) throws NoSuchAlgorithmException {
      return new CutDigest();
    }
  }

  private static final class CutDigest extends MessageDigestSpi {
    private final MessageDigest whole;

    CutDigest() throws NoSuchAlgorithmException {
      try {
        whole = MessageDigest.getInstance(ALGORITHM, "SUN");
      } catch (NoSuchProviderException e) {
        throw new NoSuchAlgorithmException(e);
      }
    }

    @Override
    protected int engineGetDigestLength() {
      return whole.getDigestLength();
    }

    @Override
    protected void engineUpdate(byte input) {
      whole.update(input);
    }

    @Override
    protected void engineUpdate(byte[] input, int offset, int length) {
      whole.update(input, offset, length);
    }

    @Override
    protected byte[] engineDigest() {
      byte[] digest = whole.digest();
      Arrays.fill(digest, KEPT_BYTES, digest.length, (byte) 0);
      return digest;
    }

    @Override
    protected int engineDigest(byte[] target, int offset, int length) throws DigestException {
      int written = whole.digest(target, offset, length);
      Arrays.fill(target, offset + KEPT_BYTES, offset + written, (byte) 0);
      return written;
    }

    @Override
    protected void engineReset() {
      whole.reset();
    }
  }
}
