package onefold.nas;

import java.util.List;
import java.util.Set;

/**
 * What is set for a share.
 *
 * @param nfs whether NFS serves it
 * @param smb whether SMB serves it
 * @param rules who may mount it over NFS; the first that matches a client counts
 * @param squash whose identity clients lose
 * @param readOnly whether nobody may change it
 * @param quotaBytes most bytes of all its files together, before deduplication; 0 for no bound
 * @param ownerUid owner of its root directory, whom squashed users become
 * @param ownerGid the group likewise
 * @param security how clients of NFS may prove who their users are; at least one way
 * @param snapshotDirectory how clients see its snapshots
 * @param worm whether and how long files are kept that were committed; never switched on or off
 *     after the share is made
 */
public record ShareSettings(
    boolean nfs,
    boolean smb,
    List<ExportRule> rules,
    Squash squash,
    boolean readOnly,
    long quotaBytes,
    long ownerUid,
    long ownerGid,
    Set<Security> security,
    SnapshotDirectory snapshotDirectory,
    Worm worm) {
  /** Owner and group of what nobody in particular owns. */
  public static final long NOBODY = 65_534;

  /** Served to this machine only, over NFS. */
  public static final ShareSettings LOOPBACK =
      new ShareSettings(
          true,
          false,
          List.of(new ExportRule("localhost", false)),
          Squash.AUTO,
          false,
          0,
          NOBODY,
          NOBODY,
          Set.of(Security.SYS),
          SnapshotDirectory.HIDDEN,
          Worm.NONE);

  /** Checks and copies. */
  public ShareSettings {
    rules = List.copyOf(rules);
    security = Set.copyOf(security);
    if (security.isEmpty()) {
      throw new IllegalArgumentException("no kind of security");
    }
    for (ExportRule rule : rules) {
      Exports.checkHosts(rule.hosts());
    }
    if (rules.size() > ShareSettingsFormat.MAX_RULES) {
      throw new IllegalArgumentException(
          rules.size() + " rules, at most " + ShareSettingsFormat.MAX_RULES);
    }
    if (quotaBytes < 0) {
      throw new IllegalArgumentException("quotaBytes " + quotaBytes);
    }
    if (ownerUid < 0 || ownerUid > MAX_ID || ownerGid < 0 || ownerGid > MAX_ID) {
      throw new IllegalArgumentException("owner " + ownerUid + ":" + ownerGid);
    }
  }

  private static final long MAX_ID = 0xffff_ffffL;

  public ShareSettings withNfs(boolean served, List<ExportRule> exported) {
    return new ShareSettings(
        served,
        smb,
        exported,
        squash,
        readOnly,
        quotaBytes,
        ownerUid,
        ownerGid,
        security,
        snapshotDirectory,
        worm);
  }

  public ShareSettings withSquash(Squash value) {
    return new ShareSettings(
        nfs,
        smb,
        rules,
        value,
        readOnly,
        quotaBytes,
        ownerUid,
        ownerGid,
        security,
        snapshotDirectory,
        worm);
  }

  public ShareSettings withReadOnly(boolean value) {
    return new ShareSettings(
        nfs,
        smb,
        rules,
        squash,
        value,
        quotaBytes,
        ownerUid,
        ownerGid,
        security,
        snapshotDirectory,
        worm);
  }

  public ShareSettings withQuotaBytes(long bytes) {
    return new ShareSettings(
        nfs,
        smb,
        rules,
        squash,
        readOnly,
        bytes,
        ownerUid,
        ownerGid,
        security,
        snapshotDirectory,
        worm);
  }

  public ShareSettings withOwner(long uid, long gid) {
    return new ShareSettings(
        nfs, smb, rules, squash, readOnly, quotaBytes, uid, gid, security, snapshotDirectory, worm);
  }

  public ShareSettings withSecurity(Set<Security> kinds) {
    return new ShareSettings(
        nfs,
        smb,
        rules,
        squash,
        readOnly,
        quotaBytes,
        ownerUid,
        ownerGid,
        kinds,
        snapshotDirectory,
        worm);
  }

  public ShareSettings withSnapshotDirectory(SnapshotDirectory value) {
    return new ShareSettings(
        nfs, smb, rules, squash, readOnly, quotaBytes, ownerUid, ownerGid, security, value, worm);
  }

  public ShareSettings withWorm(Worm value) {
    return new ShareSettings(
        nfs,
        smb,
        rules,
        squash,
        readOnly,
        quotaBytes,
        ownerUid,
        ownerGid,
        security,
        snapshotDirectory,
        value);
  }
}
