package onefold.appliance.json;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/** A JSON object; fields keep the order in which they were put. */
public final class JsonObject implements Json {
  private final Map<String, Json> fields = new LinkedHashMap<>();

  public Map<String, Json> fields() {
    return Collections.unmodifiableMap(fields);
  }

  public JsonObject put(String name, Json value) {
    fields.put(name, value);
    return this;
  }

  public JsonObject put(String name, String value) {
    return put(name, new Text(value));
  }

  public JsonObject put(String name, long value) {
    return put(name, new Numeral(Long.toString(value)));
  }

  public JsonObject put(String name, double value) {
    return put(name, new Numeral(Double.isFinite(value) ? Double.toString(value) : "0"));
  }

  public JsonObject put(String name, boolean value) {
    return put(name, new Bool(value));
  }

  public boolean has(String name) {
    return fields.containsKey(name) && !(fields.get(name) instanceof Null);
  }

  /**
   * Returns a string field.
   *
   * @throws JsonException if it is not there or no string
   */
  public String text(String name) {
    return optionalText(name).orElseThrow(() -> missing(name, "a string"));
  }

  /**
   * Returns a string field, empty if it is not there or null.
   *
   * @throws JsonException if it is another value
   */
  public Optional<String> optionalText(String name) {
    if (!has(name)) {
      return Optional.empty();
    }
    if (fields.get(name) instanceof Text text) {
      return Optional.of(text.value());
    }
    throw missing(name, "a string");
  }

  /**
   * Returns a whole number.
   *
   * @throws JsonException if it is not there or no whole number
   */
  public long number(String name) {
    if (fields.get(name) instanceof Numeral number) {
      return number.asLong();
    }
    throw missing(name, "a number");
  }

  /** Returns a whole number, or {@code otherwise} if it is not there or null. */
  public long number(String name, long otherwise) {
    return has(name) ? number(name) : otherwise;
  }

  /** Returns true or false, or {@code otherwise} if it is not there or null. */
  public boolean bool(String name, boolean otherwise) {
    if (!has(name)) {
      return otherwise;
    }
    if (fields.get(name) instanceof Bool bool) {
      return bool.value();
    }
    throw missing(name, "true or false");
  }

  /**
   * Returns an object field; an empty object if it is not there or null.
   *
   * @throws JsonException if it is another value
   */
  public JsonObject object(String name) {
    if (!has(name)) {
      return new JsonObject();
    }
    if (fields.get(name) instanceof JsonObject object) {
      return object;
    }
    throw missing(name, "an object");
  }

  /**
   * Returns an array field; an empty array if it is not there or null.
   *
   * @throws JsonException if it is another value
   */
  public JsonArray array(String name) {
    if (!has(name)) {
      return new JsonArray();
    }
    if (fields.get(name) instanceof JsonArray array) {
      return array;
    }
    throw missing(name, "an array");
  }

  private JsonException missing(String name, String expected) {
    Json found = fields.get(name);
    return new JsonException(
        "field '"
            + name
            + "' must be "
            + expected
            + (found == null ? " and is not there" : ", found " + found.write()));
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof JsonObject object && object.fields.equals(fields);
  }

  @Override
  public int hashCode() {
    return fields.hashCode();
  }

  @Override
  public String toString() {
    return write();
  }
}
