/**
 * How the process runs: {@link onefold.appliance.configuration.Configuration}, read from a YAML
 * file in which an unknown key is an error that names the nearest known one. What has a name
 * (stores, users) lives in the catalog, not here.
 *
 * <p>Imports the JDK and SnakeYAML's parser, whose nodes carry the lines for the messages. Values
 * are immutable; the reader is used by one thread.
 */
@NullMarked
package onefold.appliance.configuration;

import org.jspecify.annotations.NullMarked;
