package onefold.nas;

/** How an extended attribute is set. */
public enum AttributeMode {
  /** Makes it or changes it. */
  EITHER,
  /** {@link FileError#EXISTS} if it is there. */
  CREATE,
  /** {@link FileError#NO_ATTRIBUTE} if it is not. */
  REPLACE
}
