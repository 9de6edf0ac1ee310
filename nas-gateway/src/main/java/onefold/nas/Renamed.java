package onefold.nas;

/**
 * What a change of name did.
 *
 * @param from the directory that lost the name
 * @param to the directory that has it now; equal to {@code from} if it is the same directory
 */
public record Renamed(Change from, Change to) {}
