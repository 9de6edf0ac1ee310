package onefold.store;

/** What a commit does when the name is taken. */
public enum CommitMode {
  /** The commit is refused with {@code EXISTS}. */
  IF_ABSENT,
  /** The new version takes the name's place in one step. */
  REPLACE
}
