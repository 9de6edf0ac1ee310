/**
 * Fuzzing of decoders: what a target promises, how it is checked, a seeded mutator that knows no
 * format, and the door for a coverage-guided fuzzer. Each decoder's target lies beside its tests.
 *
 * <p>May import JUnit and the JDK. One thread at a time uses a target.
 */
@NullMarked
package onefold.testing.fuzz;

import org.jspecify.annotations.NullMarked;
