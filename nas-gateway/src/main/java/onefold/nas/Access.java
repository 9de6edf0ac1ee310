package onefold.nas;

/** Bits of {@link FileSystem#access}; the numbers are those of NFS (RFC 1813, 7530, 8276). */
public final class Access {
  public static final int READ = 1;
  public static final int LOOKUP = 2;
  public static final int MODIFY = 4;
  public static final int EXTEND = 8;
  public static final int DELETE = 16;
  public static final int EXECUTE = 32;
  public static final int ATTRIBUTE_READ = 64;
  public static final int ATTRIBUTE_WRITE = 128;
  public static final int ATTRIBUTE_LIST = 256;

  private Access() {}
}
