package onefold.nas.nfs;

import onefold.store.Id;

/** A file among all shares. */
record FileKey(Id shareId, long fileId) {}
