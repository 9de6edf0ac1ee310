package onefold.appliance.json;

/** A JSON value. */
public sealed interface Json
    permits JsonObject, JsonArray, Json.Text, Json.Numeral, Json.Bool, Json.Null {
  /** Most characters of a document that {@link #parse} takes. */
  int MAX_DOCUMENT_CHARS = 16 << 20;

  /** Deepest nesting that {@link #parse} takes. */
  int MAX_DEPTH = 64;

  /** A string. */
  record Text(String value) implements Json {}

  /** A number as it was written. */
  record Numeral(String literal) implements Json {
    /**
     * Returns the whole number.
     *
     * @throws JsonException if it is no whole number of 64 bits
     */
    public long asLong() {
      try {
        return Long.parseLong(literal);
      } catch (NumberFormatException e) {
        throw new JsonException("number " + literal + " is not a whole number of 64 bits", e);
      }
    }

    public double asDouble() {
      return Double.parseDouble(literal);
    }
  }

  /** True or false. */
  record Bool(boolean value) implements Json {}

  /** The word null. */
  record Null() implements Json {}

  /**
   * Reads one document.
   *
   * @throws JsonException if it is not exactly one JSON value within the bounds
   */
  static Json parse(String document) {
    return new JsonParser(document).document();
  }

  /**
   * Reads one document that must be an object.
   *
   * @throws JsonException as {@link #parse}, or if it is another value
   */
  static JsonObject parseObject(String document) {
    if (parse(document) instanceof JsonObject object) {
      return object;
    }
    throw new JsonException("expected a JSON object");
  }

  /** Writes the value on one line. */
  default String write() {
    StringBuilder target = new StringBuilder();
    JsonWriter.write(this, target);
    return target.toString();
  }
}
