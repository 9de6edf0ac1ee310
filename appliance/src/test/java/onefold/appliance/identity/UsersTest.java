package onefold.appliance.identity;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.SecureRandom;
import java.time.InstantSource;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import onefold.appliance.context.Context;
import onefold.catalyst.server.Right;
import onefold.catalyst.wire.ScramVerifier;
import onefold.store.CorruptDataException;
import onefold.store.Id;
import onefold.store.InMemoryChunkStore;
import onefold.store.RefusedException;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class UsersTest {
  @TempDir private Path folder;
  private final SecureRandom random = new SecureRandom();

  @SuppressWarnings("NullAway.Init")
  private InMemoryChunkStore store;

  @SuppressWarnings("NullAway.Init")
  private Users users;

  @BeforeEach
  void open() throws IOException {
    store = new InMemoryChunkStore(InstantSource.system(), random);
    users = new Users(store, ApplianceKey.openOrCreate(folder.resolve("keys"), random));
  }

  private User user(String name, boolean administrator, Map<String, Access> access) {
    return new User(
        name,
        User.DEFAULT_TENANT,
        administrator,
        true,
        new TreeMap<>(access),
        ScramVerifier.of("correct horse".toCharArray(), random),
        1);
  }

  private Id command() {
    return Id.random(random);
  }

  @Test
  void aUserIsReadBackAndTheRecordShowsNothing() throws IOException {
    users.create(command(), user("mail", false, Map.of("mail", Access.APPEND)));
    User found = users.require("mail");
    assertTrue(found.verifier().matches("correct horse".toCharArray()));
    assertFalse(found.verifier().matches("wrong horse".toCharArray()));
    byte[] record = store.findRecord(Users.KIND, "mail").orElseThrow();
    assertFalse(new String(record, StandardCharsets.ISO_8859_1).contains("scram"));
    assertEquals(
        "rw-------",
        PosixFilePermissions.toString(
            Files.getPosixFilePermissions(folder.resolve("keys").resolve(ApplianceKey.FILE_NAME))));
  }

  @Test
  void rightsIncludeThoseBeforeThemAndOtherStoresDoNotExist() throws IOException {
    users.create(command(), user("root", true, Map.of()));
    users.create(command(), user("mail", false, Map.of("mail", Access.APPEND)));
    users.create(command(), user("reader", false, Map.of(User.EVERY_STORE, Access.READ)));
    users.create(command(), user("writer", false, Map.of("mail", Access.WRITE)));
    var asked =
        new UserAuthenticator(users, ApplianceKey.openOrCreate(folder.resolve("keys"), random));
    assertTrue(asked.permits("mail", Right.READ, "mail"));
    assertTrue(asked.permits("mail", Right.APPEND, "mail"));
    assertFalse(asked.permits("mail", Right.WRITE, "mail"));
    assertFalse(asked.permits("mail", Right.READ, "other"));
    assertTrue(asked.permits("reader", Right.READ, "other"));
    assertTrue(asked.permits("root", Right.WRITE, "anything"));
    assertTrue(asked.permits("root", Right.RELEASE, "anything"));
    assertTrue(asked.permits("writer", Right.WRITE, "mail"));
    assertFalse(asked.permits("writer", Right.RELEASE, "mail"));
    assertFalse(asked.permits("nobody", Right.READ, "mail"));
    User disabled =
        users.require("mail").with(false, false, new TreeMap<>(Map.of("mail", Access.WRITE)), 2);
    users.update(command(), disabled);
    assertFalse(asked.permits("mail", Right.READ, "mail"));
    assertTrue(asked.verifier("mail").isEmpty());
  }

  @Test
  void theLastAdministratorStays() throws IOException {
    users.create(command(), user("root", true, Map.of()));
    users.create(command(), user("mail", false, Map.of()));
    assertThrows(RefusedException.class, () -> users.delete(command(), "root"));
    User demoted = users.require("root").with(false, true, new TreeMap<>(), 2);
    assertThrows(RefusedException.class, () -> users.update(command(), demoted));
    users.create(command(), user("second", true, Map.of()));
    users.delete(command(), "root");
    assertTrue(users.find("root").isEmpty());
  }

  @Test
  void aRecordOfAnotherUserOrKeyIsRefused() throws IOException {
    users.create(command(), user("root", true, Map.of()));
    byte[] record = store.findRecord(Users.KIND, "root").orElseThrow();
    store.putRecord(command(), Users.KIND, "other", Optional.of(record));
    assertThrows(CorruptDataException.class, () -> users.find("other"));

    byte[] changed = record.clone();
    changed[changed.length - 1] ^= 1;
    store.putRecord(command(), Users.KIND, "root", Optional.of(changed));
    assertThrows(CorruptDataException.class, () -> users.find("root"));

    store.putRecord(command(), Users.KIND, "root", Optional.of(new byte[3]));
    assertThrows(CorruptDataException.class, () -> users.find("root"));

    store.putRecord(command(), Users.KIND, "root", Optional.of(record));
    Users elsewhere = new Users(store, ApplianceKey.openOrCreate(folder.resolve("other"), random));
    assertThrows(CorruptDataException.class, () -> elsewhere.find("root"));
  }

  @Test
  void sealingIsNotTheSameTwiceButOpensToTheSame() throws IOException {
    ApplianceKey key = ApplianceKey.openOrCreate(folder.resolve("keys"), random);
    byte[] content = "secret".getBytes(StandardCharsets.UTF_8);
    byte[] one = key.seal("user", "a", content);
    byte[] two = key.seal("user", "a", content);
    assertFalse(java.util.Arrays.equals(one, two));
    assertArrayEquals(content, key.open("user", "a", one));
    assertArrayEquals(
        key.derive("x"), ApplianceKey.openOrCreate(folder.resolve("keys"), random).derive("x"));
  }

  @Test
  void theFormatsPageIsRight() throws IOException {
    byte[] key = new byte[32];
    for (int i = 0; i < key.length; i++) {
      key[i] = (byte) i;
    }
    Path keys = Files.createDirectory(folder.resolve("sample"));
    Files.write(keys.resolve(ApplianceKey.FILE_NAME), key);
    byte[] sample =
        java.util.HexFormat.of()
            .parseHex(
                "4f4653520101000102030405060708090a0b"
                    + "3c20b87aa880e021af20b5f6ef2cb6dd8260771bdb6742e6ff6099d1");
    ApplianceKey sealing = ApplianceKey.openOrCreate(keys, random);
    byte[] content = "{\"name\":\"a\"}".getBytes(StandardCharsets.UTF_8);
    assertArrayEquals(content, sealing.open("user", "a", sample));
    assertThrows(CorruptDataException.class, () -> sealing.open("user", "b", sample));
  }

  @Test
  void aFirstStartThatWasCutOffKeepsThePasswordItWroteDown() throws IOException {
    Path file = folder.resolve("context.json");
    var first = new FirstAdministrator(store, users, random);
    String password = first.ensure(file, Optional.empty(), "pin").orElseThrow();
    assertEquals(password, Context.read(file).password());
    assertTrue(first.ensure(file, Optional.of(Context.read(file)), "pin").isEmpty());

    // The same file with an empty store: the crash came between the two.
    var emptyStore = new InMemoryChunkStore(InstantSource.system(), random);
    Users none = new Users(emptyStore, ApplianceKey.openOrCreate(folder.resolve("keys"), random));
    var again = new FirstAdministrator(emptyStore, none, random);
    assertEquals(
        password, again.ensure(file, Optional.of(Context.read(file)), "pin").orElseThrow());
    assertTrue(none.require(FirstAdministrator.NAME).verifier().matches(password.toCharArray()));
  }
}
