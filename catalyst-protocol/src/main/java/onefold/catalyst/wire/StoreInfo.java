package onefold.catalyst.wire;

/**
 * A store as its users see it.
 *
 * @param name unique on the appliance
 * @param domainId id of the dedup domain; items can be cloned and spliced within one
 * @param parameterSet number of the domain's parameter set
 * @param quotaBytes most logical bytes of its items together, 0 for no limit
 * @param compression what new blocks get unless an upload asks for another
 * @param lockDays days of store time for which new items are locked, 0 for none
 */
public record StoreInfo(
    String name,
    WireId domainId,
    int parameterSet,
    long quotaBytes,
    CompressionChoice compression,
    int lockDays) {}
