package onefold.appliance.breaches.onefold.nas.smb;

/** What a planted breach depends on, in a package that does not exist yet; see ModuleMapTest. */
public interface PlantedSmb {}
