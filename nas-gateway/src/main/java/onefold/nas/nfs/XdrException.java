package onefold.nas.nfs;

import java.io.IOException;
import java.io.Serial;

/** Bytes from a peer are no XDR of the kind expected; says where and what. */
final class XdrException extends IOException {
  @Serial private static final long serialVersionUID = 1;

  XdrException(String message) {
    super(message);
  }
}
