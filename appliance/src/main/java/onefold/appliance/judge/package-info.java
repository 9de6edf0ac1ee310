/**
 * Clients of their own that test the promises: they speak the Catalyst protocol of {@code
 * docs/protocol/catalyst.md} over a socket, with the JDK's TLS, their own login, frames, block
 * reader and LZ4 decoder, or NFSv3 with records and XDR of their own, and share nothing with the
 * servers. A fault in the product's client library cannot hide one of the server, and the other way
 * round.
 *
 * <p>Imports {@code context} and {@code json} (to find the appliance) and the JDK, and the zstd
 * library for blocks of that codec. One thread; a connection ends with its judge.
 */
@NullMarked
package onefold.appliance.judge;

import org.jspecify.annotations.NullMarked;
