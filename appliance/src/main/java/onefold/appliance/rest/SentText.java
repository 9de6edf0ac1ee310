package onefold.appliance.rest;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;

/**
 * Text as callers send it. Bytes that are no UTF-8 are refused: what stands in their place would be
 * another name than the one that was meant.
 */
final class SentText {
  private SentText() {}

  /**
   * Decodes bytes.
   *
   * @param what for the message
   * @throws IllegalArgumentException if they are no UTF-8
   */
  static String of(byte[] bytes, String what) {
    try {
      return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
    } catch (CharacterCodingException e) {
      throw new IllegalArgumentException(what + " is not valid UTF-8", e);
    }
  }

  /**
   * Decodes one percent-encoded part of a path or query; a plus sign is a plus sign.
   *
   * @throws IllegalArgumentException if the encoding is wrong, or stands for no UTF-8
   */
  static String ofPercentEncoded(String encoded) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream(encoded.length());
    int at = 0;
    while (at < encoded.length()) {
      char c = encoded.charAt(at);
      if (c != '%') {
        int end = encoded.offsetByCodePoints(at, 1);
        bytes.writeBytes(encoded.substring(at, end).getBytes(StandardCharsets.UTF_8));
        at = end;
        continue;
      }
      int high = at + 2 < encoded.length() ? Character.digit(encoded.charAt(at + 1), 16) : -1;
      int low = at + 2 < encoded.length() ? Character.digit(encoded.charAt(at + 2), 16) : -1;
      if (high < 0 || low < 0) {
        throw new IllegalArgumentException("'" + encoded + "' holds a bad percent-encoding");
      }
      bytes.write(high << 4 | low);
      at += 3;
    }
    return of(bytes.toByteArray(), "name '" + encoded + "'");
  }
}
