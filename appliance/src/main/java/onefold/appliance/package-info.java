/**
 * The appliance: builds everything by constructor and starts it. The packages below are its parts:
 * {@code configuration} (the YAML file), {@code identity} (users and their sealed records), {@code
 * rest} and {@code metrics} (the HTTPS door), {@code log}, {@code context} (what a client needs to
 * find and trust an appliance), {@code cli} (the program's verbs), {@code judge} (clients that
 * share nothing with the servers), {@code json}.
 *
 * <p>May import everything; nobody imports it but {@code perf}. Spring is used in {@code rest} only
 * and is never loaded by a verb other than {@code serve}. Threads: one for start and stop, virtual
 * threads for requests.
 */
@NullMarked
package onefold.appliance;

import org.jspecify.annotations.NullMarked;
