package onefold.catalyst.client;

import onefold.catalyst.wire.ItemInfo;

/**
 * What came of an upload.
 *
 * @param item durable
 * @param statistics the upload's last figures
 */
public record CommittedItem(ItemInfo item, UploadStatistics statistics) {}
