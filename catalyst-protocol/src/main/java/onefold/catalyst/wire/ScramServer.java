package onefold.catalyst.wire;

import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/**
 * The server's half of one login: {@link #user}, then {@link #challenge}, then {@link #check}. Not
 * safe for several threads.
 */
public final class ScramServer {
  private final String user;
  private final String gs2Header;
  private final String clientFirstBare;
  private final String nonce;
  private final @Nullable ChannelBinding binding;
  private @Nullable ScramVerifier verifier;
  private String serverFirst = "";

  /**
   * Reads the client's first message.
   *
   * @param bindings what the channel can be bound to; empty for a door that cannot, which then
   *     takes only {@code n}
   * @throws WireException {@code PROTOCOL_ERROR} if it is malformed, {@code AUTHENTICATION_FAILED}
   *     if it does not bind to the channel as asked
   */
  public ScramServer(byte[] clientFirst, List<ChannelBinding> bindings, RandomGenerator random)
      throws WireException {
    String message = Scram.text(clientFirst);
    int first = message.indexOf(',');
    int second = first < 0 ? -1 : message.indexOf(',', first + 1);
    if (second < 0) {
      throw WireException.malformed("SCRAM: the first message has no GS2 header");
    }
    gs2Header = message.substring(0, second + 1);
    clientFirstBare = message.substring(second + 1);
    binding = bindingOf(message.substring(0, first), bindings);
    if (second != first + 1) {
      throw WireException.malformed("SCRAM: acting for another user is not supported");
    }
    Map<Character, String> attributes = Scram.attributes(clientFirstBare);
    user = Scram.prepared(Scram.unescaped(Scram.required(attributes, 'n')));
    String clientNonce = Scram.required(attributes, 'r');
    if (clientNonce.length() < 8) {
      throw WireException.malformed("SCRAM: the client's nonce is too short");
    }
    byte[] own = new byte[18];
    random.nextBytes(own);
    nonce = clientNonce + Scram.base64(own);
  }

  private static @Nullable ChannelBinding bindingOf(String flag, List<ChannelBinding> bindings)
      throws WireException {
    if (bindings.isEmpty()) {
      if (!flag.equals("n") && !flag.equals("y")) {
        throw new WireException(
            ErrorCode.AUTHENTICATION_FAILED, "this door cannot bind to its channel");
      }
      return null;
    }
    for (ChannelBinding candidate : bindings) {
      if (flag.equals("p=" + candidate.type())) {
        return candidate;
      }
    }
    throw new WireException(
        ErrorCode.AUTHENTICATION_FAILED,
        "channel binding is required: " + bindings.stream().map(ChannelBinding::type).toList());
  }

  /** Returns who wants to log in, prepared. */
  public String user() {
    return user;
  }

  /** Returns the challenge for this user's verifier. */
  public byte[] challenge(ScramVerifier ofUser) {
    verifier = ofUser;
    serverFirst = "r=" + nonce + ",s=" + Scram.base64(ofUser.salt()) + ",i=" + ofUser.iterations();
    return serverFirst.getBytes(StandardCharsets.UTF_8);
  }

  /**
   * Checks the proof.
   *
   * @return the last message, with the server's signature
   * @throws WireException {@code AUTHENTICATION_FAILED} if the proof or the binding is wrong
   */
  public byte[] check(byte[] clientFinal) throws WireException {
    ScramVerifier ofUser = verifier;
    if (ofUser == null) {
      throw new IllegalStateException("no challenge was given");
    }
    String message = Scram.text(clientFinal);
    int at = message.lastIndexOf(",p=");
    if (at < 0) {
      throw WireException.malformed("SCRAM: the last message has no proof");
    }
    String withoutProof = message.substring(0, at);
    Map<Character, String> attributes = Scram.attributes(message);
    byte[] bound = Scram.unbase64(Scram.required(attributes, 'c'));
    byte[] proof = Scram.unbase64(Scram.required(attributes, 'p'));
    byte[] header = gs2Header.getBytes(StandardCharsets.UTF_8);
    byte[] data = binding == null ? new byte[0] : binding.data();
    byte[] expected = new byte[header.length + data.length];
    System.arraycopy(header, 0, expected, 0, header.length);
    System.arraycopy(data, 0, expected, header.length, data.length);
    String authMessage = clientFirstBare + "," + serverFirst + "," + withoutProof;
    byte[] signature = Scram.hmac(ofUser.storedKey(), authMessage);
    boolean proven =
        proof.length == Scram.HASH_BYTES
            && Scram.equalInConstantTime(
                Scram.hash(Scram.xor(proof, signature)), ofUser.storedKey());
    boolean fits =
        Scram.equalInConstantTime(bound, expected) && Scram.required(attributes, 'r').equals(nonce);
    if (!proven || !fits) {
      throw new WireException(ErrorCode.AUTHENTICATION_FAILED, "wrong user or password");
    }
    byte[] server = Scram.hmac(ofUser.serverKey(), authMessage);
    return ("v=" + Scram.base64(server)).getBytes(StandardCharsets.UTF_8);
  }
}
