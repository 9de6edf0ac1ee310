/**
 * The command line: {@link onefold.appliance.cli.Onefold} is the program, {@link
 * onefold.appliance.cli.Verbs} the table of its verbs, one class each. A verb that is not asked for
 * is not even looked at, so that a plain verb starts fast; none but {@code serve} loads Spring.
 *
 * <p>A verb reaches an appliance by a context: management over REST, bytes over Catalyst. With
 * {@code --data} some read a data directory without a server. Exit codes are those of {@link
 * onefold.appliance.cli.Exit}; with {@code --json} standard output holds one JSON document and
 * nothing else.
 *
 * <p>May import all of the appliance, the Catalyst client and the store's engine (for {@code
 * --data}). One thread runs a verb.
 */
@NullMarked
package onefold.appliance.cli;

import org.jspecify.annotations.NullMarked;
