package onefold.nas.nfs;

import java.net.InetAddress;

/**
 * One call: what its header says, and where it came from.
 *
 * @param client the address it came from
 * @param recordBytes length of the whole call
 * @param body the array and range the call lies in, for a checksum over it
 */
record RpcCall(
    int xid,
    int program,
    int version,
    int procedure,
    Credential credential,
    InetAddress client,
    int recordBytes,
    XdrReader.Range body) {}
