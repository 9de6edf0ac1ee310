package onefold.nas;

/**
 * What a client address may do with a share, and why.
 *
 * @param allowed whether it may mount it
 * @param readOnly whether it may only read
 * @param squash {@link Squash#NONE}, {@link Squash#ROOT} or {@link Squash#ALL}
 * @param reason a sentence for people: the rule that counted, or that none matched and which
 *     command would allow it
 */
public record ExportDecision(boolean allowed, boolean readOnly, Squash squash, String reason) {}
