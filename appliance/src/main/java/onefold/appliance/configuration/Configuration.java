package onefold.appliance.configuration;

import java.nio.file.Path;
import java.util.Collections;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import onefold.appliance.FrontEnd;

/**
 * How the process runs.
 *
 * @param data the data directory
 * @param memoryBytes what the whole process may take, or 0 to choose by the machine
 * @param doors every front-end's door
 * @param certificate PEM file of the certificate chain; empty for the self-signed one in the data
 *     directory
 * @param key PEM file of its private key; empty with an empty certificate
 * @param log how it logs
 * @param containerBytes size at which a container is sealed
 * @param scrub how what is stored is read back
 * @param nfs how NFS is served
 */
public record Configuration(
    Path data,
    long memoryBytes,
    Map<FrontEnd, Door> doors,
    String certificate,
    String key,
    Log log,
    long containerBytes,
    Scrub scrub,
    Nfs nfs) {
  /** The configuration's name in a data directory. */
  public static final String FILE_NAME = "onefold.yaml";

  /** Least memory with which the process starts. */
  public static final long LEAST_MEMORY_BYTES = 256L << 20;

  private static final long DEFAULT_CONTAINER_BYTES = 64L << 20;
  private static final long LEAST_CONTAINER_BYTES = 256L << 10;
  private static final long GREATEST_CONTAINER_BYTES = 1L << 30;

  /**
   * One front-end's door.
   *
   * @param enabled whether it opens
   * @param port 0 for any free one
   * @param addresses to bind; the word {@value #ALL} for every address
   */
  public record Door(boolean enabled, int port, List<String> addresses) {
    /** Every address of the machine. */
    public static final String ALL = "all";

    /** What is bound when nothing is said: this machine only. */
    public static final String LOOPBACK = "127.0.0.1";

    public Door {
      if (port < 0 || port > 65_535) {
        throw new IllegalArgumentException("port " + port + " is not between 0 and 65535");
      }
      if (addresses.isEmpty()) {
        throw new IllegalArgumentException("a front-end needs an address to listen on");
      }
      addresses = List.copyOf(addresses);
    }

    public Door withEnabled(boolean value) {
      return new Door(value, port, addresses);
    }

    public Door withPort(int value) {
      return new Door(enabled, value, addresses);
    }

    public Door withAddresses(List<String> value) {
      return new Door(enabled, port, value);
    }

    public boolean isOpenToOthers() {
      return addresses.stream()
          .anyMatch(a -> !a.startsWith("127.") && !a.equals("::1") && !a.equals("localhost"));
    }
  }

  /**
   * How the process logs.
   *
   * @param level least level: error, warn, info, debug
   * @param json whether lines on standard output are JSON; those in the file always are
   * @param maxBytes most bytes of all log files together
   */
  public record Log(String level, boolean json, long maxBytes) {
    /** Levels that can be named. */
    public static final List<String> LEVELS = List.of("error", "warn", "info", "debug");

    static final long LEAST_BYTES = 1L << 20;

    public Log {
      if (!LEVELS.contains(level)) {
        throw new IllegalArgumentException(
            "log level '" + level + "' does not exist; there are " + LEVELS);
      }
      if (maxBytes < LEAST_BYTES) {
        throw new IllegalArgumentException("log size " + maxBytes + " is less than 1MiB");
      }
    }
  }

  /**
   * How what is stored is read back.
   *
   * @param enabled whether that begins by itself
   * @param bytesPerSecond the most that is read beside other work; 0 for no limit
   * @param everyDays from the beginning of one pass to that of the next
   */
  public record Scrub(boolean enabled, long bytesPerSecond, int everyDays) {
    /** When nothing is said. */
    public static final Scrub DEFAULT = new Scrub(true, 20L << 20, 30);

    public Scrub {
      if (bytesPerSecond != 0 && bytesPerSecond < 64 << 10) {
        throw new IllegalArgumentException(
            "scrub rate " + bytesPerSecond + " is less than 64KiB a second; 0B is no limit");
      }
      if (everyDays < 1 || everyDays > 3650) {
        throw new IllegalArgumentException(
            "scrub every " + everyDays + " days is not between 1 and 3650");
      }
    }
  }

  /**
   * How NFS is served.
   *
   * @param leaseSeconds after which a silent client of version 4 is forgotten, and how long clients
   *     may reclaim after a restart
   * @param portMapper whether the port is told to rpcbind where it runs
   * @param keytab file with the keys of the service {@code nfs/HOST}; empty to serve no Kerberos
   */
  public record Nfs(int leaseSeconds, boolean portMapper, String keytab) {
    /** When nothing is said. */
    public static final Nfs DEFAULT = new Nfs(60, true, "");

    public Nfs {
      if (leaseSeconds < 5 || leaseSeconds > 3600) {
        throw new IllegalArgumentException(
            "lease of " + leaseSeconds + " seconds is not between 5 and 3600");
      }
    }
  }

  public Configuration {
    if (memoryBytes != 0 && memoryBytes < LEAST_MEMORY_BYTES) {
      throw new IllegalArgumentException(
          "memory "
              + memoryBytes
              + " bytes is less than the least that works, 256MiB ("
              + LEAST_MEMORY_BYTES
              + ")");
    }
    if (containerBytes < LEAST_CONTAINER_BYTES || containerBytes > GREATEST_CONTAINER_BYTES) {
      throw new IllegalArgumentException(
          "container size " + containerBytes + " is not between 256KiB and 1GiB");
    }
    if (certificate.isEmpty() != key.isEmpty()) {
      throw new IllegalArgumentException("tls needs both a certificate and a key, or neither");
    }
    doors = Collections.unmodifiableMap(new EnumMap<>(doors));
  }

  /** Returns the configuration when nothing is said. */
  public static Configuration defaults(Path data) {
    Map<FrontEnd, Door> doors = new EnumMap<>(FrontEnd.class);
    for (FrontEnd frontEnd : FrontEnd.values()) {
      doors.put(frontEnd, new Door(true, frontEnd.defaultPort(), List.of(Door.LOOPBACK)));
    }
    return new Configuration(
        data,
        0,
        doors,
        "",
        "",
        new Log("info", false, 64L << 20),
        DEFAULT_CONTAINER_BYTES,
        Scrub.DEFAULT,
        Nfs.DEFAULT);
  }

  public Door door(FrontEnd frontEnd) {
    Door door = doors.get(frontEnd);
    if (door == null) {
      throw new IllegalStateException("no door for " + frontEnd.label());
    }
    return door;
  }

  public Configuration withDoor(FrontEnd frontEnd, Door door) {
    Map<FrontEnd, Door> changed = new EnumMap<>(doors);
    changed.put(frontEnd, door);
    return new Configuration(
        data, memoryBytes, changed, certificate, key, log, containerBytes, scrub, nfs);
  }

  public Configuration withData(Path value) {
    return new Configuration(
        value, memoryBytes, doors, certificate, key, log, containerBytes, scrub, nfs);
  }

  public Configuration withMemoryBytes(long value) {
    return new Configuration(data, value, doors, certificate, key, log, containerBytes, scrub, nfs);
  }

  public Configuration withTls(String certificateFile, String keyFile) {
    return new Configuration(
        data, memoryBytes, doors, certificateFile, keyFile, log, containerBytes, scrub, nfs);
  }

  public Configuration withLog(Log value) {
    return new Configuration(
        data, memoryBytes, doors, certificate, key, value, containerBytes, scrub, nfs);
  }

  public Configuration withScrub(Scrub value) {
    return new Configuration(
        data, memoryBytes, doors, certificate, key, log, containerBytes, value, nfs);
  }

  public Configuration withContainerBytes(long value) {
    return new Configuration(data, memoryBytes, doors, certificate, key, log, value, scrub, nfs);
  }

  public Configuration withNfs(Nfs value) {
    return new Configuration(
        data, memoryBytes, doors, certificate, key, log, containerBytes, scrub, value);
  }
}
