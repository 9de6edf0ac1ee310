package onefold.appliance.json;

import java.util.Map;

/** Writes values on one line. */
final class JsonWriter {
  private JsonWriter() {}

  static void write(Json value, StringBuilder target) {
    switch (value) {
      case JsonObject object -> {
        target.append('{');
        String separator = "";
        for (Map.Entry<String, Json> field : object.fields().entrySet()) {
          target.append(separator);
          quote(field.getKey(), target);
          target.append(':');
          write(field.getValue(), target);
          separator = ",";
        }
        target.append('}');
      }
      case JsonArray array -> {
        target.append('[');
        String separator = "";
        for (Json element : array.values()) {
          target.append(separator);
          write(element, target);
          separator = ",";
        }
        target.append(']');
      }
      case Json.Text(String text) -> quote(text, target);
      case Json.Numeral(String literal) -> target.append(literal);
      case Json.Bool(boolean bool) -> target.append(bool);
      case Json.Null() -> target.append("null");
    }
  }

  private static void quote(String text, StringBuilder target) {
    target.append('"');
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      switch (c) {
        case '"' -> target.append("\\\"");
        case '\\' -> target.append("\\\\");
        case '\n' -> target.append("\\n");
        case '\r' -> target.append("\\r");
        case '\t' -> target.append("\\t");
        default -> {
          if (c < 0x20 || c == 0x7f || (Character.isSurrogate(c) && !isPaired(text, i))) {
            target.append(String.format("\\u%04x", (int) c));
          } else {
            target.append(c);
          }
        }
      }
    }
    target.append('"');
  }

  private static boolean isPaired(String text, int index) {
    char c = text.charAt(index);
    return Character.isHighSurrogate(c)
        ? index + 1 < text.length() && Character.isLowSurrogate(text.charAt(index + 1))
        : index > 0 && Character.isHighSurrogate(text.charAt(index - 1));
  }
}
