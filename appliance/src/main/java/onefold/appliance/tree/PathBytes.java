package onefold.appliance.tree;

import java.io.ByteArrayOutputStream;
import java.net.URI;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;

/** File names as the kernel has them: bytes without NUL, of any or no encoding. */
public final class PathBytes {
  private PathBytes() {}

  /**
   * Returns the bytes of a path given on the command line, which the JVM decoded with the locale's
   * charset.
   */
  public static byte[] of(Path path) {
    // A Path keeps the platform's bytes; only its URI shows them unharmed, percent-encoded.
    String raw = path.toAbsolutePath().normalize().toUri().getRawPath();
    ByteArrayOutputStream bytes = new ByteArrayOutputStream(raw.length());
    for (int i = 0; i < raw.length(); i++) {
      char c = raw.charAt(i);
      if (c == '%') {
        bytes.write(Integer.parseInt(raw, i + 1, i + 3, 16));
        i += 2;
      } else {
        bytes.write(c);
      }
    }
    byte[] result = bytes.toByteArray();
    // The URI of an existing directory ends in a slash.
    return result.length > 1 && result[result.length - 1] == '/'
        ? Arrays.copyOf(result, result.length - 1)
        : result;
  }

  /** Returns the bytes of a relative path given on the command line. */
  public static byte[] ofText(String relative) {
    byte[] absolute = of(Path.of("/" + relative));
    return Arrays.copyOfRange(absolute, 1, absolute.length);
  }

  /** Returns the path with exactly these bytes, whatever the locale. */
  public static Path toPath(byte[] absolute) {
    StringBuilder uri = new StringBuilder("file://");
    for (byte b : absolute) {
      int value = b & 0xff;
      boolean plain =
          value == '/'
              || (value >= '0' && value <= '9')
              || (value >= 'A' && value <= 'Z')
              || (value >= 'a' && value <= 'z');
      if (plain) {
        uri.append((char) value);
      } else {
        uri.append('%')
            .append(Character.forDigit(value >> 4, 16))
            .append(Character.forDigit(value & 15, 16));
      }
    }
    return Path.of(URI.create(uri.toString()));
  }

  /**
   * Returns the name for people: UTF-8 where it is valid, other bytes and control characters as
   * {@code \xNN}.
   */
  public static String printable(byte[] path) {
    try {
      String text =
          StandardCharsets.UTF_8
              .newDecoder()
              .onMalformedInput(CodingErrorAction.REPORT)
              .onUnmappableCharacter(CodingErrorAction.REPORT)
              .decode(ByteBuffer.wrap(path))
              .toString();
      if (text.codePoints().noneMatch(Character::isISOControl)) {
        return text;
      }
    } catch (CharacterCodingException e) {
      // Falls through to the escaped form: the name is no text.
    }
    StringBuilder escaped = new StringBuilder();
    for (byte b : path) {
      int value = b & 0xff;
      if (value >= 0x20 && value < 0x7f) {
        escaped.append((char) value);
      } else {
        escaped
            .append("\\x")
            .append(Character.forDigit(value >> 4, 16))
            .append(Character.forDigit(value & 15, 16));
      }
    }
    return escaped.toString();
  }

  /** Joins a directory and a name; an empty directory gives the name alone. */
  static byte[] join(byte[] directory, byte[] name) {
    if (directory.length == 0) {
      return name;
    }
    boolean slash = directory[directory.length - 1] == '/';
    byte[] joined = Arrays.copyOf(directory, directory.length + (slash ? 0 : 1) + name.length);
    if (!slash) {
      joined[directory.length] = '/';
    }
    System.arraycopy(name, 0, joined, joined.length - name.length, name.length);
    return joined;
  }

  /** Returns what follows the last slash. */
  static byte[] lastName(byte[] path) {
    int slash = path.length - 1;
    while (slash >= 0 && path[slash] != '/') {
      slash--;
    }
    return Arrays.copyOfRange(path, slash + 1, path.length);
  }

  static byte[] utf8(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }
}
