package onefold.appliance.tree;

/**
 * Something that was not backed up or restored as it is.
 *
 * @param path the name, made printable
 * @param reason what happened, for the user
 */
public record Gap(String path, String reason) {}
