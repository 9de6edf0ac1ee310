package onefold.appliance.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;
import onefold.appliance.RunningAppliance;
import onefold.appliance.RunningAppliance.Outcome;
import onefold.appliance.context.Contexts;
import onefold.appliance.json.Json;
import onefold.appliance.json.JsonObject;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Listings of items: in every order, by tag, page by page, with and without a server. */
class ListVerbTest {
  @TempDir private Path folder;

  private Path file(String name, int length, long seed) throws IOException {
    byte[] bytes = new byte[length];
    new SplittableRandom(seed).nextBytes(bytes);
    return Files.write(folder.resolve(name), bytes);
  }

  @Test
  void itemsAreListedByTagSizeAndAge() throws IOException, Failure {
    String data = folder.resolve("data").toString();
    List<String> bySize = List.of("day-3", "day-1", "day-5", "day-2", "day-4");
    List<String> even = List.of("day-2", "day-4");
    try (RunningAppliance onefold = RunningAppliance.start(folder)) {
      int[] lengths = {0, 40_000, 20_000, 50_000, 10_000, 30_000};
      for (int day = 1; day <= 5; day++) {
        Path file = file("day" + day, lengths[day], day);
        String even0 = "even=" + (day % 2 == 0);
        onefold.ok("put", file.toString(), "default/day-" + day, "--tag", even0, "--tag", "a==b/c");
      }
      assertEquals(bySize, names(onefold.json("ls", "default", "--sort", "size")));
      List<String> byAge = names(onefold.json("ls", "default", "--sort", "age"));
      assertEquals(List.of("day-5", "day-4", "day-3", "day-2", "day-1"), byAge);
      assertEquals(even, names(onefold.json("ls", "default", "--tag", "even=true")));
      assertEquals(
          List.of("day-3", "day-1"),
          names(
              onefold.json(
                  "ls",
                  "default",
                  "--tag",
                  "even=false",
                  "--tag",
                  "a==b/c",
                  "--sort",
                  "size",
                  "--limit",
                  "2")));
      assertEquals(List.of(), names(onefold.json("ls", "default", "--tag", "even=maybe")));
      String cut = onefold.ok("ls", "default", "--sort", "age", "--limit", "1");
      assertTrue(cut.contains("day-5") && cut.contains("… and more, past --limit 1"), cut);

      // Over REST, page by page.
      try (RestClient rest = rest(onefold)) {
        List<String> paged = new ArrayList<>();
        String after = "";
        boolean more = true;
        while (more) {
          JsonObject page =
              rest.get(
                  "/stores/default/items?sort=size&limit=2&after=" + RestClient.encoded(after));
          paged.addAll(names(page));
          more = page.bool("more", false);
          after = page.optionalText("next").orElse("");
        }
        assertEquals(bySize, paged);
      }
      for (String wrong : List.of("sort=colour", "sort=size&after=x", "tag=x", "tag=a=1&tag=a=2")) {
        try (RestClient rest = rest(onefold)) {
          RestException refused =
              assertThrows(RestException.class, () -> rest.get("/stores/default/items?" + wrong));
          assertEquals("INVALID_REQUEST", refused.code());
        }
      }
      assertEquals(Exit.MISUSED, onefold.run("ls", "default", "--sort", "colour").exitCode());
      assertEquals(Exit.MISUSED, onefold.run("ls", "--sort", "size").exitCode());
      assertEquals(Exit.MISUSED, onefold.run("ls", "default", "--limit", "0").exitCode());
    }
    Outcome offline =
        RunningAppliance.run(
            folder, new byte[0], "ls", "default", "--sort", "size", "--json", "--data", data);
    assertEquals(Exit.DONE, offline.exitCode(), offline.toString());
    assertEquals(bySize, names(Json.parseObject(offline.out())));
    Outcome tagged =
        RunningAppliance.run(
            folder, new byte[0], "ls", "default", "--tag", "even=true", "--json", "--data", data);
    assertEquals(even, names(Json.parseObject(tagged.out())));
  }

  private RestClient rest(RunningAppliance onefold) throws IOException, Failure {
    return RestClient.open(
        new Contexts(folder, Optional.empty(), Optional.empty(), Contexts::connects)
            .find(Optional.of(onefold.appliance().contextFile())));
  }

  private static List<String> names(JsonObject listing) {
    return listing.array("items").objects().stream().map(item -> item.text("name")).toList();
  }
}
