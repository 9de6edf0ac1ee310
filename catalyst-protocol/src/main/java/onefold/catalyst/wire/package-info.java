/**
 * The Catalyst protocol: frames, messages, credit, and the mathematics of its login. The law is
 * {@code docs/protocol/catalyst.md}; this package is that page in code.
 *
 * <p>May import {@code onefold.chunker}, the JDK and Netty; never the store. Both ends use it.
 *
 * <p>Threads: a {@link onefold.catalyst.wire.FrameChannel} is a Netty handler whose event loop only
 * cuts bytes into frames and puts them into the inboxes of streams; messages are decoded by the
 * thread that takes them out. What this starts while that runs, and what makes it safe:
 *
 * <table>
 * <caption>Concurrency</caption>
 * <tr><th>this</th><th>while</th><th>safe because</th></tr>
 * <tr><td>a session sends a frame</td><td>another session of the connection sends</td><td>a fair lock in FrameChannel:
 * whole frames, in turn</td></tr>
 * <tr><td>a session waits for credit or room</td><td>the event loop brings credit or room</td><td>conditions of the
 * stream's and the channel's lock, signalled by the loop</td></tr>
 * <tr><td>the event loop fills an inbox</td><td>the session empties it</td><td>a concurrent queue; its bound is the
 * credit that was granted</td></tr>
 * <tr><td>the connection breaks</td><td>sessions wait</td><td>the loop fails every stream; every wait looks at the
 * stream's end</td></tr>
 * </table>
 */
@NullMarked
package onefold.catalyst.wire;

import org.jspecify.annotations.NullMarked;
