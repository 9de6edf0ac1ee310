package onefold.nas;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import onefold.store.ShareEntry;

/** Checks that a share's entries agree with each other. */
final class ShareCheck {
  private record Named(long directoryId, long cookie, String name) {}

  private ShareCheck() {}

  /**
   * Checks that every name has both entries and a file, every file its names and link count, every
   * directory its parent, and that nothing else is there; orphans only if they are allowed.
   */
  static void check(List<ShareEntry> entries, boolean orphansAllowed) throws IOException {
    Map<Long, Inode> inodes = new HashMap<>();
    Map<Named, Long> byName = new HashMap<>();
    Map<Named, Long> byCookie = new HashMap<>();
    Map<Named, Long> byFold = new HashMap<>();
    Map<Named, Long> folded = new HashMap<>();
    Map<Long, Long> streams = new HashMap<>();
    Set<Long> orphans = new HashSet<>();
    Set<Long> attributes = new HashSet<>();
    long rootId = 0;
    for (ShareEntry entry : entries) {
      byte[] key = entry.key();
      byte[] value = entry.value();
      switch (key[0]) {
        case ShareTreeFormat.SHARE -> rootId = ShareTreeFormat.readShare(key, value).rootId();
        case ShareTreeFormat.INODE -> {
          Inode inode = ShareTreeFormat.readInode(key, value);
          assertEquals(inode.isRegular(), entry.object().isPresent());
          inodes.put(inode.fileId(), inode);
        }
        case ShareTreeFormat.NAME -> {
          ShareTreeFormat.NameValue name = ShareTreeFormat.readName(key, value);
          String text = Arrays.toString(ShareTreeFormat.keyName(key));
          var named = new Named(ShareTreeFormat.keyId(key), name.cookie(), text);
          byName.put(named, name.fileId());
          byte[] bytes = ShareTreeFormat.keyName(key);
          byte[] fold = CaseFolding.fold(bytes);
          if (!Arrays.equals(fold, bytes)) {
            folded.put(named, name.fileId());
          }
        }
        case ShareTreeFormat.COOKIE -> {
          ShareTreeFormat.CookieValue cookie = ShareTreeFormat.readCookie(key, value);
          byCookie.put(
              new Named(
                  ShareTreeFormat.keyId(key),
                  ShareTreeFormat.keyCookie(key),
                  Arrays.toString(cookie.name())),
              cookie.fileId());
        }
        case ShareTreeFormat.FOLDED -> {
          ShareTreeFormat.CookieValue folding = ShareTreeFormat.readCookie(key, value);
          long directoryId = ShareTreeFormat.keyId(key);
          long cookie = ShareTreeFormat.keyFoldedCookie(key);
          byte[] fold = CaseFolding.fold(folding.name());
          assertArrayEquals(ShareTreeFormat.foldedKey(directoryId, fold, cookie), key);
          byFold.put(
              new Named(directoryId, cookie, Arrays.toString(folding.name())), folding.fileId());
        }
        case ShareTreeFormat.STREAM ->
            streams.put(ShareTreeFormat.readStream(key, value), ShareTreeFormat.keyId(key));
        case ShareTreeFormat.ATTRIBUTE, ShareTreeFormat.ACCESS_LIST ->
            attributes.add(ShareTreeFormat.keyId(key));
        case ShareTreeFormat.SNAPSHOT -> ShareTreeFormat.readSnapshot(key, value);
        case ShareTreeFormat.PENDING -> {
          ShareTreeFormat.readPending(key, value);
          attributes.add(ShareTreeFormat.keyId(key));
        }
        case ShareTreeFormat.ORPHAN -> orphans.add(ShareTreeFormat.keyId(key));
        default -> throw new AssertionError("key of kind " + key[0]);
      }
    }
    assertEquals(byName, byCookie);
    assertEquals(folded, byFold);
    Map<Long, Integer> links = new HashMap<>();
    for (var named : byName.entrySet()) {
      long directoryId = named.getKey().directoryId();
      Inode file = inode(inodes, named.getValue());
      assertTrue(inode(inodes, directoryId).isDirectory());
      links.merge(file.fileId(), 1, Integer::sum);
      if (file.isDirectory()) {
        assertEquals(directoryId, file.parentId());
        links.merge(directoryId, 1, Integer::sum);
        links.merge(file.fileId(), 1, Integer::sum);
      }
    }
    links.merge(rootId, 2, Integer::sum);
    for (var stream : streams.entrySet()) {
      Inode inode = inode(inodes, stream.getKey());
      assertTrue(inode.isStream());
      assertEquals(stream.getValue(), inode.parentId());
      assertTrue(inode(inodes, inode.parentId()).hasStreams());
      links.merge(inode.fileId(), 1, Integer::sum);
    }
    for (Inode inode : inodes.values()) {
      assertEquals(
          links.getOrDefault(inode.fileId(), 0),
          inode.linkCount(),
          () -> "links of " + inode.fileId());
      assertEquals(inode.linkCount() == 0, orphans.contains(inode.fileId()));
    }
    assertTrue(orphansAllowed || orphans.isEmpty(), "orphans are left");
    assertTrue(inodes.keySet().containsAll(orphans));
    assertTrue(inodes.keySet().containsAll(attributes), "attributes without file");
  }

  private static Inode inode(Map<Long, Inode> inodes, long id) {
    Inode inode = inodes.get(id);
    if (inode == null) {
      throw new AssertionError("no file " + id);
    }
    return inode;
  }
}
