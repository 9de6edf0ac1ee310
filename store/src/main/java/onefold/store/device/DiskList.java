package onefold.store.device;

import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import onefold.store.CorruptDataException;
import onefold.store.DiskRole;
import onefold.store.Disks;
import onefold.store.Id;

/**
 * The disks of a data directory as its file {@code disks} holds them, see {@code
 * docs/formats/disks.md}: text, so that a path can be mended where the disk is mounted elsewhere.
 *
 * @param directoryId stands in the file {@code onefold-disk} of each disk too
 * @param mainTakes whether the data directory itself takes containers of data
 * @param entries in the order in which they were added
 */
record DiskList(Id directoryId, boolean mainTakes, List<Entry> entries) {
  static final String FILE = "disks";
  static final String MARKER = "onefold-disk";

  /** Most bytes of the file: more is damage. */
  static final int MAX_FILE_BYTES = 512 << 10;

  private static final String HEAD = "onefold disks, version 1";
  private static final String MARKER_HEAD = "onefold disk, version 1";
  private static final Pattern DIRECTORY = Pattern.compile("directory ([0-9a-f]{32})");
  private static final Pattern MAIN = Pattern.compile("main (takes|drains)");
  private static final Pattern DISK =
      Pattern.compile("disk ([0-9a-f]{32}) (data|index|journal) (takes|drains) (/.*)");

  private static final Pattern MARKED =
      Pattern.compile(MARKER_HEAD + "\ndirectory ([0-9a-f]{32})\ndisk ([0-9a-f]{32})\n");

  /** One disk. */
  record Entry(Id id, DiskRole role, boolean takes, String path) {
    Entry with(boolean newTakes) {
      return new Entry(id, role, newTakes, path);
    }
  }

  DiskList {
    entries = List.copyOf(entries);
  }

  DiskList with(boolean newMainTakes, List<Entry> newEntries) {
    return new DiskList(directoryId, newMainTakes, newEntries);
  }

  byte[] encode() {
    StringBuilder text = new StringBuilder();
    text.append(HEAD).append('\n');
    text.append("directory ").append(directoryId).append('\n');
    text.append("main ").append(state(mainTakes)).append('\n');
    for (Entry each : entries) {
      text.append("disk ").append(each.id()).append(' ');
      text.append(each.role().name().toLowerCase(Locale.ROOT)).append(' ');
      text.append(state(each.takes())).append(' ').append(each.path()).append('\n');
    }
    return text.toString().getBytes(StandardCharsets.UTF_8);
  }

  private static String state(boolean takes) {
    return takes ? "takes" : "drains";
  }

  static DiskList decode(byte[] bytes) throws CorruptDataException {
    Lines lines = new Lines(FILE, bytes);
    lines.expect(HEAD);
    Id directory = Id.ofHex(lines.match(DIRECTORY, "directory ID").group(1));
    boolean mainTakes = "takes".equals(lines.match(MAIN, "main takes|drains").group(1));
    List<Entry> entries = new ArrayList<>();
    while (lines.hasNext()) {
      Matcher found = lines.match(DISK, "disk ID data|index|journal takes|drains PATH");
      entries.add(
          new Entry(
              Id.ofHex(found.group(1)),
              DiskRole.valueOf(found.group(2).toUpperCase(Locale.ROOT)),
              "takes".equals(found.group(3)),
              found.group(4)));
    }
    if (entries.size() > Disks.MAX_DISKS) {
      throw lines.corrupt("at most " + Disks.MAX_DISKS + " disks", entries.size() + " disks");
    }
    return new DiskList(directory, mainTakes, entries);
  }

  /** What stands on a disk itself. */
  static byte[] marker(Id directoryId, Id diskId) {
    return (MARKER_HEAD + "\ndirectory " + directoryId + "\ndisk " + diskId + "\n")
        .getBytes(StandardCharsets.UTF_8);
  }

  /** The disk that a marker names if it is one of this directory. */
  static Optional<Id> markedDisk(Id directoryId, byte[] found) {
    Matcher matcher = MARKED.matcher(new String(found, StandardCharsets.UTF_8));
    return matcher.matches() && matcher.group(1).equals(directoryId.toString())
        ? Optional.of(Id.ofHex(matcher.group(2)))
        : Optional.empty();
  }

  /** Says why the marker that was found is not that of a disk; empty if it is. */
  static Optional<String> wrongMarker(Id directoryId, Id diskId, byte[] found) {
    return Arrays.equals(marker(directoryId, diskId), found)
        ? Optional.empty()
        : Optional.of(new String(found, StandardCharsets.UTF_8).replace('\n', ' ').strip());
  }

  /** The file's lines with their numbers. */
  private static final class Lines {
    private final String file;
    private final List<String> lines;
    private int next;

    Lines(String file, byte[] bytes) throws CorruptDataException {
      this.file = file;
      try {
        this.lines =
            StandardCharsets.UTF_8
                .newDecoder()
                .decode(ByteBuffer.wrap(bytes))
                .toString()
                .lines()
                .toList();
      } catch (CharacterCodingException e) {
        throw new CorruptDataException(file, 0, "UTF-8", "other bytes");
      }
    }

    boolean hasNext() {
      return next < lines.size();
    }

    void expect(String line) throws CorruptDataException {
      if (!hasNext() || !lines.get(next).equals(line)) {
        throw corrupt("'" + line + "'", found());
      }
      next++;
    }

    Matcher match(Pattern pattern, String expected) throws CorruptDataException {
      Matcher matcher = pattern.matcher(hasNext() ? lines.get(next) : "");
      if (!matcher.matches()) {
        throw corrupt("'" + expected + "'", found());
      }
      next++;
      return matcher;
    }

    private String found() {
      return hasNext() ? "'" + lines.get(next) + "'" : "the end";
    }

    CorruptDataException corrupt(String expected, String found) {
      return new CorruptDataException(file, 0, expected + " in line " + (next + 1), found);
    }
  }
}
