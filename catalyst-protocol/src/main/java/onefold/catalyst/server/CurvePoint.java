package onefold.catalyst.server;

import java.math.BigInteger;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.PublicKey;
import java.security.interfaces.ECPrivateKey;
import java.security.spec.ECFieldFp;
import java.security.spec.ECParameterSpec;
import java.security.spec.ECPoint;
import java.security.spec.ECPublicKeySpec;
import org.jspecify.annotations.Nullable;

/**
 * Points of a curve over a prime field in affine form (SEC 1, section 2.2.1), for the one thing
 * that the JDK has no door for: the public key of a private key. Takes an amount of time that
 * depends on the key, so only for what nobody can ask for again and again.
 */
final class CurvePoint {
  private CurvePoint() {}

  /**
   * Returns the public key.
   *
   * @throws GeneralSecurityException if the key's curve is not over a prime field
   */
  static PublicKey publicKeyOf(ECPrivateKey key) throws GeneralSecurityException {
    ECParameterSpec curve = key.getParams();
    if (!(curve.getCurve().getField() instanceof ECFieldFp field)) {
      throw new GeneralSecurityException("the private key's curve is not over a prime field");
    }
    BigInteger p = field.getP();
    BigInteger a = curve.getCurve().getA();
    BigInteger scalar = key.getS();
    if (scalar.signum() <= 0 || scalar.compareTo(curve.getOrder()) >= 0) {
      throw new GeneralSecurityException("the private key is not below its curve's order");
    }
    ECPoint sum = null;
    for (int bit = scalar.bitLength() - 1; bit >= 0; bit--) {
      sum = add(sum, sum, a, p);
      if (scalar.testBit(bit)) {
        sum = add(sum, curve.getGenerator(), a, p);
      }
    }
    if (sum == null) {
      throw new GeneralSecurityException("the private key has no public key");
    }
    return KeyFactory.getInstance("EC").generatePublic(new ECPublicKeySpec(sum, curve));
  }

  /** Adds two points; null is the one at infinity. */
  private static @Nullable ECPoint add(
      @Nullable ECPoint left, @Nullable ECPoint right, BigInteger a, BigInteger p) {
    if (left == null) {
      return right;
    }
    if (right == null) {
      return left;
    }
    BigInteger rise;
    BigInteger run;
    if (!left.getAffineX().equals(right.getAffineX())) {
      rise = right.getAffineY().subtract(left.getAffineY());
      run = right.getAffineX().subtract(left.getAffineX());
    } else if (left.getAffineY().equals(right.getAffineY()) && left.getAffineY().signum() != 0) {
      rise = left.getAffineX().pow(2).multiply(BigInteger.valueOf(3)).add(a);
      run = left.getAffineY().shiftLeft(1);
    } else {
      return null;
    }
    BigInteger slope = rise.multiply(run.modInverse(p)).mod(p);
    BigInteger x = slope.pow(2).subtract(left.getAffineX()).subtract(right.getAffineX()).mod(p);
    BigInteger y = slope.multiply(left.getAffineX().subtract(x)).subtract(left.getAffineY()).mod(p);
    return new ECPoint(x, y);
  }
}
