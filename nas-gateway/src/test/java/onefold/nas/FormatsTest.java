package onefold.nas;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.InputStream;
import java.time.Instant;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import onefold.nas.AccessEntry.Principal;
import onefold.nas.ShareTreeFormat.CookieValue;
import onefold.nas.ShareTreeFormat.NameValue;
import onefold.nas.ShareTreeFormat.PendingValue;
import onefold.nas.ShareTreeFormat.ShareValue;
import onefold.store.CorruptDataException;
import onefold.store.Id;
import org.junit.jupiter.api.Test;

/** Keys and values of share trees, and settings of shares, against the kept samples. */
class FormatsTest {
  private static final Inode LINK = link();

  private static final List<AccessEntry> LIST =
      List.of(
          new AccessEntry(AccessEntry.Type.DENY, 0, 2, new Principal.User(1000)),
          new AccessEntry(AccessEntry.Type.ALLOW, 3, 0x1f01ff, new Principal.Owner()));

  private static final ShareSettings SETTINGS =
      ShareSettings.LOOPBACK
          .withNfs(true, ExportRule.parse("localhost,10.0.0.0/8=ro"))
          .withSquash(Squash.ROOT)
          .withReadOnly(true)
          .withQuotaBytes(1L << 41)
          .withOwner(1000, 100);

  private static final ShareSettings WORM =
      ShareSettings.LOOPBACK
          .withSnapshotDirectory(SnapshotDirectory.VISIBLE)
          .withWorm(Worm.USUAL.withQuietSeconds(7200));

  private static final Id SNAPSHOT = new Id(0x0102_0304_0506_0708L, 9);

  private static Inode link() {
    Inode.Edit edit =
        Inode.make(
                0x0102_0304L,
                FileType.SYMBOLIC_LINK,
                0777,
                1000,
                4_294_967_295L,
                16,
                Instant.ofEpochSecond(1, 2))
            .edit();
    edit.accessTime = Instant.ofEpochSecond(-1, 999_999_999);
    edit.birthTime = Instant.ofEpochSecond(1L << 40, 5);
    edit.target = "../x".getBytes(UTF_8);
    edit.exclusive = true;
    edit.verifier = -2;
    edit.dosAttributes = 2;
    edit.hasAttributes = true;
    return edit.done();
  }

  private static Map<String, byte[]> written() {
    Map<String, byte[]> all = new LinkedHashMap<>();
    all.put("share-key", ShareTreeFormat.shareKey());
    all.put("share", ShareTreeFormat.share(new ShareValue(16, 65_552)));
    all.put("inode-key", ShareTreeFormat.inodeKey(LINK.fileId()));
    all.put("inode", ShareTreeFormat.inode(LINK));
    all.put("name-key", ShareTreeFormat.nameKey(16, "link".getBytes(UTF_8)));
    all.put(
        "name",
        ShareTreeFormat.name(new NameValue(FileType.SYMBOLIC_LINK, LINK.fileId(), 0x0102_0305L)));
    all.put("cookie-key", ShareTreeFormat.cookieKey(16, 0x0102_0305L));
    all.put(
        "cookie",
        ShareTreeFormat.cookie(
            new CookieValue(FileType.SYMBOLIC_LINK, LINK.fileId(), "link".getBytes(UTF_8))));
    all.put("attribute-key", ShareTreeFormat.attributeKey(LINK.fileId(), "user.a".getBytes(UTF_8)));
    all.put("access-list-key", ShareTreeFormat.accessListKey(LINK.fileId()));
    all.put("access-list", ShareTreeFormat.accessList(LIST));
    all.put("orphan-key", ShareTreeFormat.orphanKey(LINK.fileId()));
    all.put("orphan", ShareTreeFormat.orphan());
    all.put("note", ShareTreeFormat.note(LINK));
    all.put("settings", ShareSettingsFormat.write(SETTINGS));
    all.put("snapshot-key", ShareTreeFormat.snapshotKey(3));
    all.put("snapshot", ShareTreeFormat.snapshot(SNAPSHOT));
    all.put("pending-key", ShareTreeFormat.pendingKey(16));
    all.put("pending", ShareTreeFormat.pending(new PendingValue(5, 7)));
    all.put("folded-key", ShareTreeFormat.foldedKey(16, "link".getBytes(UTF_8), 0x0102_0305L));
    all.put("stream-key", ShareTreeFormat.streamKey(LINK.fileId(), "s".getBytes(UTF_8)));
    all.put("stream", ShareTreeFormat.stream(0x0102_0306L));
    all.put("settings-worm", ShareSettingsFormat.write(WORM));
    return all;
  }

  @Test
  void theSampleOfTheFirstReleaseIsReadAndWrittenTheSame() throws IOException {
    Map<String, byte[]> sample = sample();
    assertEquals(List.copyOf(written().keySet()), List.copyOf(sample.keySet()));
    written().forEach((name, bytes) -> assertArrayEquals(sample.get(name), bytes, name));
    byte[] key = part(sample, "inode-key");
    Inode inode = ShareTreeFormat.readInode(key, part(sample, "inode"));
    assertArrayEquals(part(sample, "inode"), ShareTreeFormat.inode(inode));
    assertEquals(LINK.attributes(0, 0), inode.attributes(0, 0));
    assertArrayEquals(LINK.target(), inode.target());
    assertEquals(-2, inode.verifier());
    assertTrue(inode.exclusive() && inode.hasAttributes() && !inode.sparse());
    assertEquals(new ShareValue(16, 65_552), ShareTreeFormat.readShare(key, part(sample, "share")));
    assertEquals(
        new NameValue(FileType.SYMBOLIC_LINK, LINK.fileId(), 0x0102_0305L),
        ShareTreeFormat.readName(key, part(sample, "name")));
    CookieValue cookie = ShareTreeFormat.readCookie(key, part(sample, "cookie"));
    assertEquals("link", new String(cookie.name(), UTF_8));
    assertEquals(0x0102_0305L, ShareTreeFormat.keyCookie(part(sample, "cookie-key")));
    assertEquals(LINK.fileId(), ShareTreeFormat.keyId(part(sample, "orphan-key")));
    assertEquals(
        "user.a", new String(ShareTreeFormat.keyName(part(sample, "attribute-key")), UTF_8));
    assertEquals(LIST, ShareTreeFormat.readAccessList(key, part(sample, "access-list")));
    ShareTreeFormat.Note note = ShareTreeFormat.readNote(key, part(sample, "note"));
    assertEquals(LINK.change(), note.change());
    assertEquals(LINK.modifyTime(), note.modifyTime());
    assertEquals(SETTINGS, ShareSettingsFormat.read("s", part(sample, "settings")));
    assertEquals(WORM, ShareSettingsFormat.read("s", part(sample, "settings-worm")));
    assertEquals(new PendingValue(5, 7), ShareTreeFormat.readPending(key, part(sample, "pending")));
    assertEquals(SNAPSHOT, ShareTreeFormat.readSnapshot(key, part(sample, "snapshot")));
  }

  @Test
  void wrongBytesAreToldAndNothingElseHappens() {
    long seed = TestShare.seed();
    var random = new SplittableRandom(seed);
    byte[] key = ShareTreeFormat.inodeKey(1);
    for (var entry : written().entrySet()) {
      for (int step = 0; step < 2000; step++) {
        byte[] bytes = Arrays.copyOf(entry.getValue(), random.nextInt(entry.getValue().length + 4));
        for (int flips = random.nextInt(3); flips > 0 && bytes.length > 0; flips--) {
          bytes[random.nextInt(bytes.length)] ^= (byte) (1 << random.nextInt(8));
        }
        try {
          var _ =
              switch (entry.getKey()) {
                case "share" -> ShareTreeFormat.readShare(key, bytes);
                case "inode" -> ShareTreeFormat.readInode(key, bytes);
                case "name" -> ShareTreeFormat.readName(key, bytes);
                case "cookie" -> ShareTreeFormat.readCookie(key, bytes);
                case "access-list" -> ShareTreeFormat.readAccessList(key, bytes);
                case "note" -> ShareTreeFormat.readNote(key, bytes);
                case "stream" -> ShareTreeFormat.readStream(key, bytes);
                case "pending" -> ShareTreeFormat.readPending(key, bytes);
                case "snapshot" -> ShareTreeFormat.readSnapshot(key, bytes);
                case "settings", "settings-worm" -> ShareSettingsFormat.read("s", bytes);
                case "folded-key" -> ShareTreeFormat.keyFoldedCookie(bytes);
                case "cookie-key" -> ShareTreeFormat.keyCookie(bytes);
                default -> ShareTreeFormat.keyId(bytes);
              };
        } catch (CorruptDataException e) {
          assertNotNull(e.getMessage());
        } catch (RuntimeException e) {
          throw new AssertionError(entry.getKey() + " onefold.seed=" + seed, e);
        }
      }
    }
  }

  @Test
  void aNewerVersionIsRefusedAndNamed() {
    byte[] key = ShareTreeFormat.inodeKey(LINK.fileId());
    byte[] inode = ShareTreeFormat.inode(LINK);
    inode[0] = 2;
    CorruptDataException e =
        assertThrows(CorruptDataException.class, () -> ShareTreeFormat.readInode(key, inode));
    assertEquals(
        "share tree entry 690000000001020304: expected version 1, found version 2", e.getMessage());
  }

  private static byte[] part(Map<String, byte[]> sample, String name) {
    byte[] bytes = sample.get(name);
    if (bytes == null) {
      throw new AssertionError("no " + name + " in the sample");
    }
    return bytes;
  }

  private static Map<String, byte[]> sample() throws IOException {
    Map<String, byte[]> parts = new LinkedHashMap<>();
    try (InputStream in = FormatsTest.class.getResourceAsStream("/samples/share-tree-1.txt")) {
      assertNotNull(in);
      for (String line : new String(in.readAllBytes(), UTF_8).lines().toList()) {
        int blank = line.indexOf(' ');
        parts.put(line.substring(0, blank), HexFormat.of().parseHex(line.substring(blank + 1)));
      }
    }
    return parts;
  }

  /** Prints what the sample of a new version would be. */
  public static void main(String[] arguments) {
    written()
        .forEach((name, bytes) -> System.out.println(name + " " + HexFormat.of().formatHex(bytes)));
  }

  @Test
  void waysToProveWhoOneIsComeBackAndOthersAreRefused() throws CorruptDataException {
    for (String text : List.of("sys", "krb5", "sys,krb5i", "krb5,krb5p", "sys,krb5,krb5i,krb5p")) {
      ShareSettings wanted = SETTINGS.withSecurity(Security.parse(text));
      byte[] written = ShareSettingsFormat.write(wanted);
      assertEquals(wanted, ShareSettingsFormat.read("s", written));
      assertEquals(text, Security.text(wanted.security()));
      for (int bits : new int[] {1, 16, -2}) {
        written[28] = (byte) bits;
        written[31] = (byte) (bits >> 24);
        assertThrows(CorruptDataException.class, () -> ShareSettingsFormat.read("s", written));
      }
    }
  }
}
