package onefold.appliance.tree;

/** What a restore does where a file stands already. */
public enum ExistingFiles {
  /** Nothing is restored if any file stands already. */
  REFUSE,
  /** The file that stands is replaced. */
  OVERWRITE,
  /** The file that stands is left as it is. */
  KEEP
}
