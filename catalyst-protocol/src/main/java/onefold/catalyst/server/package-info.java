/**
 * The Catalyst endpoint: TLS, login, and the sessions that serve stores, items, uploads and reads.
 *
 * <p>May import {@code onefold.catalyst.wire}, the face {@code onefold.store}, {@code
 * onefold.chunker}, {@code onefold.block} and Netty.
 *
 * <p>Threads: Netty's event loops decode and encode. The login of a connection and every stream run
 * on a virtual thread of their own, which may block in the store, for credit or for frames. What
 * this starts while that runs, and what makes it safe:
 *
 * <table>
 * <caption>Concurrency</caption>
 * <tr><th>this</th><th>while</th><th>safe because</th></tr>
 * <tr><td>a stream opens</td><td>others of the connection run</td><td>counted on the event loop and
 * by an atomic; each session owns its upload or reader alone</td></tr>
 * <tr><td>an upload is resumed</td><td>its old session still runs on a broken connection</td><td>
 * {@link onefold.catalyst.server.OpenUploads}: the newcomer ends the old stream and waits until its
 * thread has let go</td></tr>
 * <tr><td>a checkpoint becomes durable</td><td>the session goes on</td><td>the store's thread only
 * sends a frame, which any thread may</td></tr>
 * <tr><td>the server closes</td><td>sessions run</td><td>streams are failed, threads are waited
 * for; no thread is ever interrupted, because an interrupt would close files under the store</td>
 * </tr>
 * </table>
 */
@NullMarked
package onefold.catalyst.server;

import org.jspecify.annotations.NullMarked;
