package onefold.nas;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.RepeatedTest;

/**
 * Random programs of file operations, restarts and crashes against a model of a few maps: the same
 * errors, the same names, the same bytes, the same links; and nothing left over in the share's
 * tree.
 */
class NamespacePropertyTest {
  private static final int STEPS = 600;
  private static final String[] NAMES = {"a", "b", "c", "d", "long-name", "\u00fc"};

  private static final class Node {
    private final FileType type;
    private final TreeMap<String, Long> names = new TreeMap<>();
    private final TreeMap<String, byte[]> attributes = new TreeMap<>();
    private long parent;
    private int links = 1;
    private int mode;
    private byte[] bytes = new byte[0];

    /** What a crash may leave: what was durable last, and everything since. */
    private final List<byte[]> possible = new ArrayList<>(List.of(bytes));

    private String target = "";

    private Node(FileType type) {
      this.type = type;
    }

    private void become(byte[] content, boolean durable) {
      bytes = content;
      if (durable) {
        possible.clear();
      }
      possible.add(content);
    }

    private int linkCount(Map<Long, Node> nodes) {
      if (type != FileType.DIRECTORY) {
        return links;
      }
      return 2
          + (int)
              names.values().stream()
                  .filter(id -> node(nodes, id).type == FileType.DIRECTORY)
                  .count();
    }
  }

  private interface Action<T> {
    T run() throws IOException;
  }

  private final Map<Long, Node> nodes = new HashMap<>();
  private final Map<Long, OpenFile> opened = new HashMap<>();
  private final Set<Long> lost = new HashSet<>();
  private final Set<Long> used = new HashSet<>();
  private SplittableRandom random = new SplittableRandom(0);
  private TestShare share = new TestShare(0);
  private long root;

  NamespacePropertyTest() throws IOException {}

  @RepeatedTest(12)
  void itDoesWhatTheModelDoes() throws Exception {
    long seed = TestShare.seed();
    try {
      run(seed);
    } catch (AssertionError | Exception e) {
      throw new AssertionError("onefold.seed=" + seed, e);
    }
  }

  private void run(long seed) throws Exception {
    random = new SplittableRandom(seed);
    share = new TestShare(seed);
    root = share.files.rootId();
    Node top = new Node(FileType.DIRECTORY);
    top.parent = root;
    nodes.put(root, top);
    for (int step = 0; step < STEPS; step++) {
      step();
      if (step % 50 == 49) {
        compare();
      }
    }
    for (OpenFile file : List.copyOf(opened.values())) {
      file.close();
    }
    opened.clear();
    nodes.values().removeIf(node -> node.type != FileType.DIRECTORY && node.links == 0);
    compare();
    share.files.close();
    share.open();
    compare();
    removeAll(root);
    for (String name : node(root).attributes.keySet()) {
      share.files.removeExtendedAttribute(Credentials.ROOT, root, bytes(name));
    }
    assertEquals(2, share.store.entries(share.record.id()).size(), "something is left over");
  }

  private void step() throws IOException {
    switch (random.nextInt(24)) {
      case 0, 1, 2 -> create();
      case 3 -> makeDirectory();
      case 4 -> symbolicLink();
      case 5 -> link();
      case 6, 7 -> remove();
      case 8 -> removeDirectory();
      case 9, 10, 11 -> rename();
      case 12, 13, 14, 15 -> write();
      case 16 -> setLength();
      case 17 -> commit();
      case 18 -> attribute();
      case 19 -> mode();
      case 20 -> hold();
      case 21 -> letGo();
      case 22 -> {
        if (random.nextInt(4) == 0) {
          restart(random.nextBoolean());
        }
      }
      default -> {
        share.micros.addAndGet(random.nextInt(20_000_000));
        share.files.tick();
      }
    }
  }

  // ---- steps

  private void create() throws IOException {
    long directory = directory();
    String name = name();
    int kind = random.nextInt(3);
    long verifier = random.nextInt(3);
    CreateMode mode =
        switch (kind) {
          case 0 -> new CreateMode.Guarded(AttributeChange.NONE.withMode(0640));
          case 1 -> new CreateMode.Unchecked(AttributeChange.NONE.withMode(0640).withSize(0));
          default -> new CreateMode.Exclusive(verifier, AttributeChange.NONE.withMode(0640));
        };
    Long taken = node(directory).names.get(name);
    FileError expected = null;
    if (taken != null) {
      Node there = node(taken);
      expected =
          switch (kind) {
            case 0 -> FileError.EXISTS;
            case 1 ->
                switch (there.type) {
                  case REGULAR -> null;
                  case DIRECTORY -> FileError.IS_DIRECTORY;
                  case SYMBOLIC_LINK -> FileError.IS_SYMBOLIC_LINK;
                  case BLOCK_DEVICE, CHARACTER_DEVICE, SOCKET, FIFO -> FileError.WRONG_TYPE;
                };
            default -> ("verifier " + verifier).equals(there.target) ? null : FileError.EXISTS;
          };
    }
    Created created =
        expect(expected, () -> share.files.create(Credentials.ROOT, directory, bytes(name), mode));
    if (created == null) {
      return;
    }
    assertEquals(taken == null, created.made());
    if (taken == null) {
      Node node = made(created, FileType.REGULAR, directory, name);
      node.mode = 0640;
      node.target = kind == 2 ? "verifier " + verifier : "";
    } else {
      assertEquals(taken, created.file().fileId());
      if (kind == 1) {
        node(taken).become(new byte[0], true);
      }
    }
  }

  private void makeDirectory() throws IOException {
    long directory = directory();
    String name = name();
    Created created =
        expect(
            node(directory).names.containsKey(name) ? FileError.EXISTS : null,
            () ->
                share.files.makeDirectory(
                    Credentials.ROOT, directory, bytes(name), AttributeChange.NONE.withMode(0700)));
    if (created != null) {
      made(created, FileType.DIRECTORY, directory, name).mode = 0700;
    }
  }

  private void symbolicLink() throws IOException {
    long directory = directory();
    String name = name();
    String target = "../" + random.nextInt(1000);
    Created created =
        expect(
            node(directory).names.containsKey(name) ? FileError.EXISTS : null,
            () ->
                share.files.makeSymbolicLink(
                    Credentials.ROOT, directory, bytes(name), bytes(target), AttributeChange.NONE));
    if (created != null) {
      Node node = made(created, FileType.SYMBOLIC_LINK, directory, name);
      node.target = target;
      node.mode = 0777;
    }
  }

  private void link() throws IOException {
    long directory = directory();
    String name = name();
    long file = any();
    Node node = node(file);
    FileError expected =
        node.type == FileType.DIRECTORY
            ? FileError.IS_DIRECTORY
            : node(directory).names.containsKey(name)
                ? FileError.EXISTS
                : node.links == 0 ? FileError.STALE : null;
    Created created =
        expect(expected, () -> share.files.link(Credentials.ROOT, file, directory, bytes(name)));
    if (created != null) {
      node.links++;
      node(directory).names.put(name, file);
      assertEquals(node.links, created.file().linkCount());
    }
  }

  private void remove() throws IOException {
    long directory = directory();
    String name = name();
    Long file = node(directory).names.get(name);
    FileError expected =
        file == null
            ? FileError.NOT_FOUND
            : node(file).type == FileType.DIRECTORY ? FileError.IS_DIRECTORY : null;
    Removed removed =
        expect(expected, () -> share.files.remove(Credentials.ROOT, directory, bytes(name)));
    if (removed != null && file != null) {
      assertEquals(file, removed.fileId());
      node(directory).names.remove(name);
      unlinked(file);
    }
  }

  private void removeDirectory() throws IOException {
    long directory = directory();
    String name = name();
    Long file = node(directory).names.get(name);
    FileError expected =
        file == null
            ? FileError.NOT_FOUND
            : node(file).type != FileType.DIRECTORY
                ? FileError.NOT_DIRECTORY
                : node(file).names.isEmpty() ? null : FileError.NOT_EMPTY;
    Removed removed =
        expect(
            expected, () -> share.files.removeDirectory(Credentials.ROOT, directory, bytes(name)));
    if (removed != null && file != null) {
      node(directory).names.remove(name);
      nodes.remove(file);
      lost.add(file);
    }
  }

  private void rename() throws IOException {
    long from = directory();
    long to = random.nextBoolean() ? from : directory();
    String fromName = name();
    String toName = name();
    Long file = node(from).names.get(fromName);
    Long target = node(to).names.get(toName);
    FileError expected = null;
    boolean nothing = file != null && file.equals(target);
    if (file == null) {
      expected = FileError.NOT_FOUND;
    } else if (!nothing) {
      boolean directory = node(file).type == FileType.DIRECTORY;
      if (directory && isBelow(to, file)) {
        expected = FileError.INVALID;
      } else if (target != null) {
        boolean over = node(target).type == FileType.DIRECTORY;
        expected =
            directory && !over
                ? FileError.NOT_DIRECTORY
                : !directory && over
                    ? FileError.IS_DIRECTORY
                    : over && !node(target).names.isEmpty() ? FileError.NOT_EMPTY : null;
      }
    }
    Renamed renamed =
        expect(
            expected,
            () -> share.files.rename(Credentials.ROOT, from, bytes(fromName), to, bytes(toName)));
    if (renamed == null || nothing || file == null) {
      return;
    }
    node(from).names.remove(fromName);
    node(to).names.put(toName, file);
    node(file).parent = to;
    if (target != null) {
      if (node(target).type == FileType.DIRECTORY) {
        nodes.remove(target);
        lost.add(target);
      } else {
        unlinked(target);
      }
    }
    assertTrue(renamed.to().after().change() > renamed.to().before().change());
  }

  private void write() throws IOException {
    long file = any();
    Node node = node(file);
    int position = random.nextInt(4) == 0 ? random.nextInt(20_000) : random.nextInt(3000);
    byte[] bytes = new byte[random.nextInt(1, 3000)];
    random.nextBytes(bytes);
    Stability stability = one(Stability.values());
    Change change =
        expect(
            wrongType(node, file),
            () -> {
              try (OpenFile open = open(file, OpenFile.WRITE)) {
                return open.write(position, bytes, 0, bytes.length, stability);
              }
            });
    if (change == null) {
      return;
    }
    assertEquals(node.bytes.length, change.before().sizeBytes());
    assertTrue(change.after().change() > change.before().change());
    byte[] grown = Arrays.copyOf(node.bytes, Math.max(node.bytes.length, position + bytes.length));
    System.arraycopy(bytes, 0, grown, position, bytes.length);
    node.become(grown, stability != Stability.UNSTABLE);
    assertEquals(node.bytes.length, change.after().sizeBytes());
  }

  private void setLength() throws IOException {
    long file = any();
    Node node = node(file);
    int length = random.nextInt(6000);
    Change change =
        expect(
            wrongType(node, file),
            () ->
                share.files.setAttributes(
                    Credentials.ROOT, file, AttributeChange.NONE.withSize(length), null));
    if (change != null) {
      node.become(Arrays.copyOf(node.bytes, length), true);
      assertEquals(length, change.after().sizeBytes());
    }
  }

  private void commit() throws IOException {
    long file = any();
    Node node = node(file);
    if (node.type == FileType.REGULAR && !isGone(file)) {
      try (OpenFile open = open(file, OpenFile.WRITE)) {
        open.commit();
      }
      node.become(node.bytes, true);
    }
  }

  private void attribute() throws IOException {
    long file = any();
    Node node = node(file);
    if (isGone(file)) {
      return;
    }
    String name = "user." + name();
    if (random.nextInt(3) == 0) {
      Change change =
          expect(
              node.attributes.containsKey(name) ? null : FileError.NO_ATTRIBUTE,
              () -> share.files.removeExtendedAttribute(Credentials.ROOT, file, bytes(name)));
      if (change != null) {
        node.attributes.remove(name);
      }
    } else {
      byte[] value = new byte[random.nextInt(100)];
      random.nextBytes(value);
      AttributeMode mode = one(AttributeMode.values());
      boolean there = node.attributes.containsKey(name);
      FileError expected =
          there && mode == AttributeMode.CREATE
              ? FileError.EXISTS
              : !there && mode == AttributeMode.REPLACE ? FileError.NO_ATTRIBUTE : null;
      Change change =
          expect(
              expected,
              () ->
                  share.files.setExtendedAttribute(
                      Credentials.ROOT, file, bytes(name), value, mode));
      if (change != null) {
        node.attributes.put(name, value);
      }
    }
  }

  private void mode() throws IOException {
    long file = any();
    if (isGone(file)) {
      return;
    }
    int mode = random.nextInt(01000);
    share.files.setAttributes(Credentials.ROOT, file, AttributeChange.NONE.withMode(mode), null);
    node(file).mode = mode;
  }

  private void hold() throws IOException {
    long file = any();
    if (node(file).type == FileType.REGULAR && !isGone(file) && !opened.containsKey(file)) {
      opened.put(file, open(file, OpenFile.READ | OpenFile.WRITE));
    }
  }

  private void letGo() {
    if (opened.isEmpty()) {
      return;
    }
    List<Long> files = new ArrayList<>(opened.keySet());
    files.sort(null);
    long file = files.get(random.nextInt(files.size()));
    OpenFile open = opened.remove(file);
    if (open != null) {
      open.close();
    }
    if (node(file).links == 0) {
      nodes.remove(file);
      lost.add(file);
    }
  }

  private void restart(boolean crash) throws IOException {
    if (crash) {
      share.store.crash();
    } else {
      for (OpenFile file : opened.values()) {
        file.close();
      }
      share.files.close();
      nodes.values().forEach(node -> node.become(node.bytes, true));
    }
    opened.clear();
    nodes
        .entrySet()
        .removeIf(entry -> {
          boolean gone = entry.getValue().type != FileType.DIRECTORY && entry.getValue().links == 0;
          if (gone) {
            lost.add(entry.getKey());
          }
          return gone;
        });
    share.open();
    if (crash) {
      for (var entry : nodes.entrySet()) {
        if (entry.getValue().type == FileType.REGULAR) {
          afterCrash(entry.getKey(), entry.getValue());
        }
      }
    }
    compare();
  }

  private void afterCrash(long id, Node node) throws IOException {
    byte[] found = content(id, Math.toIntExact(share.files.attributes(id).sizeBytes()));
    assertTrue(
        node.possible.stream().anyMatch(bytes -> Arrays.equals(bytes, found)),
        () -> "file " + id + " has " + found.length + " bytes that it never had");
    node.become(found, true);
  }

  // ---- comparing

  private void compare() throws IOException {
    for (var entry : nodes.entrySet()) {
      long id = entry.getKey();
      Node node = entry.getValue();
      Attributes attributes = share.files.attributes(id);
      assertEquals(node.type, attributes.type());
      assertEquals(node.linkCount(nodes), attributes.linkCount(), () -> "links of " + id);
      if (id != root) {
        assertEquals(node.mode, attributes.mode());
      }
      List<String> names = new ArrayList<>();
      for (byte[] name :
          share.files.extendedAttributes(Credentials.ROOT, id, new byte[0], 100).names()) {
        String text = new String(name, UTF_8);
        names.add(text);
        assertArrayEquals(
            node.attributes.get(text), share.files.extendedAttribute(Credentials.ROOT, id, name));
      }
      assertEquals(List.copyOf(node.attributes.keySet()), names);
      switch (node.type) {
        case DIRECTORY -> compareNames(id, node);
        case REGULAR -> {
          assertEquals(node.bytes.length, attributes.sizeBytes(), () -> "size of " + id);
          assertTrue(attributes.spaceBytes() <= attributes.sizeBytes());
          assertArrayEquals(node.bytes, content(id, node.bytes.length));
        }
        case SYMBOLIC_LINK ->
            assertArrayEquals(bytes(node.target), share.files.readLink(Credentials.ROOT, id));
        case BLOCK_DEVICE, CHARACTER_DEVICE, SOCKET, FIFO -> throw new AssertionError();
      }
    }
    for (long id : lost) {
      assertEquals(FileError.STALE, error(() -> share.files.attributes(id)));
    }
  }

  private void compareNames(long id, Node node) throws IOException {
    TreeMap<String, Long> found = new TreeMap<>();
    long after = 0;
    while (true) {
      DirectoryPage page =
          share.files.list(Credentials.ROOT, id, after, random.nextInt(1, 5), true);
      for (DirectoryEntry entry : page.entries()) {
        assertTrue(entry.cookie() > after && entry.cookie() >= FileSystem.FIRST_COOKIE);
        after = entry.cookie();
        found.put(new String(entry.name(), UTF_8), entry.fileId());
        Attributes listed = assertNotNullAttributes(entry.attributes());
        assertEquals(entry.fileId(), listed.fileId());
      }
      if (page.end()) {
        break;
      }
    }
    assertEquals(node.names, found);
    for (var name : node.names.entrySet()) {
      assertEquals(
          name.getValue(), share.files.lookup(Credentials.ROOT, id, bytes(name.getKey())).fileId());
    }
    if (id != root) {
      assertEquals(node.parent, share.files.lookupParent(Credentials.ROOT, id).fileId());
    }
  }

  private static Attributes assertNotNullAttributes(@Nullable Attributes attributes) {
    assertNotNull(attributes);
    return attributes;
  }

  private byte[] content(long file, int expectedBytes) throws IOException {
    byte[] bytes = new byte[expectedBytes + 10];
    try (OpenFile open = open(file, OpenFile.READ)) {
      ReadResult read = open.read(0, bytes, 0, bytes.length);
      assertTrue(read.end());
      return Arrays.copyOf(bytes, read.lengthBytes());
    }
  }

  private void removeAll(long directory) throws IOException {
    for (DirectoryEntry entry :
        share.files.list(Credentials.ROOT, directory, 0, 1000, false).entries()) {
      if (share.files.attributes(entry.fileId()).type() == FileType.DIRECTORY) {
        removeAll(entry.fileId());
        share.files.removeDirectory(Credentials.ROOT, directory, entry.name());
      } else {
        share.files.remove(Credentials.ROOT, directory, entry.name());
      }
    }
  }

  // ---- parts

  private Node made(Created created, FileType type, long directory, String name) {
    Node node = new Node(type);
    node.parent = directory;
    long id = created.file().fileId();
    assertTrue(used.add(id), () -> "file id " + id + " was used before");
    nodes.put(id, node);
    node(directory).names.put(name, id);
    assertTrue(created.directory().after().change() > created.directory().before().change());
    return node;
  }

  private void unlinked(long file) {
    Node node = node(file);
    node.links--;
    if (node.links == 0 && !opened.containsKey(file)) {
      nodes.remove(file);
      lost.add(file);
    }
  }

  private OpenFile open(long file, int access) throws IOException {
    return share.files.open(Credentials.ROOT, file, access, false);
  }

  /** What opening a file says to its kind. */
  private @Nullable FileError wrongType(Node node, long file) {
    return switch (node.type) {
      case REGULAR -> null;
      case DIRECTORY -> FileError.IS_DIRECTORY;
      case SYMBOLIC_LINK -> isGone(file) ? FileError.STALE : FileError.IS_SYMBOLIC_LINK;
      case BLOCK_DEVICE, CHARACTER_DEVICE, SOCKET, FIFO -> FileError.WRONG_TYPE;
    };
  }

  private boolean isGone(long file) {
    return node(file).type != FileType.DIRECTORY
        && node(file).links == 0
        && !opened.containsKey(file);
  }

  private boolean isBelow(long directory, long above) {
    long at = directory;
    while (at != above) {
      if (at == root) {
        return false;
      }
      at = node(at).parent;
    }
    return true;
  }

  private Node node(long id) {
    return node(nodes, id);
  }

  private static Node node(Map<Long, Node> nodes, long id) {
    Node node = nodes.get(id);
    if (node == null) {
      throw new AssertionError("the model has no " + id);
    }
    return node;
  }

  private long directory() {
    List<Long> directories =
        nodes.entrySet().stream()
            .filter(entry -> entry.getValue().type == FileType.DIRECTORY)
            .map(Map.Entry::getKey)
            .sorted()
            .toList();
    return directories.get(random.nextInt(directories.size()));
  }

  private long any() {
    List<Long> all = nodes.keySet().stream().sorted().toList();
    return all.get(random.nextInt(all.size()));
  }

  private <T> T one(T[] of) {
    return of[random.nextInt(of.length)];
  }

  private String name() {
    return NAMES[random.nextInt(NAMES.length)];
  }

  private static byte[] bytes(String text) {
    return text.getBytes(UTF_8);
  }

  private static <T> @Nullable T expect(@Nullable FileError expected, Action<T> action)
      throws IOException {
    try {
      T result = action.run();
      assertEquals(expected, null);
      return result;
    } catch (FileException e) {
      if (e.error() != expected) {
        throw new AssertionError("expected " + expected + ", got " + e.error(), e);
      }
      return null;
    }
  }

  private static @Nullable FileError error(Action<?> action) throws IOException {
    try {
      var _ = action.run();
      return null;
    } catch (FileException e) {
      return e.error();
    }
  }
}
