package onefold.store;

/**
 * A dedup domain: the boundary inside which chunks are shared.
 *
 * @param id never reused
 * @param name unique on the appliance
 * @param parameterSet number of the parameter set, fixed at creation
 */
public record DomainRecord(Id id, String name, int parameterSet) {}
