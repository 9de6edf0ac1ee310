package onefold.catalyst.client;

import onefold.catalyst.wire.ItemInfo;

/**
 * What came of a copy.
 *
 * @param item durable with the peer
 * @param newBytes raw bytes that were new to the peer's dedup domain
 * @param statistics the copy's last figures
 * @param warning of the peer about the store, to be shown as it is; empty for none
 */
public record CommittedCopy(
    ItemInfo item, long newBytes, CopyStatistics statistics, String warning) {}
