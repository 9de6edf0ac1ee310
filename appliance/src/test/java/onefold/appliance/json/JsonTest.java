package onefold.appliance.json;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.SplittableRandom;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.Test;

class JsonTest {
  @RepeatedTest(20)
  void whatIsWrittenIsReadBack() {
    long seed = Long.getLong("onefold.seed", System.nanoTime());
    Json value = random(new SplittableRandom(seed), 0);
    assertEquals(value, Json.parse(value.write()), () -> "onefold.seed=" + seed);
  }

  private static Json random(SplittableRandom random, int depth) {
    return switch (random.nextInt(depth > 4 ? 4 : 6)) {
      case 0 -> new Json.Text(text(random));
      case 1 -> new Json.Numeral(Long.toString(random.nextLong()));
      case 2 -> new Json.Bool(random.nextBoolean());
      case 3 -> new Json.Null();
      case 4 -> {
        JsonArray array = new JsonArray();
        for (int i = random.nextInt(5); i > 0; i--) {
          array.add(random(random, depth + 1));
        }
        yield array;
      }
      default -> {
        JsonObject object = new JsonObject();
        for (int i = random.nextInt(5); i > 0; i--) {
          object.put(text(random), random(random, depth + 1));
        }
        yield object;
      }
    };
  }

  private static String text(SplittableRandom random) {
    StringBuilder text = new StringBuilder();
    for (int i = random.nextInt(12); i > 0; i--) {
      text.append((char) random.nextInt(random.nextBoolean() ? 128 : 65_536));
    }
    return text.toString();
  }

  @Test
  void whatIsNoJsonIsRefusedWithItsPlace() {
    for (String text :
        new String[] {
          "",
          "{",
          "[1,]",
          "{\"a\":1,}",
          "01",
          "1.",
          "+1",
          "nul",
          "\"\\x\"",
          "\"\\u12g4\"",
          "\"a",
          "1 2",
          "{a:1}",
          "\"\t\"",
          "{\"a\":1,\"a\":2}",
          "-",
          "1e"
        }) {
      assertThrows(JsonException.class, () -> Json.parse(text), text);
    }
    var error = assertThrows(JsonException.class, () -> Json.parse("[1, x]"));
    assertTrue(
        String.valueOf(error.getMessage()).contains("character 4"),
        String.valueOf(error.getMessage()));
  }

  @Test
  void depthIsBounded() {
    String deep = "[".repeat(Json.MAX_DEPTH) + "]".repeat(Json.MAX_DEPTH);
    assertEquals(deep, Json.parse(deep).write());
    assertThrows(JsonException.class, () -> Json.parse("[" + deep + "]"));
  }

  @Test
  void fieldsSayWhatTheyShouldBe() {
    JsonObject object = Json.parseObject("{\"n\":1,\"t\":\"x\",\"z\":null}");
    assertEquals(1, object.number("n"));
    assertEquals(5, object.number("z", 5));
    assertEquals("x", object.text("t"));
    var wrong = assertThrows(JsonException.class, () -> object.text("n"));
    assertTrue(
        String.valueOf(wrong.getMessage()).contains("'n' must be a string, found 1"),
        String.valueOf(wrong.getMessage()));
    assertThrows(JsonException.class, () -> object.text("missing"));
    assertThrows(JsonException.class, () -> Json.parseObject("[]"));
    assertThrows(JsonException.class, () -> Json.parseObject("{\"n\":1.5}").number("n"));
  }
}
