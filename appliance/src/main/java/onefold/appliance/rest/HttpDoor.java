package onefold.appliance.rest;

import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Executors;
import java.util.stream.Collectors;
import onefold.appliance.json.JsonObject;
import onefold.appliance.metrics.Metrics;
import onefold.store.RefusedException;
import onefold.store.RefusedException.Reason;
import org.apache.catalina.connector.Connector;
import org.apache.coyote.AbstractProtocol;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.WebApplicationType;
import org.springframework.boot.tomcat.servlet.TomcatServletWebServerFactory;
import org.springframework.boot.web.server.PortInUseException;
import org.springframework.boot.web.server.Shutdown;
import org.springframework.boot.web.server.Ssl;
import org.springframework.boot.web.server.WebServerException;
import org.springframework.boot.web.server.servlet.context.ServletWebServerApplicationContext;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.context.support.GenericApplicationContext;
import org.springframework.web.HttpRequestHandler;
import org.springframework.web.servlet.DispatcherServlet;
import org.springframework.web.servlet.handler.SimpleUrlHandlerMapping;
import org.springframework.web.servlet.mvc.HttpRequestHandlerAdapter;

/**
 * The HTTPS door: an embedded Tomcat started by Spring Boot, with beans registered by hand, so that
 * nothing is scanned or guessed. TLS 1.3 only; requests on virtual threads.
 */
public final class HttpDoor implements AutoCloseable {
  private static final int MAX_CONNECTIONS = 512;
  private static final int ACCEPT_BACKLOG = 64;

  private final ConfigurableApplicationContext context;
  private final int port;

  private HttpDoor(ConfigurableApplicationContext context, int port) {
    this.context = context;
    this.port = port;
  }

  /**
   * Opens the door.
   *
   * @param addresses to bind, all with the same port; of a single one 0 for any free port
   * @param certificate PEM file of the chain
   * @param key PEM file of the private key
   * @param client the program itself as an archive, if this process runs from one
   * @throws IOException if an address cannot be bound; the message says which
   */
  public static HttpDoor open(
      List<InetSocketAddress> addresses,
      Path certificate,
      Path key,
      Api api,
      Metrics metrics,
      Status status,
      Optional<ClientArchive> client)
      throws IOException {
    System.setProperty("org.springframework.boot.logging.LoggingSystem", "none");
    SpringApplication application = new SpringApplication(Wiring.class);
    application.setWebApplicationType(WebApplicationType.SERVLET);
    application.setApplicationContextFactory(type -> new ServletWebServerApplicationContext());
    application.setListeners(List.of());
    application.setBannerMode(org.springframework.boot.Banner.Mode.OFF);
    application.setLogStartupInfo(false);
    application.setRegisterShutdownHook(false);
    application.setHeadless(true);
    application.addInitializers(fresh -> {
      GenericApplicationContext beans = (GenericApplicationContext) fresh;
      beans.registerBean(
          TomcatServletWebServerFactory.class, () -> factory(addresses, certificate, key));
      Requests requests = new Requests(api, metrics, status, client);
      beans.registerBean(
          SimpleUrlHandlerMapping.class,
          () -> new SimpleUrlHandlerMapping(Map.of("/**", requests), 0));
      beans.registerBean(HttpRequestHandlerAdapter.class, HttpRequestHandlerAdapter::new);
      beans.registerBean(DispatcherServlet.class, () -> new DispatcherServlet());
    });
    try {
      ConfigurableApplicationContext context = application.run();
      var server = ((ServletWebServerApplicationContext) context).getWebServer();
      if (server == null) {
        throw new IllegalStateException("no web server was started");
      }
      return new HttpDoor(context, server.getPort());
    } catch (PortInUseException e) {
      throw new IOException(
          "port "
              + e.getPort()
              + " of the https front-end is in use at "
              + hosts(addresses)
              + "; choose another: --port https=N, or --ports auto",
          e);
    } catch (WebServerException e) {
      throw new IOException(
          "the https front-end cannot listen at "
              + hosts(addresses)
              + " port "
              + addresses.getFirst().getPort()
              + ": "
              + e.getMessage(),
          e);
    }
  }

  private static String hosts(List<InetSocketAddress> addresses) {
    return addresses.stream()
        .map(InetSocketAddress::getHostString)
        .collect(Collectors.joining(" or "));
  }

  private static TomcatServletWebServerFactory factory(
      List<InetSocketAddress> addresses, Path certificate, Path key) {
    ManyAddresses factory = new ManyAddresses(addresses.getFirst().getPort());
    factory.setAddress(addresses.getFirst().getAddress());
    factory.setRegisterDefaultServlet(false);
    factory.setShutdown(Shutdown.GRACEFUL);
    Ssl ssl = new Ssl();
    ssl.setCertificate(certificate.toUri().toString());
    ssl.setCertificatePrivateKey(key.toUri().toString());
    ssl.setEnabledProtocols(new String[] {"TLSv1.3"});
    factory.setSsl(ssl);
    factory.addConnectorCustomizers(HttpDoor::bound);
    factory.addProtocolHandlerCustomizers(
        protocol -> protocol.setExecutor(Executors.newVirtualThreadPerTaskExecutor()));
    for (InetSocketAddress other : addresses.subList(1, addresses.size())) {
      factory.alsoBind(other.getAddress());
    }
    return factory;
  }

  /** Spring's own binds one address; the others get a connector each with the same settings. */
  private static final class ManyAddresses extends TomcatServletWebServerFactory {
    ManyAddresses(int port) {
      super(port);
    }

    void alsoBind(InetAddress address) {
      Connector connector = new Connector(DEFAULT_PROTOCOL);
      customizeConnector(connector);
      if (connector.getProtocolHandler() instanceof AbstractProtocol<?> protocol) {
        protocol.setAddress(address);
      } else {
        throw new IllegalStateException("a connector without an address");
      }
      addAdditionalConnectors(connector);
    }
  }

  private static void bound(Connector connector) {
    connector.setProperty("maxConnections", Integer.toString(MAX_CONNECTIONS));
    connector.setProperty("acceptCount", Integer.toString(ACCEPT_BACKLOG));
    connector.setProperty("maxParameterCount", "64");
    connector.setMaxPostSize(Api.MAX_BODY_BYTES);
    // An item's name may hold slashes; they come encoded and belong to the name.
    connector.setEncodedSolidusHandling("passthrough");
    connector.setXpoweredBy(false);
  }

  public int port() {
    return port;
  }

  /** Ends requests under way and closes. */
  @Override
  public void close() {
    context.close();
  }

  /** What Spring is told to begin with: nothing; the beans are registered by hand. */
  static final class Wiring {}

  /** Hands requests to what answers them. */
  private static final class Requests implements HttpRequestHandler {
    private final Api api;
    private final Metrics metrics;
    private final Status status;
    private final Optional<ClientArchive> client;

    Requests(Api api, Metrics metrics, Status status, Optional<ClientArchive> client) {
      this.api = api;
      this.metrics = metrics;
      this.status = status;
      this.client = client;
    }

    @Override
    public void handleRequest(HttpServletRequest request, HttpServletResponse response)
        throws IOException {
      String path = request.getRequestURI();
      response.setHeader("X-Content-Type-Options", "nosniff");
      response.setHeader("Cache-Control", "no-store");
      if (path.startsWith(Api.PREFIX + "/")) {
        api(request, response, path.substring(Api.PREFIX.length()));
      } else if (!request.getMethod().equals("GET") && !request.getMethod().equals("HEAD")) {
        send(response, ApiReply.error(405, "METHOD_NOT_ALLOWED", "only GET is possible here"));
      } else {
        switch (path) {
          case "/" ->
              text(
                  response,
                  "Onefold. The programming interface: " + Api.PREFIX + "/openapi.json\n");
          case "/health" -> health(response);
          case "/metrics" -> text(response, metrics.scrape());
          case "/client" -> client(response);
          default -> send(response, ApiReply.error(404, "NOT_FOUND", "no such resource"));
        }
      }
    }

    private void api(HttpServletRequest request, HttpServletResponse response, String rawPath)
        throws IOException {
      byte[] body;
      try (InputStream in = request.getInputStream()) {
        body = in.readNBytes(Api.MAX_BODY_BYTES + 1);
      }
      if (body.length > Api.MAX_BODY_BYTES) {
        send(
            response,
            ApiReply.error(
                413, "TOO_LARGE", "a body has at most " + Api.MAX_BODY_BYTES + " bytes"));
        return;
      }
      Map<String, List<String>> query;
      try {
        query = query(request.getQueryString());
      } catch (RefusedException e) {
        send(response, ApiReply.error(400, e.reason().name(), String.valueOf(e.getMessage())));
        return;
      }
      send(
          response,
          api.handle(
              request.getMethod(),
              rawPath,
              query,
              header(request, "Authorization"),
              header(request, "Idempotency-Key"),
              body));
    }

    private void health(HttpServletResponse response) throws IOException {
      Optional<String> problem = status.problem();
      send(
          response,
          new ApiReply(
              problem.isEmpty() ? 200 : 503,
              new JsonObject()
                  .put("status", problem.isEmpty() ? "UP" : "DOWN")
                  .put("problem", problem.orElse(""))));
    }

    private void client(HttpServletResponse response) throws IOException {
      if (client.isEmpty()) {
        send(
            response,
            ApiReply.error(404, "NOT_FOUND", "this appliance does not run from the launcher"));
        return;
      }
      response.setContentType("application/gzip");
      response.setHeader(
          "Content-Disposition", "attachment; filename=\"" + ClientArchive.FILE_NAME + "\"");
      try (OutputStream out = response.getOutputStream()) {
        client.orElseThrow().writeTo(out);
      }
    }

    private static void text(HttpServletResponse response, String text) throws IOException {
      byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
      response.setContentType("text/plain; version=0.0.4; charset=utf-8");
      response.setContentLength(bytes.length);
      response.getOutputStream().write(bytes);
    }

    private static void send(HttpServletResponse response, ApiReply reply) throws IOException {
      byte[] bytes = reply.body().write().getBytes(StandardCharsets.UTF_8);
      response.setStatus(reply.status());
      response.setContentType("application/json");
      response.setContentLength(bytes.length);
      response.getOutputStream().write(bytes);
    }

    private static String header(HttpServletRequest request, String name) {
      String value = request.getHeader(name);
      return value == null ? "" : value;
    }

    /** Takes a query apart; the servlet's own way would also look into the body. */
    private static Map<String, List<String>> query(@org.jspecify.annotations.Nullable String raw)
        throws RefusedException {
      Map<String, List<String>> query = new LinkedHashMap<>();
      if (raw == null || raw.isEmpty()) {
        return query;
      }
      List<String> parts = new ArrayList<>(List.of(raw.split("&", -1)));
      for (String part : parts) {
        int equals = part.indexOf('=');
        try {
          String name = SentText.ofPercentEncoded(equals < 0 ? part : part.substring(0, equals));
          String value =
              equals < 0
                  ? "true"
                  : SentText.ofPercentEncoded(part.substring(equals + 1).replace('+', ' '));
          query.computeIfAbsent(name, n -> new ArrayList<>()).add(value);
        } catch (IllegalArgumentException e) {
          throw new RefusedException(
              Reason.INVALID_REQUEST, "the query cannot be read: " + e.getMessage());
        }
      }
      return query;
    }
  }
}
