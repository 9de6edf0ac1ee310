package onefold.appliance.json;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/** A JSON array. */
public final class JsonArray implements Json {
  private final List<Json> values = new ArrayList<>();

  /** Makes an array of strings. */
  public static JsonArray ofTexts(Iterable<String> texts) {
    JsonArray array = new JsonArray();
    for (String text : texts) {
      array.add(new Text(text));
    }
    return array;
  }

  public List<Json> values() {
    return Collections.unmodifiableList(values);
  }

  public JsonArray add(Json value) {
    values.add(value);
    return this;
  }

  /**
   * Returns the values, which must all be objects.
   *
   * @throws JsonException if one is not
   */
  public List<JsonObject> objects() {
    List<JsonObject> objects = new ArrayList<>(values.size());
    for (Json value : values) {
      if (!(value instanceof JsonObject object)) {
        throw new JsonException("expected an object in an array, found " + value.write());
      }
      objects.add(object);
    }
    return objects;
  }

  /**
   * Returns the values, which must all be strings.
   *
   * @throws JsonException if one is not
   */
  public List<String> texts() {
    List<String> texts = new ArrayList<>(values.size());
    for (Json value : values) {
      if (!(value instanceof Text text)) {
        throw new JsonException("expected a string in an array, found " + value.write());
      }
      texts.add(text.value());
    }
    return texts;
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof JsonArray array && array.values.equals(values);
  }

  @Override
  public int hashCode() {
    return values.hashCode();
  }

  @Override
  public String toString() {
    return write();
  }
}
