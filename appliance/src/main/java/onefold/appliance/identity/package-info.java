/**
 * Who may do what: {@link onefold.appliance.identity.User}, kept as records of kind {@code user} in
 * the catalog, sealed under the appliance's key so that neither a copy of the data directory
 * without {@code keys} nor a log shows a verifier.
 *
 * <p>Imports the store's face, the Catalyst endpoint's question about users, the wire's SCRAM,
 * {@code json}, {@code context} (private files) and the JDK. {@link
 * onefold.appliance.identity.Users} may be called by many threads; each change is one record
 * written by the catalog, the last one counts.
 */
@NullMarked
package onefold.appliance.identity;

import org.jspecify.annotations.NullMarked;
