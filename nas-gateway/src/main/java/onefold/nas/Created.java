package onefold.nas;

/**
 * What a creation did.
 *
 * @param file the file that has the name now
 * @param directory of the name; before and after are equal if nothing was made
 * @param made false if the file was there already, as unchecked creation allows and a repeated
 *     exclusive one is answered
 */
public record Created(Attributes file, Change directory, boolean made) {}
