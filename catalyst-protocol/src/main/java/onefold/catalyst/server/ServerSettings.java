package onefold.catalyst.server;

import java.net.InetSocketAddress;
import onefold.catalyst.wire.TlsProvider;

/**
 * How an endpoint runs.
 *
 * @param address to listen on; port 0 takes any free one
 * @param tls what the server proves itself with
 * @param tlsProvider who does TLS
 * @param limits the bounds
 * @param software name and version, told to clients
 * @param epoch of this appliance; peers of a lower one are refused
 */
public record ServerSettings(
    InetSocketAddress address,
    TlsIdentity tls,
    TlsProvider tlsProvider,
    ServerLimits limits,
    String software,
    long epoch) {
  /** Makes settings with everything else as usual. */
  public ServerSettings(InetSocketAddress address, TlsIdentity tls) {
    this(address, tls, TlsProvider.AUTO, ServerLimits.DEFAULT, "onefold", 1);
  }
}
