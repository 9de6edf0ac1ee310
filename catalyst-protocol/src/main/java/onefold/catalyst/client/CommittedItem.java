package onefold.catalyst.client;

import onefold.catalyst.wire.ItemInfo;

/**
 * What came of an upload.
 *
 * @param item durable
 * @param statistics the upload's last figures
 * @param warning of the appliance about the store, to be shown as it is; empty for none
 */
public record CommittedItem(ItemInfo item, UploadStatistics statistics, String warning) {}
