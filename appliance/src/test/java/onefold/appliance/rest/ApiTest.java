package onefold.appliance.rest;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.SecureRandom;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicLong;
import onefold.appliance.MemoryAccountant;
import onefold.appliance.MemoryPlan;
import onefold.appliance.identity.ApplianceKey;
import onefold.appliance.identity.CertificateBinding;
import onefold.appliance.identity.ProofKey;
import onefold.appliance.identity.User;
import onefold.appliance.identity.Users;
import onefold.appliance.json.Json;
import onefold.appliance.json.JsonObject;
import onefold.appliance.mapping.MappingFiles;
import onefold.catalyst.server.SelfSigned;
import onefold.catalyst.server.TlsIdentity;
import onefold.catalyst.wire.ScramClient;
import onefold.catalyst.wire.ScramVerifier;
import onefold.chunker.ParameterSet;
import onefold.nas.ServedShares;
import onefold.nas.SpaceSource;
import onefold.replication.Mappings;
import onefold.store.CommitMode;
import onefold.store.CommitRequest;
import onefold.store.Compression;
import onefold.store.Id;
import onefold.store.InMemoryChunkStore;
import onefold.store.MemoryShareStore;
import onefold.store.ObjectWriter;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ApiTest {
  @TempDir private Path folder;
  private final SecureRandom random = new SecureRandom();
  private final AtomicLong nanos = new AtomicLong();
  private final TlsIdentity tls = SelfSigned.create(List.of("localhost"), Instant.now());

  @SuppressWarnings("NullAway.Init")
  private Api api;

  @SuppressWarnings("NullAway.Init")
  private InMemoryChunkStore store;

  @BeforeEach
  void open() throws IOException, GeneralSecurityException {
    store = new InMemoryChunkStore(InstantSource.system(), random);
    ApplianceKey key = ApplianceKey.openOrCreate(folder, random);
    Users users = new Users(store, key);
    users.create(
        Id.random(random),
        new User(
            "admin",
            User.DEFAULT_TENANT,
            true,
            true,
            new TreeMap<>(),
            ScramVerifier.of("correct horse".toCharArray(), random),
            0));
    Status status =
        new Status() {
          @Override
          public JsonObject describe() {
            return new JsonObject();
          }

          @Override
          public MemoryAccountant memory() {
            return new MemoryAccountant(store, new MemoryPlan(1 << 30), 1 << 30);
          }

          @Override
          public Optional<String> problem() {
            return Optional.empty();
          }
        };
    api =
        new Api(
            store,
            new ServedShares(
                new MemoryShareStore(random),
                domain -> ParameterSet.SET_1,
                InstantSource.system(),
                () -> Id.random(random),
                () -> new SpaceSource.Room(1, 1)),
            users,
            new ProofKey(store, key, random),
            Mappings.start(
                store,
                new MappingFiles(folder.resolve(MappingFiles.FOLDER)),
                nanos::get,
                InstantSource.system()),
            status,
            random,
            nanos::get,
            new byte[32],
            tls.certificate(),
            "test");
  }

  private ApiReply ask(String method, String path, String token, String body) {
    return api.handle(
        method,
        path,
        Map.of(),
        token.isEmpty() ? "" : "Bearer " + token,
        "",
        body.getBytes(StandardCharsets.UTF_8));
  }

  @Test
  void beyondTheirBoundsTheOldestLoginAndTheOldestTokenEnd()
      throws IOException, GeneralSecurityException {
    JsonObject message = new JsonObject().put("message", base64(scram("admin").first()));
    JsonObject oldest = (JsonObject) ask("POST", "/login", "", message.write()).body();
    for (int i = 0; i < Logins.MAX_PENDING; i++) {
      assertEquals(200, ask("POST", "/login", "", message.write()).status());
    }
    ApiReply forgotten =
        ask(
            "POST",
            "/login/proof",
            "",
            new JsonObject()
                .put("conversation", oldest.text("conversation"))
                .put("message", oldest.text("message"))
                .write());
    assertEquals(401, forgotten.status(), forgotten.body().write());

    Tokens tokens = new Tokens(random, nanos::get);
    String first = tokens.issue("a");
    String second = tokens.issue("b");
    for (int i = 0; i < Tokens.MAX_TOKENS - 1; i++) {
      tokens.issue("c");
    }
    assertTrue(tokens.userOf(first).isEmpty());
    assertEquals(Optional.of("b"), tokens.userOf(second));
  }

  private ScramClient scram(String user) throws IOException, GeneralSecurityException {
    return new ScramClient(
        user, "any".toCharArray(), CertificateBinding.of(tls.certificate()), random);
  }

  @Test
  void theOldestOfTooManyReadBacksIsForgotten() throws IOException, GeneralSecurityException {
    Id storeId = store.findStore("default").orElseThrow().id();
    try (ObjectWriter writer = store.openWriter(storeId, "x", Optional.empty(), Compression.LZ4)) {
      writer.write(new byte[] {1, 2, 3}, 0, 3);
      writer.commit(new CommitRequest(Id.random(random), CommitMode.IF_ABSENT, new TreeMap<>(), 0));
    }
    for (int i = 0; i < ProofOperations.MAX_READ_BACKS; i++) {
      byte[] value = ByteBuffer.allocate(40).putLong(i == 7 ? 1 : 1000 + i).array();
      store.putRecord(
          Id.random(random), "read-back", new Id(9, i + 1).toString(), Optional.of(value));
    }
    String token = token();
    ApiReply proved = ask("POST", "/stores/default/proofs/x", token, "{\"readBack\":true}");
    assertEquals(200, proved.status(), proved.body().write());
    var known = store.records("read-back");
    assertEquals(ProofOperations.MAX_READ_BACKS, known.size());
    assertFalse(known.containsKey(new Id(9, 8).toString()));
    assertTrue(known.containsKey(new Id(9, 1).toString()));
  }

  @Test
  void aBodyThatIsNoUtf8IsRefused() throws IOException, GeneralSecurityException {
    byte[] body = "{\"name\":\"a?\"}".getBytes(StandardCharsets.UTF_8);
    body[10] = (byte) 0xff;
    ApiReply reply = api.handle("POST", "/stores", Map.of(), "Bearer " + token(), "", body);
    assertEquals(400, reply.status(), reply.toString());
    assertTrue(reply.body().write().contains("the body is not valid UTF-8"), reply.toString());
  }

  private void put(String name) throws IOException {
    Id storeId = store.findStore("default").orElseThrow().id();
    try (ObjectWriter writer = store.openWriter(storeId, name, Optional.empty(), Compression.LZ4)) {
      writer.write(new byte[] {1, 2, 3}, 0, 3);
      writer.commit(new CommitRequest(Id.random(random), CommitMode.IF_ABSENT, new TreeMap<>(), 0));
    }
  }

  @Test
  void aLockIsShortenedOnlyByAnAdministratorWithTheRightToAndAReason()
      throws IOException, GeneralSecurityException {
    put("x");
    String token = token();
    String item = "/stores/default/items/x";
    assertEquals(400, ask("PATCH", item, token, "{\"lockKind\":\"compliance\"}").status());
    assertEquals(200, ask("PATCH", item, token, "{\"lockDays\":30}").status());
    long until = store.storeTimeMillis() + 86_400_000L;
    String sooner = "{\"lockedUntil\":" + until + ",\"reason\":\"the wrong one\"}";
    assertEquals(423, ask("PATCH", item, token, "{\"lockedUntil\":" + until + "}").status());
    ApiReply refused = ask("PATCH", item, token, sooner);
    assertEquals(403, refused.status(), refused.body().write());
    assertEquals(200, ask("PATCH", "/users/admin", token, "{\"shortensLocks\":true}").status());
    token = token();
    assertEquals(423, ask("PATCH", item, token, "{\"lockedUntil\":" + until + "}").status());
    assertEquals(400, ask("PATCH", item, token, "{\"lockedUntil\":1,\"reason\":\"\"}").status());
    assertEquals(423, ask("DELETE", item, token, "").status());
    ApiReply shortened = ask("PATCH", item, token, sooner);
    assertEquals(200, shortened.status(), shortened.body().write());
    String kept = ask("GET", "/locks/shortened", token, "").body().write();
    assertTrue(kept.contains("the wrong one") && kept.contains("\"admin\""), kept);

    String firm = "{\"lockDays\":2,\"lockKind\":\"compliance\"}";
    assertEquals(200, ask("PATCH", item, token, firm).status());
    assertEquals(423, ask("PATCH", item, token, sooner).status());
    assertEquals(423, ask("PATCH", item, token, "{\"lockKind\":\"governance\"}").status());
    assertEquals(423, ask("DELETE", item, token, "").status());
    ApiReply store =
        api.handle(
            "DELETE",
            "/stores/default",
            Map.of("withItems", List.of("true")),
            "Bearer " + token,
            "",
            new byte[0]);
    assertEquals(423, store.status(), store.body().write());
  }

  @Test
  void whatAStorePromisesIsWeakenedOnlyWithTheRightTo()
      throws IOException, GeneralSecurityException {
    String token = token();
    String firm = "{\"lockDays\":7,\"lockKind\":\"compliance\"}";
    assertEquals(200, ask("PATCH", "/stores/default", token, firm).status());
    assertEquals(403, ask("PATCH", "/stores/default", token, "{\"lockDays\":6}").status());
    assertEquals(
        403, ask("PATCH", "/stores/default", token, "{\"lockKind\":\"governance\"}").status());
    assertEquals(200, ask("PATCH", "/stores/default", token, "{\"lockDays\":8}").status());
    assertEquals(400, ask("PATCH", "/stores/default", token, "{\"lockKind\":\"soft\"}").status());
    put("x");
    String shown = ask("GET", "/stores/default/items/x", token, "").body().write();
    assertTrue(shown.contains("\"lockKind\":\"compliance\""), shown);
  }

  @Test
  void whoMayWriteHoldsAndReleasesNothing() throws IOException, GeneralSecurityException {
    put("x");
    String token = token();
    String user = "{\"name\":\"mail\",\"password\":\"12345678\",\"stores\":{\"*\":\"write\"}}";
    assertEquals(201, ask("POST", "/users", token, user).status());
    String mail = ((JsonObject) login("mail", "12345678").body()).text("token");
    String item = "/stores/default/items/x";
    assertEquals(200, ask("PATCH", item, mail, "{\"held\":true}").status());
    assertEquals(403, ask("PATCH", item, mail, "{\"held\":false}").status());
    assertEquals(423, ask("DELETE", item, token, "").status());
    assertEquals(200, ask("PATCH", item, token, "{\"held\":false}").status());
    assertEquals(200, ask("DELETE", item, mail, "").status());
  }

  private static String base64(byte[] bytes) {
    return Base64.getEncoder().encodeToString(bytes);
  }

  private ApiReply login(String user, String password)
      throws IOException, GeneralSecurityException {
    ScramClient scram =
        new ScramClient(
            user, password.toCharArray(), CertificateBinding.of(tls.certificate()), random);
    ApiReply begun =
        ask("POST", "/login", "", new JsonObject().put("message", base64(scram.first())).write());
    assertEquals(200, begun.status(), begun.body().write());
    JsonObject challenge = (JsonObject) begun.body();
    byte[] proof = scram.answer(Base64.getDecoder().decode(challenge.text("message")));
    return ask(
        "POST",
        "/login/proof",
        "",
        new JsonObject()
            .put("conversation", challenge.text("conversation"))
            .put("message", base64(proof))
            .write());
  }

  private String token() throws IOException, GeneralSecurityException {
    ApiReply done = login("admin", "correct horse");
    assertEquals(200, done.status(), done.body().write());
    return ((JsonObject) done.body()).text("token");
  }

  @Test
  void aLoginGivesATokenThatEnds() throws IOException, GeneralSecurityException {
    String token = token();
    assertEquals(200, ask("GET", "/stores", token, "").status());
    nanos.addAndGet(Tokens.LIFETIME.toNanos());
    assertEquals(401, ask("GET", "/stores", token, "").status());
    assertEquals(401, ask("GET", "/stores", "", "").status());
    assertEquals(401, ask("GET", "/stores", "made-up", "").status());
  }

  @Test
  void wrongPasswordAndUnknownUserAreAnsweredAlike() throws IOException, GeneralSecurityException {
    ApiReply wrong = login("admin", "wrong horse");
    ApiReply unknown = login("nobody", "wrong horse");
    assertEquals(401, wrong.status());
    assertEquals(wrong, unknown);
  }

  @Test
  void aProofIsTakenOnce() throws IOException, GeneralSecurityException {
    ScramClient scram =
        new ScramClient(
            "admin",
            "correct horse".toCharArray(),
            CertificateBinding.of(tls.certificate()),
            random);
    JsonObject challenge =
        (JsonObject)
            ask(
                    "POST",
                    "/login",
                    "",
                    new JsonObject().put("message", base64(scram.first())).write())
                .body();
    String proof =
        new JsonObject()
            .put("conversation", challenge.text("conversation"))
            .put(
                "message",
                base64(scram.answer(Base64.getDecoder().decode(challenge.text("message")))))
            .write();
    assertEquals(200, ask("POST", "/login/proof", "", proof).status());
    assertEquals(401, ask("POST", "/login/proof", "", proof).status());
  }

  @Test
  void aLoginBoundToAnotherCertificateFails() throws IOException, GeneralSecurityException {
    TlsIdentity other = SelfSigned.create(List.of("localhost"), Instant.now());
    ScramClient scram =
        new ScramClient(
            "admin",
            "correct horse".toCharArray(),
            CertificateBinding.of(other.certificate()),
            random);
    JsonObject challenge =
        (JsonObject)
            ask(
                    "POST",
                    "/login",
                    "",
                    new JsonObject().put("message", base64(scram.first())).write())
                .body();
    ApiReply refused =
        ask(
            "POST",
            "/login/proof",
            "",
            new JsonObject()
                .put("conversation", challenge.text("conversation"))
                .put(
                    "message",
                    base64(scram.answer(Base64.getDecoder().decode(challenge.text("message")))))
                .write());
    assertEquals(401, refused.status());
  }

  @Test
  void aRepeatedCommandGivesTheFirstAnswer() throws IOException, GeneralSecurityException {
    String token = "Bearer " + token();
    byte[] body = "{\"name\":\"mail\"}".getBytes(StandardCharsets.UTF_8);
    String key = "00112233445566778899aabbccddeeff";
    ApiReply first = api.handle("POST", "/stores", Map.of(), token, key, body);
    ApiReply second = api.handle("POST", "/stores", Map.of(), token, key, body);
    assertEquals(201, first.status(), first.body().write());
    assertEquals(first, second);
    assertEquals(409, api.handle("POST", "/stores", Map.of(), token, "", body).status());
  }

  @Test
  void mistakesAreToldWithTheValue() throws IOException, GeneralSecurityException {
    String token = token();
    assertEquals(404, ask("GET", "/nothing", token, "").status());
    assertEquals(405, ask("PUT", "/stores", token, "").status());
    assertEquals(400, ask("POST", "/stores", token, "{").status());
    assertEquals(400, ask("POST", "/stores", token, "{}").status());
    ApiReply unknown = ask("POST", "/stores", token, "{\"name\":\"a\",\"quota\":1}");
    assertEquals(400, unknown.status());
    assertTrue(unknown.body().write().contains("unknown field 'quota'"), unknown.body().write());
    assertEquals(400, ask("POST", "/stores", token, "{\"name\":\"..\"}").status());
    assertEquals(
        400, ask("POST", "/stores", token, "{\"name\":\"a\",\"compression\":\"rar\"}").status());
    assertEquals(400, ask("POST", "/stores", token, "{\"name\":\"a\",\"quotaBytes\":-1}").status());
    assertEquals(
        404, ask("POST", "/stores", token, "{\"name\":\"a\",\"domain\":\"none\"}").status());
    assertEquals(404, ask("GET", "/stores/none", token, "").status());
    assertEquals(400, ask("GET", "/stores/%zz", token, "").status());
    assertEquals(400, ask("GET", "/stores/default/items/a%2", token, "").status());
    for (String method : List.of("GET", "POST", "PATCH", "DELETE")) {
      ApiReply reply = ask(method, "/stores/default/items/a%ffb", token, "");
      assertEquals(400, reply.status());
      assertTrue(reply.body().write().contains("a%ffb' is not valid UTF-8"), reply.toString());
    }
    assertEquals(
        400,
        api.handle("GET", "/stores", Map.of(), "Bearer " + token, "short", new byte[0]).status());
    assertEquals(
        400,
        api.handle(
                "GET",
                "/stores/default/items",
                Map.of("limit", List.of("0")),
                "Bearer " + token,
                "",
                new byte[0])
            .status());
  }

  @Test
  void noReplyHoldsASecret() throws IOException, GeneralSecurityException {
    String token = token();
    for (String path : new String[] {"/users", "/users/admin", "/status", "/stores"}) {
      String reply = ask("GET", path, token, "").body().write();
      assertFalse(
          reply.contains("storedKey") || reply.contains("salt") || reply.contains("serverKey"),
          reply);
    }
  }

  @Test
  void aNameWithSlashesIsOneParameterEncodedOrNot() {
    assertEquals(
        Map.of("store", "s", "item", "a/b"),
        Api.match("/stores/{store}/items/{item...}", "/stores/s/items/a/b").orElseThrow());
    assertEquals(
        Map.of("store", "s t", "item", "a/b+c"),
        Api.match("/stores/{store}/items/{item...}", "/stores/s%20t/items/a%2Fb+c").orElseThrow());
    assertTrue(Api.match("/stores/{store}", "/stores/").isEmpty());
    assertTrue(Api.match("/stores/{store}", "/stores/a/b").isEmpty());
    assertTrue(Api.match("/stores", "/stores/a").isEmpty());
  }

  @Test
  void theDocumentDescribesEveryOperation() {
    JsonObject document = Json.parseObject(new String(api.document(), StandardCharsets.UTF_8));
    assertEquals("3.1.0", document.text("openapi"));
    JsonObject paths = document.object("paths");
    assertTrue(paths.fields().size() >= 12, paths.write());
    assertEquals("createStore", paths.object("/stores").object("post").text("operationId"));
    assertEquals(
        "deleteItem",
        paths.object("/stores/{store}/items/{item}").object("delete").text("operationId"));
  }
}
