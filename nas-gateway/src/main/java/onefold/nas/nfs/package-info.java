/**
 * NFS versions 3, 4.0, 4.1 and 4.2 with MOUNT version 3 over one port of TCP.
 *
 * <p>A record of bytes becomes a call in {@link onefold.nas.nfs.RpcConnection}, finds its program
 * in {@link onefold.nas.nfs.RpcCalls}, its version in {@link onefold.nas.nfs.NfsProgram}, and ends
 * in the file layer {@code onefold.nas}. {@link onefold.nas.nfs.Doors} says which shares a client
 * address may enter and who its users are there; {@link onefold.nas.nfs.FileHandles} seals what
 * names a file. What version 4 remembers of its clients is in {@link onefold.nas.nfs.Clients}; its
 * operations are in {@link onefold.nas.nfs.FileOperations}, {@link onefold.nas.nfs.OpenOperations},
 * {@link onefold.nas.nfs.ByteOperations}, {@link onefold.nas.nfs.LockOperations} and {@link
 * onefold.nas.nfs.SessionOperations}, and {@link onefold.nas.nfs.States} says what a stateid stands
 * for. {@link onefold.nas.nfs.GssCalls} checks calls that come with Kerberos.
 *
 * <p>May import the file layer {@code onefold.nas}, ids of {@code onefold.store} and Netty; nothing
 * of SMB.
 *
 * <p>Promises: a COMMIT or a stable write is answered when it is durable; the write verifier is
 * that of the file layer, so that a client sends again what a crash took; a request that is sent
 * again is answered again and not done again, by slots in 4.1, by the numbers of owners in 4.0, and
 * by {@link onefold.nas.nfs.ReplyCache} for the rest. Every length that a client sends is held
 * against a bound before anything is allocated. Bounds: {@link onefold.nas.nfs.NfsLimits}, {@link
 * onefold.nas.nfs.NfsSettings}, {@link onefold.nas.nfs.RpcConnection}, {@link
 * onefold.nas.nfs.Session}, {@link onefold.nas.nfs.Clients}, {@link onefold.nas.nfs.ReplyCache}.
 *
 * <p>Threads: Netty's event loops put records together and send replies; every call runs on a
 * virtual thread of its own, which may block in the file layer; one virtual thread looks after
 * leases. What this starts while that runs, and what makes it safe:
 *
 * <table>
 * <caption>Concurrency</caption>
 * <tr><th>this</th><th>while</th><th>safe because</th></tr>
 * <tr><td>calls of one connection</td><td>each other, in any order</td><td>clients wait for the
 * replies that matter to them (RFC 5531); the file layer takes many threads</td></tr>
 * <tr><td>more calls arrive than are served</td><td>they run</td><td>the connection stops reading
 * and is woken by {@link onefold.nas.nfs.Load}, or by its own calls that end</td></tr>
 * <tr><td>a call is sent again</td><td>the first is served</td><td>slots and owners answer that it
 * is under way or wait their turn; {@link onefold.nas.nfs.ReplyCache} lets it wait for the first's
 * reply</td></tr>
 * <tr><td>CLOSE</td><td>reads and writes of the same open file run</td><td>{@link
 * onefold.nas.nfs.OpenState} counts its users under the client's lock and closes behind the
 * last</td></tr>
 * <tr><td>a lease ends</td><td>a request of its client runs</td><td>requests of 4.1 are counted and
 * put the end off; one of 4.0 renews, and finds its state gone if it came too late</td></tr>
 * <tr><td>a client's state is taken back</td><td>another client locks</td><td>the lock manager has
 * its own lock; order of locks: an owner's turn, that of Clients, a client's, the lock manager's;
 * expired clients are looked for without a client's lock</td></tr>
 * <tr><td>the server closes</td><td>calls run</td><td>they are waited for, then connections are
 * closed; no thread is ever interrupted, because an interrupt would close files under the
 * store</td></tr>
 * </table>
 */
@NullMarked
package onefold.nas.nfs;

import org.jspecify.annotations.NullMarked;
