/**
 * Made data for measuring without any network: generations of what backups hold, equal on every
 * machine for the same kind, size and seed. May import the JDK only; starts no thread.
 */
@NullMarked
package onefold.appliance.sample;

import org.jspecify.annotations.NullMarked;
