/**
 * A load generator for NFS servers: a small client of version 4.1 that does what kernels do, many
 * requests in flight over several connections of one session, and measures. It shares no class with
 * the server.
 *
 * <p>One thread for each connection, nothing is shared between them but counters.
 */
@NullMarked
package onefold.perf.nfs;

import org.jspecify.annotations.NullMarked;
