/**
 * Structured logs: one line an event, to standard output as text or JSON and to {@code DIR/log} as
 * JSON, in files whose sum is bounded (the oldest goes). Everything in the process logs through the
 * JDK's logging: the appliance by {@code System.Logger}, Netty, Tomcat and Spring by their own
 * bridges.
 *
 * <p>Imports {@code configuration}, {@code json} and the JDK. Handlers are safe for many threads.
 */
@NullMarked
package onefold.appliance.log;

import org.jspecify.annotations.NullMarked;
