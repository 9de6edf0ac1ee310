/**
 * Files, as the store sees them: the only place below the store's face that opens a file.
 *
 * <p>A {@link onefold.store.device.Device} is one directory tree; {@link
 * onefold.store.device.FileDevice} is the real one, {@link onefold.store.device.SpreadDevice} one
 * whose files lie on several, the test-jar holds a simulated one that loses what was not forced.
 * Paths are relative to the device, separated by {@code /}. No channel, descriptor or mapping
 * leaves this package.
 *
 * <p>May import {@code onefold.store} (errors) and the JDK. Starts no thread; every call blocks its
 * caller.
 *
 * <p>Promises: what {@link onefold.store.device.DeviceFile#force} has returned for is durable under
 * the file's name as soon as {@link onefold.store.device.Device#forceDirectory} has returned for
 * the directory that holds the name. A failed force is never tried again: from then on every call
 * of that device throws a {@link onefold.store.device.DeviceForceException} that names the first.
 *
 * <table>
 * <caption>What runs beside what, and what makes it safe</caption>
 * <tr><th>this starts while</th><th>that runs</th><th>safe because</th></tr>
 * <tr><td>read or write of a file</td><td>another read or write of it</td><td>positional calls share no position;
 *     overlapping writes are the caller's mistake</td></tr>
 * <tr><td>force</td><td>write of the same file</td><td>force covers the writes that had returned when it began; more
 *     may become durable, never less</td></tr>
 * <tr><td>force that fails</td><td>any call</td><td>the error is kept in one volatile field, set once and looked at
 *     when a call starts and again when a force ends</td></tr>
 * <tr><td>delete or rename</td><td>reads of the open file</td><td>an open file is reached by descriptor, not by
 *     name</td></tr>
 * <tr><td>open, size, list</td><td>a file is moved to another disk</td><td>it is whole under its name on one
 *     of them at every moment, on both for a while; who finds it on none looks again if a move has ended
 *     meanwhile</td></tr>
 * <tr><td>create</td><td>a disk leaves the list</td><td>the list is changed first and looked at after the
 *     file was made: it is made anew, or the disk stays</td></tr>
 * <tr><td>delete, rename, replace of a container</td><td>it is moved</td><td>never: the domain's task of
 *     housekeeping does both</td></tr>
 * <tr><td>close</td><td>read or write of the same file</td><td>the call fails with an {@code IOException}; no
 *     descriptor is used again</td></tr>
 * </table>
 */
@NullMarked
package onefold.store.device;

import org.jspecify.annotations.NullMarked;
