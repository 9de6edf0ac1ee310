package onefold.store.device;

/**
 * A force failed: nobody knows which of the written bytes are on the disk, and asking again would
 * be answered with a success that means nothing, because the kernel has dropped the pages.
 *
 * <p>It is fatal. Nobody catches it to go on; the process stops and the next one recovers from what
 * the disk has. From the first one on, every call of the device throws one that names the first as
 * its cause; not the same instance, which {@code try} with resources could not suppress by itself.
 * It is unchecked so that no handler of {@code IOException} takes it for an error of one file.
 */
public final class DeviceForceException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  /**
   * Takes what was forced and what the operating system said.
   *
   * @param path file or directory, as the operator knows it
   */
  public DeviceForceException(String path, Throwable cause) {
    super(
        "force of "
            + path
            + " failed, the store must stop and recover from disk: "
            + cause.getMessage(),
        cause);
  }

  /** Tells a later call of the same device. */
  public DeviceForceException(DeviceForceException first) {
    super(first.getMessage(), first);
  }
}
