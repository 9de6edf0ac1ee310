package onefold.appliance.cli;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Function;

/** The table of verbs, in the order in which help shows them. A new verb is a line here. */
final class Verbs {
  private Verbs() {}

  static Map<String, Function<Environment, Object>> table() {
    Map<String, Function<Environment, Object>> verbs = new LinkedHashMap<>();
    verbs.put("serve", ServeVerb::new);
    verbs.put("status", StatusVerb::new);
    verbs.put("connect", ConnectVerb::new);
    verbs.put("put", PutVerb::new);
    verbs.put("get", GetVerb::new);
    verbs.put("backup", BackupVerb::new);
    verbs.put("restore", RestoreVerb::new);
    verbs.put("ls", ListVerb::new);
    verbs.put("rm", RemoveVerb::new);
    verbs.put("undelete", UndeleteVerb::new);
    verbs.put("purge", PurgeVerb::new);
    verbs.put("cp", CopyVerb::new);
    verbs.put("lock", LockVerb::new);
    verbs.put("hold", HoldVerb::new);
    verbs.put("verify", VerifyVerb::new);
    verbs.put("stats", StatsVerb::new);
    verbs.put("housekeeping", HousekeepingVerb::new);
    verbs.put("scrub", ScrubVerb::new);
    verbs.put("inspect", InspectVerb::new);
    verbs.put("rebuild", RebuildVerb::new);
    verbs.put("analyze", AnalyzeVerb::new);
    verbs.put("sample", SampleVerb::new);
    verbs.put("store", StoreVerb::new);
    verbs.put("share", ShareVerb::new);
    verbs.put("snapshot", SnapshotVerb::new);
    verbs.put("user", UserVerb::new);
    verbs.put("domain", DomainVerb::new);
    verbs.put("disk", DiskVerb::new);
    verbs.put("mapping", MappingVerb::new);
    verbs.put("job", JobVerb::new);
    verbs.put("certificate", CertificateVerb::new);
    verbs.put("config", ConfigVerb::new);
    verbs.put("context", ContextVerb::new);
    verbs.put("judge", JudgeVerb::new);
    return verbs;
  }
}
