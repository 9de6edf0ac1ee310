package onefold.nas.nfs;

import java.io.BufferedReader;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import javax.security.auth.Subject;
import javax.security.auth.login.AppConfigurationEntry;
import javax.security.auth.login.Configuration;
import javax.security.auth.login.LoginContext;
import javax.security.auth.login.LoginException;
import onefold.testing.RealClients;

/**
 * A realm of the tests with a key distribution centre of MIT Kerberos, for one process and all it
 * starts. The platform reads where it is once, so there can be one in a JVM only.
 */
final class Kdc implements AutoCloseable {
  static final String REALM = "ONEFOLD.TEST";
  private static final String CONFIGURATION = "java.security.krb5.conf";

  private final Path directory;
  private final Path keytab;
  private final Process process;

  private Kdc(Path directory, Path keytab, Process process) {
    this.directory = directory;
    this.keytab = keytab;
    this.process = process;
  }

  /** Makes a realm with services {@code nfs/localhost} and {@code host/localhost} and users. */
  static Kdc start(Path directory, String... users) throws IOException, InterruptedException {
    RealClients.require("krb5kdc", "krb5-kdc");
    RealClients.require("kadmin.local", "krb5-admin-server");
    int port;
    try (var free = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      port = free.getLocalPort();
    }
    Path configuration = directory.resolve("krb5.conf");
    Files.writeString(
        configuration,
        """
        [libdefaults]
          default_realm = %1$s
          dns_lookup_kdc = false
          dns_lookup_realm = false
          dns_canonicalize_hostname = false
          rdns = false
          udp_preference_limit = 1
        [realms]
          %1$s = {
            kdc = 127.0.0.1:%2$d
          }
        [domain_realm]
          localhost = %1$s
        """
            .formatted(REALM, port));
    Files.writeString(
        directory.resolve("kdc.conf"),
        """
        [kdcdefaults]
          kdc_listen = 127.0.0.1:%2$d
          kdc_tcp_listen = 127.0.0.1:%2$d
        [realms]
          %1$s = {
            database_name = %3$s/principal
            key_stash_file = %3$s/stash
            max_life = 10h
          }
        [logging]
          kdc = STDERR
        """
            .formatted(REALM, port, directory));
    run(directory, "kdb5_util", "create", "-s", "-r", REALM, "-P", "of the tests");
    Path keytab = directory.resolve("keytab");
    for (String service : List.of("nfs/localhost", "host/localhost")) {
      run(directory, "kadmin.local", "addprinc", "-randkey", service);
      run(directory, "kadmin.local", "ktadd", "-k", keytab.toString(), service);
    }
    for (String user : users) {
      run(directory, "kadmin.local", "addprinc", "-randkey", user);
      run(directory, "kadmin.local", "ktadd", "-k", directory.resolve(user).toString(), user);
    }
    System.setProperty(CONFIGURATION, configuration.toString());
    // It says on the error stream that it is there; what it logs later has to be read as well.
    Process process = builder(directory, "krb5kdc", "-n").start();
    var said = new CountDownLatch(1);
    Thread.ofVirtual().start(() -> read(process, said));
    if (!said.await(30, TimeUnit.SECONDS) || !process.isAlive()) {
      process.destroy();
      throw new IOException("krb5kdc does not start; see its output above");
    }
    return new Kdc(directory, keytab, process);
  }

  private static void read(Process process, CountDownLatch said) {
    try (BufferedReader log = process.inputReader(StandardCharsets.UTF_8)) {
      for (String line = log.readLine(); line != null; line = log.readLine()) {
        if (line.contains("commencing operation")) {
          said.countDown();
        } else if (said.getCount() > 0) {
          System.err.println("krb5kdc: " + line);
        }
      }
    } catch (IOException _) {
      // It was ended while it said something.
    } finally {
      said.countDown();
    }
  }

  private static ProcessBuilder builder(Path directory, String... command) {
    var builder = new ProcessBuilder(command).redirectErrorStream(true);
    builder
        .environment()
        .putAll(
            Map.of(
                "KRB5_CONFIG", directory.resolve("krb5.conf").toString(),
                "KRB5_KDC_PROFILE", directory.resolve("kdc.conf").toString()));
    return builder;
  }

  private static void run(Path directory, String... command)
      throws IOException, InterruptedException {
    Process process = builder(directory, command).start();
    process.getOutputStream().close();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    if (process.waitFor() != 0) {
      throw new IOException(String.join(" ", command) + ": " + output);
    }
  }

  /** Keys of the services. */
  Path keytab() {
    return keytab;
  }

  /** A user with a ticket. */
  Subject login(String user) throws LoginException {
    Map<String, String> options =
        Map.of(
            "useKeyTab", "true",
            "keyTab", directory.resolve(user).toString(),
            "principal", user + "@" + REALM,
            "doNotPrompt", "true",
            "refreshKrb5Config", "true");
    var entry =
        new AppConfigurationEntry(
            "com.sun.security.auth.module.Krb5LoginModule",
            AppConfigurationEntry.LoginModuleControlFlag.REQUIRED,
            options);
    var login =
        new LoginContext(
            "tests",
            new Subject(),
            null,
            new Configuration() {
              @Override
              public AppConfigurationEntry[] getAppConfigurationEntry(String name) {
                return new AppConfigurationEntry[] {entry};
              }
            });
    login.login();
    return login.getSubject();
  }

  @Override
  public void close() {
    System.clearProperty(CONFIGURATION);
    process.destroy();
    try {
      if (!process.waitFor(10, TimeUnit.SECONDS)) {
        process.destroyForcibly();
      }
    } catch (InterruptedException _) {
      process.destroyForcibly();
      Thread.currentThread().interrupt();
    }
  }
}
