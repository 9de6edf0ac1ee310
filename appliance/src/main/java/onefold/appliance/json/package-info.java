/**
 * JSON as the command line, contexts and the REST door read and write it: a strict reader with
 * bounds on length and depth, and a writer. Small and without reflection, so that a plain verb
 * starts fast.
 *
 * <p>Imports the JDK only. Values are immutable and may be shared; {@link
 * onefold.appliance.json.JsonObject} and {@link onefold.appliance.json.JsonArray} are built by one
 * thread.
 */
@NullMarked
package onefold.appliance.json;

import org.jspecify.annotations.NullMarked;
