package onefold.replication;

/**
 * An item that is not on the peer as it is here.
 *
 * @param item its name
 * @param reason to be shown as it is
 */
public record Gap(String item, String reason) {}
