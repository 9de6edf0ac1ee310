package onefold.appliance;

import java.io.IOException;
import java.io.PrintStream;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.UnknownHostException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Consumer;
import java.util.stream.Stream;
import onefold.appliance.configuration.Configuration;
import onefold.appliance.configuration.Configuration.Door;
import onefold.appliance.context.Context;
import onefold.appliance.context.Contexts;
import onefold.appliance.context.PrivateFile;
import onefold.appliance.identity.ApplianceKey;
import onefold.appliance.identity.FirstAdministrator;
import onefold.appliance.identity.ProofKey;
import onefold.appliance.identity.TlsFiles;
import onefold.appliance.identity.UserAuthenticator;
import onefold.appliance.identity.Users;
import onefold.appliance.json.JsonObject;
import onefold.appliance.log.Logs;
import onefold.appliance.mapping.MappingFiles;
import onefold.appliance.metrics.Metrics;
import onefold.appliance.rest.Api;
import onefold.appliance.rest.ClientArchive;
import onefold.appliance.rest.HttpDoor;
import onefold.appliance.rest.Status;
import onefold.catalyst.server.CatalystServer;
import onefold.catalyst.server.ServerLimits;
import onefold.catalyst.server.ServerSettings;
import onefold.catalyst.server.TlsIdentity;
import onefold.catalyst.wire.TlsProvider;
import onefold.chunker.ParameterSet;
import onefold.nas.ServedShares;
import onefold.nas.ShareSettings;
import onefold.nas.SpaceSource;
import onefold.nas.nfs.Kerberos;
import onefold.nas.nfs.NfsServer;
import onefold.nas.nfs.NfsSettings;
import onefold.replication.Mappings;
import onefold.store.CapacityStatus;
import onefold.store.ChunkStore;
import onefold.store.DomainRecord;
import onefold.store.Id;
import onefold.store.device.DeviceForceException;
import onefold.store.device.FileDevice;
import onefold.store.device.SpreadDevice;
import onefold.store.engine.Engine;
import onefold.store.engine.EngineSettings;
import onefold.store.scheduler.ThreadScheduler;
import onefold.store.scrub.ScrubSettings;

/**
 * A running appliance: one data directory and its doors. Starts in this order: the store (which
 * takes the directory's lock and recovers), keys and users, the shares, the Catalyst and NFS doors,
 * {@code ports.json} and {@code context.json}, the HTTPS door. Closing goes the other way round.
 * Owns everything it starts.
 */
public final class Appliance implements AutoCloseable {
  /** The file that tells the ports. */
  public static final String PORTS_FILE = "ports.json";

  /** The folder of keys in a data directory. */
  public static final String KEYS_FOLDER = "keys";

  /** The share that is made at the first start. */
  public static final String DEFAULT_SHARE = "backup";

  private static final String LOG_FOLDER = "log";
  private static final String DEFAULT_DOMAIN = "default";

  /** Kind of the record that says what the first start has made. */
  private static final String MADE_KIND = "made-once";

  /** How many free ports are tried that are taken at another address. */
  private static final int MOST_PORT_TRIES = 16;

  /** Where rpcbind is asked, on this system and on older ones. */
  private static final List<Path> PORT_MAPPERS =
      List.of(Path.of("/run/rpcbind.sock"), Path.of("/var/run/rpcbind.sock"));

  private static final Logger LOG = System.getLogger(Appliance.class.getName());

  private final Configuration configuration;
  private final Path data;
  private final MemoryPlan memory;
  private MemoryAccountant accountant;
  private final Instant startedAt;
  private final Map<FrontEnd, Integer> ports = new EnumMap<>(FrontEnd.class);
  private final Deque<AutoCloseable> opened = new ArrayDeque<>();
  private ChunkStore store;
  private ServedShares shares;
  private TlsIdentity tls;
  private Optional<String> firstPassword = Optional.empty();

  /**
   * How the world around the appliance is reached.
   *
   * @param out where log lines go besides the file
   * @param onFatal called when a force of the disk has failed; must end the process without another
   *     write
   * @param client the program as an archive, if it runs from one
   * @param contexts where the context of this machine is kept besides the data directory
   */
  public record Surroundings(
      PrintStream out,
      Consumer<DeviceForceException> onFatal,
      Optional<ClientArchive> client,
      Contexts contexts) {}

  @SuppressWarnings("NullAway.Init") // start() fills them or the object is never seen.
  private Appliance(Configuration configuration, MemoryPlan memory) {
    this.configuration = configuration;
    this.data = configuration.data();
    this.memory = memory;
    this.startedAt = Instant.now();
  }

  /**
   * Starts an appliance with the Catalyst door open.
   *
   * @throws IOException if the directory is in use, is no data directory, is of a newer format,
   *     cannot be forced or locked, or a port is taken; nothing stays open
   */
  public static Appliance start(Configuration configuration, Surroundings surroundings)
      throws IOException {
    MemoryPlan memory =
        MemoryPlan.choose(configuration.memoryBytes(), Runtime.getRuntime().maxMemory());
    Appliance appliance = new Appliance(configuration, memory);
    boolean started = false;
    try {
      appliance.open(surroundings);
      started = true;
      return appliance;
    } finally {
      if (!started) {
        appliance.close();
      }
    }
  }

  private void open(Surroundings surroundings) throws IOException {
    if (Files.exists(data) && !Files.isDirectory(data)) {
      throw new IOException(data + " is a file; --data names a directory");
    }
    PrivateFile.createFolder(data);
    if (isEmpty(data)) {
      // A force that fails here is no broken disk yet, so nothing fatal.
      new FileDevice(data).probe();
    }
    EngineSettings settings = memory.engine(configuration.containerBytes());
    SpreadDevice device =
        SpreadDevice.ofFiles(data, surroundings.onFatal(), settings.reserveBytes());
    ThreadScheduler scheduler = new ThreadScheduler();
    opened.push(scheduler);
    Engine engine = Engine.open(device, scheduler, settings);
    opened.push(engine);
    store = engine;
    Configuration.Scrub scrub = configuration.scrub();
    engine.scrub(
        new ScrubSettings(
            scrub.enabled(), scrub.bytesPerSecond(), Duration.ofDays(scrub.everyDays())));
    accountant = new MemoryAccountant(engine, memory, Runtime.getRuntime().maxMemory());
    opened.push(Logs.start(configuration.log(), data.resolve(LOG_FOLDER), surroundings.out()));

    SecureRandom random = new SecureRandom();
    ApplianceKey key = ApplianceKey.openOrCreate(data.resolve(KEYS_FOLDER), random);
    Users users = new Users(store, key);
    tls = tlsIdentity();
    Path contextFile = data.resolve(Contexts.FILE_NAME);
    firstPassword =
        new FirstAdministrator(store, users, random)
            .ensure(contextFile, contextBefore(), tls.pin());

    shares = openShares(engine, random);
    opened.push(shares);
    openCatalyst(users, key);
    openNfs(key, random);
    Mappings mappings =
        Mappings.start(
            store,
            new MappingFiles(data.resolve(MappingFiles.FOLDER)),
            System::nanoTime,
            InstantSource.system());
    opened.push(mappings);
    Door https = configuration.door(FrontEnd.HTTPS);
    int httpsPort = https.enabled() ? reserve(FrontEnd.HTTPS, https) : 0;
    if (https.enabled()) {
      ports.put(FrontEnd.HTTPS, httpsPort);
    }
    tellPorts(contextFile, surroundings.contexts());
    if (https.enabled()) {
      openHttps(users, key, mappings, random, surroundings, httpsPort);
    }
    LOG.log(Level.INFO, "serving " + data + " within " + memory + ", ports " + ports);
  }

  private static boolean isEmpty(Path directory) throws IOException {
    try (Stream<Path> entries = Files.list(directory)) {
      return entries.findAny().isEmpty();
    }
  }

  private TlsIdentity tlsIdentity() throws IOException {
    return configuration.certificate().isEmpty()
        ? tlsFiles().readOrCreate(certificateNames(), Instant.now())
        : tlsFiles().read();
  }

  private TlsFiles tlsFiles() {
    return configuration.certificate().isEmpty()
        ? TlsFiles.in(data.resolve(KEYS_FOLDER))
        : new TlsFiles(Path.of(configuration.key()), Path.of(configuration.certificate()));
  }

  /** Returns the names for a self-signed certificate: the machine's and the loopback's. */
  public static List<String> certificateNames() {
    List<String> names = new ArrayList<>();
    try {
      String host = InetAddress.getLocalHost().getHostName();
      if (!host.isBlank() && host.chars().allMatch(c -> c > 0x20 && c < 0x7f)) {
        names.add(host);
      }
    } catch (UnknownHostException e) {
      LOG.log(Level.DEBUG, "this machine has no name", e);
    }
    if (!names.contains("localhost")) {
      names.add("localhost");
    }
    names.add("127.0.0.1");
    names.add("::1");
    return names;
  }

  private void openCatalyst(Users users, ApplianceKey key) throws IOException {
    Door door = configuration.door(FrontEnd.CATALYST);
    if (!door.enabled()) {
      return;
    }
    ServerLimits usual = ServerLimits.DEFAULT;
    ServerLimits limits =
        new ServerLimits(
            usual.maxConnections(),
            usual.maxConnectionsBeforeLogin(),
            usual.maxStreams(),
            usual.windowBytes(),
            usual.leastWindowBytes(),
            memory.windowBytes(),
            usual.loginTime(),
            usual.loginAttempts(),
            usual.loginDelay(),
            usual.idleSeconds(),
            usual.patience(),
            usual.uploadPatience(),
            usual.maxParkedUploads(),
            usual.parkedTime());
    int port = door.addresses().size() == 1 ? door.port() : reserve(FrontEnd.CATALYST, door);
    for (InetSocketAddress address : addresses(door)) {
      InetSocketAddress wanted = new InetSocketAddress(address.getAddress(), port);
      try {
        CatalystServer server =
            CatalystServer.start(
                new ServerSettings(
                    wanted, tls, TlsProvider.AUTO, limits, "onefold " + Version.current(), 1),
                store,
                new UserAuthenticator(users, key),
                accountant.transfers());
        opened.push(server);
        port = server.port(); // One port for all addresses.
      } catch (IOException e) {
        throw portTaken(FrontEnd.CATALYST, wanted, e);
      }
    }
    ports.put(FrontEnd.CATALYST, port);
  }

  /** Opens the shares; makes the default one once, so that who deletes it does not get it back. */
  private ServedShares openShares(Engine engine, SecureRandom random) throws IOException {
    ServedShares opening =
        new ServedShares(
            engine,
            this::parameterSet,
            InstantSource.system(),
            () -> Id.random(random),
            () -> {
              CapacityStatus capacity = store.capacity();
              return new SpaceSource.Room(
                  capacity.usableBytes(),
                  Math.max(0, capacity.freeBytes() - capacity.reserveBytes()));
            });
    boolean made = false;
    try {
      if (store.findRecord(MADE_KIND, DEFAULT_SHARE).isEmpty()) {
        if (opening.find(DEFAULT_SHARE).isEmpty()) {
          opening.create(Id.random(random), DEFAULT_SHARE, defaultDomain(), ShareSettings.LOOPBACK);
        }
        store.putRecord(Id.random(random), MADE_KIND, DEFAULT_SHARE, Optional.of(new byte[] {1}));
      }
      made = true;
      return opening;
    } finally {
      if (!made) {
        opening.close();
      }
    }
  }

  private ParameterSet parameterSet(Id domainId) throws IOException {
    for (DomainRecord domain : store.domains()) {
      if (domain.id().equals(domainId)) {
        return ParameterSet.of(domain.parameterSet());
      }
    }
    throw new IOException("domain " + domainId + " does not exist");
  }

  private Id defaultDomain() throws IOException {
    for (DomainRecord domain : store.domains()) {
      if (domain.name().equals(DEFAULT_DOMAIN)) {
        return domain.id();
      }
    }
    throw new IOException("there is no domain " + DEFAULT_DOMAIN);
  }

  private void openNfs(ApplianceKey key, SecureRandom random) throws IOException {
    Door door = configuration.door(FrontEnd.NFS);
    if (!door.enabled()) {
      return;
    }
    Configuration.Nfs nfs = configuration.nfs();
    NfsSettings settings =
        NfsSettings.of(addresses(door), key.derive("nfs handles"))
            .withLeaseSeconds(nfs.leaseSeconds())
            .withMaxCallBytes(Math.min(NfsSettings.DEFAULT_MAX_CALL_BYTES, memory.windowBytes()))
            .withPortMappers(nfs.portMapper() ? PORT_MAPPERS : List.of());
    Kerberos kerberos =
        nfs.keytab().isEmpty()
            ? Kerberos.NONE
            : Kerberos.of(Path.of(nfs.keytab()), new SystemAccounts(System::nanoTime));
    try {
      NfsServer server = NfsServer.start(settings, shares, new NfsRecords(store, random), kerberos);
      opened.push(server);
      ports.put(FrontEnd.NFS, server.port());
    } catch (IOException e) {
      throw portTaken(FrontEnd.NFS, settings.addresses().getFirst(), e);
    }
  }

  private void openHttps(
      Users users,
      ApplianceKey key,
      Mappings mappings,
      SecureRandom random,
      Surroundings surroundings,
      int port)
      throws IOException {
    Door door = configuration.door(FrontEnd.HTTPS);
    Status status = new OwnStatus();
    Api api;
    try {
      api =
          new Api(
              store,
              shares,
              users,
              new ProofKey(store, key, random),
              mappings,
              status,
              random,
              System::nanoTime,
              key.derive("unknown users"),
              tls.certificate(),
              Version.current());
    } catch (GeneralSecurityException e) {
      throw new IOException("the certificate cannot be bound to: " + e.getMessage(), e);
    }
    List<InetSocketAddress> addresses = new ArrayList<>();
    for (InetSocketAddress address : addresses(door)) {
      addresses.add(new InetSocketAddress(address.getAddress(), port));
    }
    TlsFiles files = tlsFiles();
    HttpDoor opening =
        HttpDoor.open(
            addresses,
            files.certificate(),
            files.key(),
            api,
            new Metrics(store),
            status,
            surroundings.client());
    opened.push(opening);
  }

  /**
   * Finds a port for a door that opens later: the wanted one if it is free at every address, or any
   * that is.
   */
  private static int reserve(FrontEnd frontEnd, Door door) throws IOException {
    List<InetSocketAddress> addresses = addresses(door);
    for (int tries = 1; ; tries++) {
      int port = door.port();
      List<ServerSocket> held = new ArrayList<>();
      InetSocketAddress wanted = addresses.getFirst();
      try {
        for (InetSocketAddress address : addresses) {
          wanted = new InetSocketAddress(address.getAddress(), port);
          ServerSocket socket = new ServerSocket();
          held.add(socket);
          socket.setReuseAddress(true);
          socket.bind(wanted);
          port = socket.getLocalPort(); // One port for all addresses.
        }
        return port;
      } catch (IOException e) {
        if (door.port() != 0 || tries == MOST_PORT_TRIES) {
          throw portTaken(frontEnd, wanted, e);
        }
      } finally {
        for (ServerSocket socket : held) {
          socket.close();
        }
      }
    }
  }

  private static IOException portTaken(
      FrontEnd frontEnd, InetSocketAddress address, IOException cause) {
    return new IOException(
        "the "
            + frontEnd.label()
            + " front-end cannot listen at "
            + address.getHostString()
            + " port "
            + address.getPort()
            + " ("
            + cause.getMessage()
            + "); choose another: --port "
            + frontEnd.label()
            + "=N, or --ports auto",
        cause);
  }

  private static List<InetSocketAddress> addresses(Door door) throws IOException {
    List<InetSocketAddress> addresses = new ArrayList<>();
    for (String name : door.addresses()) {
      if (name.equals(Door.ALL)) {
        return List.of(new InetSocketAddress(door.port()));
      }
      try {
        addresses.add(new InetSocketAddress(InetAddress.getByName(name), door.port()));
      } catch (UnknownHostException e) {
        throw new IOException("address '" + name + "' to listen on is not known", e);
      }
    }
    return addresses;
  }

  private Optional<Context> contextBefore() {
    Path file = data.resolve(Contexts.FILE_NAME);
    if (!Files.exists(file)) {
      return Optional.empty();
    }
    try {
      return Optional.of(Context.read(file));
    } catch (IOException e) {
      LOG.log(Level.WARNING, "context " + file + " cannot be read and is not renewed", e);
      return Optional.empty();
    }
  }

  /** Writes {@code ports.json}, and the ports into the contexts of this machine. */
  private void tellPorts(Path contextFile, Contexts contexts) throws IOException {
    JsonObject told = new JsonObject();
    var named = new TreeMap<String, Integer>();
    ports.forEach((frontEnd, port) -> {
      told.put(frontEnd.label(), (long) port);
      named.put(frontEnd.label(), port);
    });
    Optional<Context> before = contextBefore();
    if (before.isPresent()) {
      Context old = before.orElseThrow();
      Context now =
          new Context(localHost(), named, old.user(), old.password(), old.token(), tls.pin());
      if (!now.equals(old)) {
        now.write(contextFile);
      }
      try {
        Optional<Path> home = contexts.rememberAtHome(now);
        home.ifPresent(file -> LOG.log(Level.DEBUG, "context also in " + file));
      } catch (IOException e) {
        LOG.log(
            Level.WARNING,
            "the context in the user's home could not be written: " + e.getMessage());
      }
    }
    PrivateFile.write(
        data.resolve(PORTS_FILE), (told.write() + "\n").getBytes(StandardCharsets.UTF_8));
  }

  /** The address at which a client on this machine reaches the Catalyst door. */
  private String localHost() {
    String first = configuration.door(FrontEnd.CATALYST).addresses().getFirst();
    return first.equals(Door.ALL) || first.equals("0.0.0.0") || first.equals("::")
        ? Door.LOOPBACK
        : first;
  }

  /** The port that a front-end got; empty if it is not open. */
  public Optional<Integer> port(FrontEnd frontEnd) {
    return Optional.ofNullable(ports.get(frontEnd));
  }

  /** The administrator's password if this was the first start; it is told once. */
  public Optional<String> firstPassword() {
    return firstPassword;
  }

  /** What clients pin. */
  public String pin() {
    return tls.pin();
  }

  /** The data directory's context file. */
  public Path contextFile() {
    return data.resolve(Contexts.FILE_NAME);
  }

  /** Ends sessions in order and closes everything, the last opened first. Safe to call again. */
  @Override
  public void close() throws IOException {
    if (!opened.isEmpty()) {
      LOG.log(Level.INFO, "stopping");
    }
    IOException failure = null;
    while (!opened.isEmpty()) {
      AutoCloseable next = opened.pop();
      try {
        next.close();
      } catch (IOException e) {
        if (failure == null) {
          failure = e;
        } else {
          failure.addSuppressed(e);
        }
      } catch (Exception e) {
        throw new IllegalStateException("closing " + next.getClass().getName() + " failed", e);
      }
    }
    if (failure != null) {
      throw failure;
    }
  }

  /** What this appliance says about itself. */
  private final class OwnStatus implements Status {
    @Override
    public JsonObject describe() {
      JsonObject frontEnds = new JsonObject();
      ports.forEach((frontEnd, port) -> {
        Door door = configuration.door(frontEnd);
        frontEnds.put(
            frontEnd.label(),
            new JsonObject()
                .put("port", (long) port)
                .put("addresses", onefold.appliance.json.JsonArray.ofTexts(door.addresses()))
                .put("open", door.isOpenToOthers()));
      });
      return new JsonObject()
          .put("version", Version.current())
          .put("process", ProcessHandle.current().pid())
          .put("data", data.toAbsolutePath().normalize().toString())
          .put("startedAt", startedAt.toEpochMilli())
          .put("uptimeSeconds", Duration.between(startedAt, Instant.now()).toSeconds())
          .put("memoryBytes", accountant.totalBytes())
          .put("frontEnds", frontEnds);
    }

    @Override
    public MemoryAccountant memory() {
      return accountant;
    }

    @Override
    public Optional<String> problem() {
      return store.problem();
    }
  }
}
