package onefold.appliance.json;

/** Reads one document, strictly. */
final class JsonParser {
  private final String text;
  private int position;
  private int depth;

  JsonParser(String text) {
    if (text.length() > Json.MAX_DOCUMENT_CHARS) {
      throw new JsonException(
          "document of " + text.length() + " characters, at most " + Json.MAX_DOCUMENT_CHARS);
    }
    this.text = text;
  }

  Json document() {
    Json value = value();
    skipBlanks();
    if (position < text.length()) {
      throw error("the end");
    }
    return value;
  }

  private Json value() {
    skipBlanks();
    if (position >= text.length()) {
      throw error("a value");
    }
    char c = text.charAt(position);
    return switch (c) {
      case '{' -> object();
      case '[' -> array();
      case '"' -> new Json.Text(string());
      case 't' -> word("true", new Json.Bool(true));
      case 'f' -> word("false", new Json.Bool(false));
      case 'n' -> word("null", new Json.Null());
      default -> number();
    };
  }

  private JsonObject object() {
    enter();
    JsonObject object = new JsonObject();
    position++;
    skipBlanks();
    if (!take('}')) {
      do {
        skipBlanks();
        if (position >= text.length() || text.charAt(position) != '"') {
          throw error("a field's name");
        }
        String name = string();
        if (object.fields().containsKey(name)) {
          throw new JsonException("field '" + name + "' stands twice");
        }
        skipBlanks();
        expect(':');
        object.put(name, value());
        skipBlanks();
      } while (take(','));
      expect('}');
    }
    depth--;
    return object;
  }

  private JsonArray array() {
    enter();
    JsonArray array = new JsonArray();
    position++;
    skipBlanks();
    if (!take(']')) {
      do {
        array.add(value());
        skipBlanks();
      } while (take(','));
      expect(']');
    }
    depth--;
    return array;
  }

  private void enter() {
    if (++depth > Json.MAX_DEPTH) {
      throw new JsonException("nested deeper than " + Json.MAX_DEPTH);
    }
  }

  private Json word(String word, Json value) {
    if (!text.startsWith(word, position)) {
      throw error("a value");
    }
    position += word.length();
    return value;
  }

  private Json number() {
    int start = position;
    take('-');
    int digits = digits();
    if (digits == 0 || (digits > 1 && text.charAt(position - digits) == '0')) {
      position = start;
      throw error("a value");
    }
    if (take('.') && digits() == 0) {
      throw error("a digit");
    }
    if (take('e') || take('E')) {
      if (!take('+')) {
        take('-');
      }
      if (digits() == 0) {
        throw error("a digit");
      }
    }
    return new Json.Numeral(text.substring(start, position));
  }

  private int digits() {
    int start = position;
    while (position < text.length()
        && text.charAt(position) >= '0'
        && text.charAt(position) <= '9') {
      position++;
    }
    return position - start;
  }

  private String string() {
    StringBuilder value = new StringBuilder();
    position++;
    while (true) {
      if (position >= text.length()) {
        throw error("a closing quote");
      }
      char c = text.charAt(position++);
      if (c == '"') {
        return value.toString();
      }
      if (c < 0x20) {
        position--;
        throw error("no control character in a string");
      }
      value.append(c == '\\' ? escape() : c);
    }
  }

  private char escape() {
    if (position >= text.length()) {
      throw error("an escape");
    }
    char c = text.charAt(position++);
    return switch (c) {
      case '"', '\\', '/' -> c;
      case 'b' -> '\b';
      case 'f' -> '\f';
      case 'n' -> '\n';
      case 'r' -> '\r';
      case 't' -> '\t';
      case 'u' -> {
        if (position + 4 > text.length()) {
          throw error("four hexadecimal digits");
        }
        int code = 0;
        for (int i = 0; i < 4; i++) {
          int digit = Character.digit(text.charAt(position + i), 16);
          if (digit < 0) {
            throw error("four hexadecimal digits");
          }
          code = code << 4 | digit;
        }
        position += 4;
        yield (char) code;
      }
      default -> {
        position--;
        throw error("an escape");
      }
    };
  }

  private void skipBlanks() {
    while (position < text.length() && " \t\r\n".indexOf(text.charAt(position)) >= 0) {
      position++;
    }
  }

  private boolean take(char wanted) {
    if (position < text.length() && text.charAt(position) == wanted) {
      position++;
      return true;
    }
    return false;
  }

  private void expect(char wanted) {
    if (!take(wanted)) {
      throw error("'" + wanted + "'");
    }
  }

  private JsonException error(String expected) {
    String found =
        position < text.length()
            ? "'" + text.substring(position, Math.min(text.length(), position + 12)) + "'"
            : "the end";
    return new JsonException(
        "at character " + position + ": expected " + expected + ", found " + found);
  }
}
