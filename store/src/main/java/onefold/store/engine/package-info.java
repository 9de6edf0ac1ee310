/**
 * The engine: the store over one data directory, made of containers, index, catalog and journal.
 *
 * <p>Read it in this order: {@link onefold.store.engine.Engine} is the face; {@code Upload} is the
 * way in that every front-end takes, {@code PipelineWriter} the one from a plain stream; {@code
 * RecipeReader} is the way out, {@code StoredWalk} the one in stored form; {@code Domain} joins the
 * containers and the index of one dedup domain; {@code Committer} makes names durable; {@code
 * LiveShareTree} is a share with the changes that are not durable yet; {@code Recovery} begins
 * again after whatever has happened.
 *
 * <p>May import everything of {@code onefold.store}, {@code onefold.chunker} and {@code
 * onefold.block}. Tasks: {@code committer}, one for each block that a reader fetches ahead, {@code
 * upkeep}, which every hour makes store time durable, lets deleted items go whose time has come and
 * notes how much is used, and housekeeping's; cutting and look-ups run on the caller's thread,
 * fingerprints, compression and decompression on the scheduler's pool.
 *
 * <p><b>The order of a commit.</b> An upload has appended its blocks and nodes, children before
 * parents, and published them in the index, where others find them at once. Its command goes to the
 * committer, which takes all that waits and
 *
 * <ol>
 *   <li>stages the commands in the catalog, where nobody sees them;
 *   <li>takes the ends of all containers that are not sealed, as one moment in which no node lies
 *       before its end whose child lies behind its own;
 *   <li>forces those containers in parallel; if they have grown by less than 256 KiB since the last
 *       commit, takes the bytes themselves instead;
 *   <li>appends one record to the journal, with ends, bytes and commands, and waits for it;
 *   <li>publishes the commands and answers.
 * </ol>
 *
 * <p>So whatever a name refers to, whoever stored it, was durable before the name was.
 *
 * <p><b>The order of a checkpoint.</b> The catalog's changes are folded into pages; every container
 * is forced; a checkpoint record with all ends is journalled; the superblock that names its
 * position and the catalog's root is written over the older one, and again over the other one; the
 * journal before it is given back.
 *
 * <p><b>Recovery</b> is the same backwards, see {@code Recovery}: what lies behind a committed end
 * was never referred to by a name, and is cut off.
 *
 * <table>
 * <caption>What runs beside what, and what makes it safe</caption>
 * <tr><th>this starts while</th><th>that runs</th><th>safe because</th></tr>
 * <tr><td>an upload finds a chunk of another</td><td>that chunk is not forced yet</td>
 *     <td>a commit forces all that has grown in the domain, not only its own</td></tr>
 * <tr><td>an upload finds a node</td><td>its subtree is being stored</td>
 *     <td>a node is published after its children; ends are taken under the lock under which nodes
 *     are appended</td></tr>
 * <tr><td>a commit</td><td>a commit</td><td>one task commits; commands wait in its queue</td></tr>
 * <tr><td>a look-up in the catalog</td><td>a commit</td>
 *     <td>views are immutable; one volatile write shows the next</td></tr>
 * <tr><td>a checkpoint</td><td>commits</td><td>the committer's task does both, one after the
 *     other</td></tr>
 * <tr><td>a checkpoint of an upload</td><td>the upload goes on</td>
 *     <td>answers are kept in intervals; only those that the durable root covers are dropped</td></tr>
 * <tr><td>reading an object</td><td>its name is deleted</td>
 *     <td>the reader has pinned its root, which housekeeping takes for a root</td></tr>
 * <tr><td>reading a chunk</td><td>its container is dropped</td>
 *     <td>who finds the container gone looks the chunk up again; its new place was published
 *     before</td></tr>
 * <tr><td>a copy of a whole store</td><td>items of it are committed</td>
 *     <td>the committer folds the catalog and stages the copy before the other commands of its
 *     group: the copy has what was committed before</td></tr>
 * <tr><td>a change of a share</td><td>a look at it</td>
 *     <td>a reader takes what is on its way and the catalog's view under the lock under which changes
 *     are shown and hidden</td></tr>
 * <tr><td>a change of a share</td><td>another of the same share</td>
 *     <td>it gets its number and its place in the committer's queue under one lock; the catalog
 *     refuses one that does not follow the last</td></tr>
 * <tr><td>a mark</td><td>a change of a share is on its way</td>
 *     <td>the objects it brings in are pinned before it is shown and until the catalog holds them; a
 *     mark reads the pins first</td></tr>
 * <tr><td>a copy of a share</td><td>changes of it are on their way</td>
 *     <td>those whose call has returned are awaited; the copy is staged before the others of its group
 *     and has them or not, in their order</td></tr>
 * <tr><td>deleted items go</td><td>one of them is brought back</td>
 *     <td>both are commands; the later one finds it gone</td></tr>
 * <tr><td>two uploads of one name</td><td>each other</td>
 *     <td>the newer one supersedes the older, which is told so at its next call</td></tr>
 * <tr><td>an upload that compares bytes stores a chunk</td><td>another stores one with its
 *     fingerprint</td><td>each holds the domain's lock {@code matching} from its last look for the
 *     chunks of a block until they are found: the second compares, or refuses</td></tr>
 * <tr><td>close</td><td>anything</td><td>new work is refused; the committer finishes what waits, then
 *     the files are closed</td></tr>
 * </table>
 */
@NullMarked
package onefold.store.engine;

import org.jspecify.annotations.NullMarked;
