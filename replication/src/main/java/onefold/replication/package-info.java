/**
 * Replication: keeps what stores of this appliance hold on a peer too, sending only what the peer
 * lacks. A Catalyst client whose source is a local store; there is no second wire protocol.
 *
 * <p>May import {@code onefold.store} (the face), {@code onefold.catalyst.client} and {@code
 * .wire}, {@code onefold.chunker} and {@code onefold.block}.
 *
 * <p>Threads: every mapping has one virtual thread, which talks to its peer and may block. What
 * this starts while that runs, and what makes it safe:
 *
 * <table>
 * <caption>Concurrency</caption>
 * <tr><th>this</th><th>while</th><th>safe because</th></tr>
 * <tr><td>an item is deleted or replaced here</td><td>it is being copied</td><td>an open reader keeps
 * its object; the next pass finds the difference</td></tr>
 * <tr><td>a mapping is paused, removed or the appliance stops</td><td>it copies</td><td>the copy is
 * closed, its thread ends it; what a durable checkpoint of the peer covers is found again</td></tr>
 * <tr><td>a sync is asked for</td><td>one is under way</td><td>a pass counts for those only who asked
 * before it began; another follows</td></tr>
 * <tr><td>somebody writes the same name on the peer</td><td>it is copied there</td><td>the commit is
 * one step of the peer's catalog; what is there from elsewhere is never replaced knowingly</td></tr>
 * </table>
 */
@NullMarked
package onefold.replication;

import org.jspecify.annotations.NullMarked;
