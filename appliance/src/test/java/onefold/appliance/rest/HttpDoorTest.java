package onefold.appliance.rest;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.CertificateFactory;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.jar.Attributes;
import java.util.jar.JarOutputStream;
import java.util.jar.Manifest;
import java.util.zip.GZIPInputStream;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;
import onefold.appliance.Appliance;
import onefold.appliance.FrontEnd;
import onefold.appliance.RunningAppliance;
import onefold.appliance.configuration.Configuration;
import onefold.appliance.context.Context;
import onefold.appliance.context.Contexts;
import onefold.appliance.json.Json;
import onefold.appliance.json.JsonObject;
import onefold.testing.RealClients;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * The HTTPS door as a client of another make sees it: the JDK's, which verifies certificate and
 * name.
 */
class HttpDoorTest {
  @TempDir private Path folder;

  private static HttpClient client(Path certificate) throws GeneralSecurityException, IOException {
    KeyStore trusted = KeyStore.getInstance("PKCS12");
    trusted.load(null, null);
    trusted.setCertificateEntry(
        "onefold",
        CertificateFactory.getInstance("X.509")
            .generateCertificate(new ByteArrayInputStream(Files.readAllBytes(certificate))));
    TrustManagerFactory trust =
        TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
    trust.init(trusted);
    SSLContext tls = SSLContext.getInstance("TLS");
    tls.init(null, trust.getTrustManagers(), null);
    return HttpClient.newBuilder().sslContext(tls).build();
  }

  @Test
  void healthMetricsAndTheDocumentAnswerAndTheRestAsksForALogin()
      throws IOException, InterruptedException, GeneralSecurityException {
    try (RunningAppliance onefold = RunningAppliance.start(folder);
        HttpClient client = client(onefold.data().resolve("keys/tls.crt"))) {
      String base = "https://localhost:" + onefold.appliance().port(FrontEnd.HTTPS).orElseThrow();
      var health = client.send(get(base + "/health"), BodyHandlers.ofString());
      assertEquals(200, health.statusCode());
      assertEquals("UP", Json.parseObject(health.body()).text("status"));

      String metrics = client.send(get(base + "/metrics"), BodyHandlers.ofString()).body();
      assertTrue(metrics.contains("\nonefold_healthy 1.0\n"), metrics);
      assertTrue(metrics.contains("onefold_store_items{store=\"default\"} 0.0\n"), metrics);
      assertTrue(metrics.contains("onefold_domain_physical_bytes{domain=\"default\"}"), metrics);

      JsonObject document =
          Json.parseObject(
              client.send(get(base + "/api/v1/openapi.json"), BodyHandlers.ofString()).body());
      assertTrue(document.object("paths").fields().size() >= 12);
      assertEquals(
          401, client.send(get(base + "/api/v1/stores"), BodyHandlers.ofString()).statusCode());
      assertEquals(404, client.send(get(base + "/nothing"), BodyHandlers.ofString()).statusCode());
      assertEquals(404, client.send(get(base + "/client"), BodyHandlers.ofString()).statusCode());
      var tooLong =
          HttpRequest.newBuilder(URI.create(base + "/api/v1/login"))
              .POST(HttpRequest.BodyPublishers.ofByteArray(new byte[Api.MAX_BODY_BYTES + 1]))
              .build();
      assertEquals(413, client.send(tooLong, BodyHandlers.ofString()).statusCode());
    }
  }

  @Test
  void everyFrontEndIsReachedAtEveryAddressItListensTo() throws Exception {
    Path data = folder.resolve("data");
    List<String> addresses = List.of("127.0.0.1", "127.0.0.2", "127.0.0.3");
    Configuration configuration = RunningAppliance.configuration(data);
    for (FrontEnd frontEnd : FrontEnd.values()) {
      configuration =
          configuration.withDoor(frontEnd, configuration.door(frontEnd).withAddresses(addresses));
    }
    var surroundings =
        new Appliance.Surroundings(
            new PrintStream(OutputStream.nullOutputStream(), false, StandardCharsets.UTF_8),
            failed -> {},
            Optional.empty(),
            new Contexts(folder, Optional.empty(), Optional.empty(), Contexts::connects));
    try (Appliance appliance = Appliance.start(configuration, surroundings)) {
      Context first = Context.read(appliance.contextFile());
      for (String address : addresses) {
        Path there = folder.resolve("at-" + address);
        new Context(
                address, first.ports(), first.user(), first.password(), first.token(), first.pin())
            .write(there);
        byte[] bytes = address.getBytes(StandardCharsets.UTF_8);
        for (String[] verb :
            new String[][] {{"status"}, {"put", "-", "default/" + address}, {"ls", "default"}}) {
          String[] all = Arrays.copyOf(verb, verb.length + 2);
          all[verb.length] = "--context";
          all[verb.length + 1] = there.toString();
          var outcome = RunningAppliance.run(folder, bytes, all);
          assertEquals(0, outcome.exitCode(), address + ": " + outcome);
        }
      }
      // Taken at one of several addresses is taken.
      Configuration second = RunningAppliance.configuration(folder.resolve("second"));
      FrontEnd https = FrontEnd.HTTPS;
      Configuration clash =
          second.withDoor(
              https,
              second
                  .door(https)
                  .withAddresses(List.of("127.0.0.4", "127.0.0.3"))
                  .withPort(appliance.port(https).orElseThrow()));
      var refused =
          assertThrows(IOException.class, () -> Appliance.start(clash, surroundings).close());
      String message = String.valueOf(refused.getMessage());
      assertTrue(message.contains("127.0.0.3") && message.contains("--port https=N"), message);
    }
  }

  private static HttpRequest get(String address) {
    return HttpRequest.newBuilder(URI.create(address)).build();
  }

  @Test
  void theArchiveHoldsLauncherAndJarsAndTarReadsIt() throws IOException, InterruptedException {
    RealClients.require("tar", "tar");
    Path launcher = Files.writeString(folder.resolve("onefold"), "#!/bin/sh\necho started\n");
    Path lib = Files.createDirectory(folder.resolve("lib"));
    Files.write(lib.resolve("a.jar"), new byte[1000]);
    Path jar = folder.resolve("onefold.jar");
    Manifest manifest = new Manifest();
    manifest.getMainAttributes().put(Attributes.Name.MANIFEST_VERSION, "1.0");
    manifest.getMainAttributes().put(Attributes.Name.CLASS_PATH, "lib/a.jar");
    new JarOutputStream(Files.newOutputStream(jar), manifest).close();

    ByteArrayOutputStream archive = new ByteArrayOutputStream();
    ClientArchive.of(launcher, jar).orElseThrow().writeTo(archive);
    Path tar = folder.resolve("archive.tar");
    try (GZIPInputStream in =
        new GZIPInputStream(new ByteArrayInputStream(archive.toByteArray()))) {
      Files.write(tar, in.readAllBytes());
    }
    Path target = Files.createDirectory(folder.resolve("unpacked"));
    Process process =
        new ProcessBuilder("tar", "xf", tar.toString(), "-C", target.toString())
            .redirectErrorStream(true)
            .start();
    String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertEquals(0, process.waitFor(), said);
    assertEquals(1000, Files.size(target.resolve("onefold/app/lib/a.jar")));
    assertEquals(-1, Files.mismatch(jar, target.resolve("onefold/app/onefold.jar")));
    assertTrue(Files.isExecutable(target.resolve("onefold/onefold")));
    assertTrue(ClientArchive.of(folder.resolve("none"), jar).isEmpty());
  }
}
