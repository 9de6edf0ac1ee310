package onefold.store;

import onefold.chunker.ObjectRoot;

/**
 * A durable unfinished root of an upload.
 *
 * @param uploadId the upload
 * @param root the tree so far
 * @param sequence counts from 1 in an upload
 */
public record Checkpoint(Id uploadId, ObjectRoot root, long sequence) {}
