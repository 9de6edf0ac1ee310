package onefold.appliance.tree;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.math.BigDecimal;
import java.math.RoundingMode;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Headers of the pax interchange format (POSIX.1-2017, utility pax, "pax Interchange Format"), with
 * extended attributes as {@code SCHILY.xattr.*} records and sparse files in GNU's PAX format 1.0,
 * as tar programs write and read them.
 */
final class PaxFormat {
  static final int BLOCK_BYTES = 512;

  /** Longest extended header that is read: many attributes of 64 KiB fit. */
  static final int MAX_EXTENDED_BYTES = 4 << 20;

  /**
   * Most segments of a sparse file that are kept; a file with more is stored with its holes as
   * zeros.
   */
  static final int MAX_SEGMENTS = 1 << 20;

  private static final String ATTRIBUTE_PREFIX = "SCHILY.xattr.";
  private static final long MAX_OCTAL_11 = (1L << 33) - 1;

  /** No exponent: a short text must not make a huge number. */
  private static final Pattern TIME = Pattern.compile("-?[0-9]{1,18}(\\.[0-9]{1,18})?");

  private static final int MAX_OCTAL_7 = (1 << 21) - 1;

  private PaxFormat() {}

  /** Returns the number of zeros that fill the last block of {@code lengthBytes}. */
  static int padding(long lengthBytes) {
    return (int) (-lengthBytes & (BLOCK_BYTES - 1));
  }

  /** Returns the map that precedes a sparse file's data, padded to whole blocks. */
  static byte[] sparseMap(List<TreeEntry.Segment> segments) {
    StringBuilder text = new StringBuilder().append(segments.size()).append('\n');
    for (TreeEntry.Segment segment : segments) {
      text.append(segment.offsetBytes()).append('\n').append(segment.lengthBytes()).append('\n');
    }
    byte[] bytes = text.toString().getBytes(StandardCharsets.US_ASCII);
    return Arrays.copyOf(bytes, bytes.length + padding(bytes.length));
  }

  /** Returns the header blocks of a member, the extended header first where one is needed. */
  static byte[] headers(TreeEntry entry) {
    boolean directory = entry.type() == FileType.DIRECTORY;
    byte[] name = directory ? PathBytes.join(entry.path(), new byte[0]) : entry.path();
    if (directory && name[name.length - 1] != '/') {
      name = Arrays.copyOf(name, name.length + 1);
      name[name.length - 1] = '/';
    }
    Map<String, byte[]> records = new TreeMap<>();
    boolean binary = false;
    byte[] shortName = name;
    long archivedBytes = entry.dataBytes();
    List<TreeEntry.Segment> segments = entry.segments();
    if (segments != null) {
      archivedBytes += sparseMap(segments).length;
      records.put("GNU.sparse.major", PathBytes.utf8("1"));
      records.put("GNU.sparse.minor", PathBytes.utf8("0"));
      records.put("GNU.sparse.name", name);
      records.put("GNU.sparse.realsize", PathBytes.utf8(Long.toString(entry.sizeBytes())));
      binary = !isUtf8(name);
      shortName = PathBytes.join(PathBytes.utf8("GNUSparseFile.0"), PathBytes.lastName(name));
    } else if (name.length > 100 || !isAscii(name)) {
      records.put("path", name);
      binary = !isUtf8(name);
    }
    byte[] link = entry.linkTarget();
    if (link.length > 100 || !isAscii(link)) {
      records.put("linkpath", link);
      binary |= !isUtf8(link);
    }
    if (entry.modifiedNanos() != 0
        || entry.modifiedSeconds() < 0
        || entry.modifiedSeconds() > MAX_OCTAL_11) {
      records.put(
          "mtime", PathBytes.utf8(timeText(entry.modifiedSeconds(), entry.modifiedNanos())));
    }
    if (archivedBytes > MAX_OCTAL_11) {
      records.put("size", PathBytes.utf8(Long.toString(archivedBytes)));
    }
    if (Integer.toUnsignedLong(entry.userId()) > MAX_OCTAL_7) {
      records.put("uid", PathBytes.utf8(Integer.toUnsignedString(entry.userId())));
    }
    if (Integer.toUnsignedLong(entry.groupId()) > MAX_OCTAL_7) {
      records.put("gid", PathBytes.utf8(Integer.toUnsignedString(entry.groupId())));
    }
    ByteArrayOutputStream out = new ByteArrayOutputStream(3 * BLOCK_BYTES);
    if (!records.isEmpty() || !entry.attributes().isEmpty()) {
      ByteArrayOutputStream extended = new ByteArrayOutputStream();
      if (binary) {
        // Must come first: it says how the names after it are to be read.
        appendRecord(extended, PathBytes.utf8("hdrcharset"), PathBytes.utf8("BINARY"));
      }
      records.forEach((key, value) -> appendRecord(extended, PathBytes.utf8(key), value));
      for (TreeEntry.Attribute attribute : entry.attributes()) {
        byte[] prefix = PathBytes.utf8(ATTRIBUTE_PREFIX);
        byte[] key = Arrays.copyOf(prefix, prefix.length + attribute.name().length);
        System.arraycopy(attribute.name(), 0, key, prefix.length, attribute.name().length);
        appendRecord(extended, key, attribute.value());
      }
      byte[] body = extended.toByteArray();
      byte[] header =
          ustar(
              PathBytes.join(PathBytes.utf8("PaxHeaders"), PathBytes.lastName(entry.path())),
              'x',
              0644,
              0,
              0,
              body.length,
              0,
              new byte[0],
              0,
              0);
      out.writeBytes(header);
      out.writeBytes(Arrays.copyOf(body, body.length + padding(body.length)));
    }
    out.writeBytes(
        ustar(
            shortName,
            typeFlag(entry),
            entry.permissions(),
            entry.userId(),
            entry.groupId(),
            archivedBytes,
            entry.modifiedSeconds(),
            link,
            entry.deviceMajor(),
            entry.deviceMinor()));
    return out.toByteArray();
  }

  private static char typeFlag(TreeEntry entry) {
    if (entry.hardLink()) {
      return '1';
    }
    return switch (entry.type()) {
      case REGULAR -> '0';
      case SYMBOLIC_LINK -> '2';
      case CHARACTER_DEVICE -> '3';
      case BLOCK_DEVICE -> '4';
      case DIRECTORY -> '5';
      case FIFO -> '6';
      case SOCKET -> throw new IllegalArgumentException("a socket cannot be archived");
    };
  }

  private static byte[] ustar(
      byte[] name,
      char type,
      int permissions,
      int userId,
      int groupId,
      long size,
      long seconds,
      byte[] link,
      int major,
      int minor) {
    byte[] header = new byte[BLOCK_BYTES];
    // What does not fit stands whole in the extended header; readers take it from there.
    System.arraycopy(name, 0, header, 0, Math.min(name.length, 100));
    octal(header, 100, 8, permissions);
    octal(header, 108, 8, Math.min(Integer.toUnsignedLong(userId), MAX_OCTAL_7));
    octal(header, 116, 8, Math.min(Integer.toUnsignedLong(groupId), MAX_OCTAL_7));
    octal(header, 124, 12, Math.min(size, MAX_OCTAL_11));
    octal(header, 136, 12, Math.clamp(seconds, 0, MAX_OCTAL_11));
    Arrays.fill(header, 148, 156, (byte) ' ');
    header[156] = (byte) type;
    System.arraycopy(link, 0, header, 157, Math.min(link.length, 100));
    System.arraycopy(PathBytes.utf8("ustar\00000"), 0, header, 257, 8);
    octal(header, 329, 8, Math.min(major, MAX_OCTAL_7));
    octal(header, 337, 8, Math.min(minor, MAX_OCTAL_7));
    octal(header, 148, 7, checksum(header));
    return header;
  }

  private static void octal(byte[] header, int offset, int width, long value) {
    for (int i = offset + width - 2; i >= offset; i--) {
      header[i] = (byte) ('0' + (value & 7));
      value >>>= 3;
    }
    header[offset + width - 1] = 0;
  }

  private static int checksum(byte[] header) {
    int sum = 0;
    for (int i = 0; i < BLOCK_BYTES; i++) {
      sum += i >= 148 && i < 156 ? ' ' : header[i] & 0xff;
    }
    return sum;
  }

  /** Appends "length key=value\n" where the length counts itself. */
  private static void appendRecord(ByteArrayOutputStream out, byte[] key, byte[] value) {
    int rest = key.length + value.length + 3;
    int length = rest + Integer.toString(rest).length();
    length = rest + Integer.toString(length).length();
    out.writeBytes(PathBytes.utf8(length + " "));
    out.writeBytes(key);
    out.write('=');
    out.writeBytes(value);
    out.write('\n');
  }

  static String timeText(long seconds, int nanos) {
    if (nanos == 0) {
      return Long.toString(seconds);
    }
    boolean negative = seconds < 0;
    // -1.25 s is second -2 and 750,000,000 ns; the text counts from zero.
    long whole = negative ? -(seconds + 1) : seconds;
    int fraction = negative ? 1_000_000_000 - nanos : nanos;
    return (negative ? "-" : "") + whole + String.format(Locale.ROOT, ".%09d", fraction);
  }

  /** Where headers and map come from. */
  interface Source {
    /**
     * Fills the array.
     *
     * @throws IOException also if the stream ends before
     */
    void readFully(byte[] target, int length) throws IOException;
  }

  /**
   * Reads the headers of the next member, and its sparse map.
   *
   * @return the member, or null at the end of the archive
   * @throws IOException with the field that is wrong
   */
  static @Nullable TreeEntry read(Source source) throws IOException {
    byte[] header = new byte[BLOCK_BYTES];
    Map<String, byte[]> records = new TreeMap<>();
    List<TreeEntry.Attribute> attributes = new ArrayList<>();
    source.readFully(header, BLOCK_BYTES);
    while (header[156] == 'x' || header[156] == 'g') {
      checkHeader(header);
      long length = number(header, 124, 12);
      if (length > MAX_EXTENDED_BYTES) {
        throw new IOException(
            "extended header of " + length + " bytes, at most " + MAX_EXTENDED_BYTES);
      }
      byte[] body = new byte[(int) length + padding(length)];
      source.readFully(body, body.length);
      if (header[156] == 'x') {
        parseRecords(body, (int) length, records, attributes);
      }
      source.readFully(header, BLOCK_BYTES);
    }
    boolean end = true;
    for (byte b : header) {
      end &= b == 0;
    }
    if (end) {
      return null;
    }
    checkHeader(header);
    return entry(source, header, records, attributes);
  }

  private static TreeEntry entry(
      Source source,
      byte[] header,
      Map<String, byte[]> records,
      List<TreeEntry.Attribute> attributes)
      throws IOException {
    byte[] path = records.getOrDefault("path", joinedName(header));
    long archivedBytes = longRecord(records, "size", number(header, 124, 12));
    long size = archivedBytes;
    List<TreeEntry.Segment> segments = null;
    if (records.containsKey("GNU.sparse.major")) {
      path = records.getOrDefault("GNU.sparse.name", path);
      size = longRecord(records, "GNU.sparse.realsize", -1);
      segments = readMap(source, size, archivedBytes);
    }
    FileType type =
        switch (header[156]) {
          case '0', 0, '1', '7' -> FileType.REGULAR;
          case '2' -> FileType.SYMBOLIC_LINK;
          case '3' -> FileType.CHARACTER_DEVICE;
          case '4' -> FileType.BLOCK_DEVICE;
          case '5' -> FileType.DIRECTORY;
          case '6' -> FileType.FIFO;
          default ->
              throw new IOException(
                  "member type " + header[156] + " of " + PathBytes.printable(path));
        };
    int end = path.length;
    while (end > 1 && path[end - 1] == '/') {
      end--;
    }
    long seconds = number(header, 136, 12);
    int nanos = 0;
    byte[] time = records.get("mtime");
    if (time != null) {
      long[] parsed = parseTime(new String(time, StandardCharsets.US_ASCII));
      seconds = parsed[0];
      nanos = (int) parsed[1];
    }
    return new TreeEntry(
        Arrays.copyOf(path, end),
        type,
        header[156] == '1',
        (int) number(header, 100, 8) & 07777,
        (int) longRecord(records, "uid", number(header, 108, 8)),
        (int) longRecord(records, "gid", number(header, 116, 8)),
        seconds,
        nanos,
        type == FileType.REGULAR && header[156] != '1' ? size : 0,
        records.getOrDefault("linkpath", terminated(header, 157, 100)),
        (int) number(header, 329, 8),
        (int) number(header, 337, 8),
        List.copyOf(attributes),
        segments);
  }

  private static List<TreeEntry.Segment> readMap(Source source, long size, long archivedBytes)
      throws IOException {
    MapReader map = new MapReader(source);
    long count = map.number();
    if (count > MAX_SEGMENTS) {
      throw new IOException("sparse file of " + count + " segments, at most " + MAX_SEGMENTS);
    }
    List<TreeEntry.Segment> segments = new ArrayList<>();
    long end = 0;
    long data = 0;
    for (long i = 0; i < count; i++) {
      long offset = map.number();
      long length = map.number();
      if (offset < end || length < 0 || length > size - offset) {
        throw new IOException(
            "sparse segment " + offset + "+" + length + " of a file of " + size + " bytes");
      }
      end = offset + length;
      data += length;
      segments.add(new TreeEntry.Segment(offset, length));
    }
    if (data != archivedBytes - map.bytesRead) {
      throw new IOException(
          "sparse map of " + data + " bytes, archived are " + (archivedBytes - map.bytesRead));
    }
    return segments;
  }

  /** Reads the decimal numbers of a sparse map block by block. */
  private static final class MapReader {
    private final Source source;
    private final byte[] block = new byte[BLOCK_BYTES];
    private int at = BLOCK_BYTES;
    private long bytesRead;

    MapReader(Source source) {
      this.source = source;
    }

    long number() throws IOException {
      long value = 0;
      for (int digits = 0; digits <= 19; digits++) {
        if (at == BLOCK_BYTES) {
          source.readFully(block, BLOCK_BYTES);
          bytesRead += BLOCK_BYTES;
          at = 0;
        }
        byte b = block[at++];
        if (b == '\n' && digits > 0) {
          return value;
        }
        if (b < '0' || b > '9') {
          break;
        }
        value = value * 10 + (b - '0');
      }
      throw new IOException(
          "sparse map holds no number at byte " + (bytesRead - BLOCK_BYTES + at - 1));
    }
  }

  private static void parseRecords(
      byte[] body, int length, Map<String, byte[]> records, List<TreeEntry.Attribute> attributes)
      throws IOException {
    int at = 0;
    while (at < length) {
      int recordLength = 0;
      int digit = at;
      while (digit < length && digit < at + 8 && body[digit] >= '0' && body[digit] <= '9') {
        recordLength = recordLength * 10 + (body[digit++] - '0');
      }
      int end = at + recordLength;
      if (recordLength < 5 || end > length || body[digit] != ' ' || body[end - 1] != '\n') {
        throw new IOException("extended header record at " + at + " is malformed");
      }
      int equals = digit + 1;
      while (equals < end && body[equals] != '=') {
        equals++;
      }
      if (equals == end) {
        throw new IOException("extended header record at " + at + " has no value");
      }
      byte[] key = Arrays.copyOfRange(body, digit + 1, equals);
      byte[] value = Arrays.copyOfRange(body, equals + 1, end - 1);
      String keyText = new String(key, StandardCharsets.ISO_8859_1);
      if (keyText.startsWith(ATTRIBUTE_PREFIX)) {
        attributes.add(
            new TreeEntry.Attribute(
                Arrays.copyOfRange(key, ATTRIBUTE_PREFIX.length(), key.length), value));
      } else {
        records.put(keyText, value);
      }
      at = end;
    }
  }

  private static void checkHeader(byte[] header) throws IOException {
    long stored = number(header, 148, 8);
    if (stored != checksum(header)) {
      throw new IOException(
          "member header: checksum " + stored + " stored, " + checksum(header) + " computed");
    }
  }

  private static long number(byte[] header, int offset, int width) throws IOException {
    long value = 0;
    int at = offset;
    while (at < offset + width && header[at] == ' ') {
      at++;
    }
    for (; at < offset + width && header[at] != 0 && header[at] != ' '; at++) {
      if (header[at] < '0' || header[at] > '7') {
        throw new IOException("member header: no octal number at byte " + offset);
      }
      value = (value << 3) | (header[at] - '0');
    }
    return value;
  }

  private static long longRecord(Map<String, byte[]> records, String key, long otherwise)
      throws IOException {
    byte[] value = records.get(key);
    if (value == null) {
      return otherwise;
    }
    try {
      long number = Long.parseLong(new String(value, StandardCharsets.US_ASCII));
      if (number >= 0) {
        return number;
      }
    } catch (NumberFormatException e) {
      // Falls through: the message below names the value.
    }
    throw new IOException(
        "extended header: " + key + " is '" + PathBytes.printable(value) + "', no number");
  }

  private static long[] parseTime(String text) throws IOException {
    if (!TIME.matcher(text).matches()) {
      throw new IOException("extended header: mtime is '" + text + "', no time");
    }
    try {
      BigDecimal value = new BigDecimal(text);
      BigDecimal floor = value.setScale(0, RoundingMode.FLOOR);
      return new long[] {
        floor.longValueExact(),
        value.subtract(floor).movePointRight(9).setScale(0, RoundingMode.FLOOR).intValueExact()
      };
    } catch (ArithmeticException | NumberFormatException e) {
      throw new IOException("extended header: mtime is '" + text + "', no time", e);
    }
  }

  private static byte[] joinedName(byte[] header) {
    byte[] name = terminated(header, 0, 100);
    byte[] prefix = terminated(header, 345, 155);
    return prefix.length == 0 ? name : PathBytes.join(prefix, name);
  }

  private static byte[] terminated(byte[] header, int offset, int width) {
    int end = offset;
    while (end < offset + width && header[end] != 0) {
      end++;
    }
    return Arrays.copyOfRange(header, offset, end);
  }

  private static boolean isAscii(byte[] bytes) {
    for (byte b : bytes) {
      if (b < 0) {
        return false;
      }
    }
    return true;
  }

  private static boolean isUtf8(byte[] bytes) {
    try {
      StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes));
      return true;
    } catch (CharacterCodingException e) {
      return false;
    }
  }
}
