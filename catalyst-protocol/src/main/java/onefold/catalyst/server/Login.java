package onefold.catalyst.server;

import java.io.IOException;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.List;
import onefold.catalyst.wire.ChannelBinding;
import onefold.catalyst.wire.ErrorCode;
import onefold.catalyst.wire.FrameChannel;
import onefold.catalyst.wire.FrameFormat;
import onefold.catalyst.wire.Message;
import onefold.catalyst.wire.QueueInbox;
import onefold.catalyst.wire.Scram;
import onefold.catalyst.wire.ScramServer;
import onefold.catalyst.wire.ScramVerifier;
import onefold.catalyst.wire.WireException;

/**
 * The first words of a connection: versions, then who it is. Runs on the connection's own thread.
 */
final class Login {
  private final ServerSettings settings;
  private final Authenticator authenticator;
  private final FrameChannel channel;
  private final QueueInbox inbox;
  private final List<ChannelBinding> bindings;
  private final SecureRandom random;

  Login(
      ServerSettings settings,
      Authenticator authenticator,
      FrameChannel channel,
      QueueInbox inbox,
      List<ChannelBinding> bindings,
      SecureRandom random) {
    this.settings = settings;
    this.authenticator = authenticator;
    this.channel = channel;
    this.inbox = inbox;
    this.bindings = bindings;
    this.random = random;
  }

  /**
   * Returns who has logged in; the last word to him is not yet sent.
   *
   * @throws IOException why not; the caller says it and closes
   */
  Outcome run() throws IOException {
    greet();
    Duration delay = settings.limits().loginDelay();
    for (int attempt = 1; ; attempt++) {
      try {
        return attempt();
      } catch (WireException e) {
        if (e.code() != ErrorCode.AUTHENTICATION_FAILED) {
          throw e;
        }
        pause(delay);
        delay = delay.multipliedBy(2);
        if (attempt >= settings.limits().loginAttempts()) {
          throw e;
        }
        channel.sendConnection(new Message.AuthOutcome(false, new byte[0]));
      }
    }
  }

  /**
   * A login that went well.
   *
   * @param user who it is
   * @param serverFinal what proves the server to him
   */
  record Outcome(String user, byte[] serverFinal) {}

  private void greet() throws IOException {
    if (!(take() instanceof Message.Hello hello)) {
      throw WireException.malformed("the first frame must be HELLO");
    }
    if (hello.lowestVersion() > FrameFormat.VERSION
        || hello.highestVersion() < FrameFormat.VERSION) {
      throw new WireException(
          ErrorCode.VERSION_UNSUPPORTED,
          "the client speaks versions "
              + hello.lowestVersion()
              + " to "
              + hello.highestVersion()
              + ", this appliance version "
              + FrameFormat.VERSION);
    }
    if (hello.epoch() != 0 && hello.epoch() < settings.epoch()) {
      throw new WireException(
          ErrorCode.VERSION_UNSUPPORTED,
          "epoch " + hello.epoch() + " is over, this appliance is in " + settings.epoch());
    }
    channel.sendConnection(
        new Message.Welcome(
            FrameFormat.VERSION,
            settings.epoch(),
            0,
            FrameFormat.MAX_PAYLOAD_BYTES,
            settings.limits().maxStreams(),
            settings.limits().idleSeconds(),
            settings.software(),
            bindings.stream().map(ChannelBinding::type).toList()));
  }

  private Outcome attempt() throws IOException {
    if (!(take() instanceof Message.AuthBegin begin)) {
      throw WireException.malformed("expected AUTH_BEGIN");
    }
    if (!begin.mechanism().equals(Scram.MECHANISM_PLUS)) {
      throw new WireException(
          ErrorCode.AUTHENTICATION_FAILED,
          "mechanism '" + Doors.shown(begin.mechanism()) + "', only SCRAM-SHA-256-PLUS is known");
    }
    var scram = new ScramServer(begin.clientFirst(), bindings, random);
    ScramVerifier verifier =
        authenticator
            .verifier(scram.user())
            .orElseGet(
                () -> ScramVerifier.forUnknown(scram.user(), authenticator.unknownUserSecret()));
    channel.sendConnection(new Message.AuthChallenge(scram.challenge(verifier)));
    if (!(take() instanceof Message.AuthProof proof)) {
      throw WireException.malformed("expected AUTH_PROOF");
    }
    return new Outcome(scram.user(), scram.check(proof.clientFinal()));
  }

  private Message take() throws IOException {
    return inbox.take(settings.limits().loginTime()).message();
  }

  private static void pause(Duration delay) throws WireException {
    try {
      Thread.sleep(delay);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new WireException(ErrorCode.CANCELLED, "interrupted");
    }
  }
}
