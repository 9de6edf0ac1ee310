package onefold.appliance.cli;

import java.io.IOException;
import java.util.List;
import java.util.function.Function;
import onefold.appliance.json.JsonObject;

/** Lists everything of one kind that the REST door has under one heading, as a table. */
abstract class ListAll extends ApplianceVerb {
  private final String heading;
  private final Function<List<JsonObject>, List<String>> table;

  /**
   * @param heading where the kind stands in the REST door, and its field in the answer: {@code
   *     stores}
   * @param table makes the lines
   */
  ListAll(Environment environment, String heading, Function<List<JsonObject>, List<String>> table) {
    super(environment);
    this.heading = heading;
    this.table = table;
  }

  @Override
  public Integer call() throws IOException, Failure {
    try (RestClient rest = rest()) {
      JsonObject all = rest.get("/" + heading);
      table.apply(all.array(heading).objects()).forEach(this::say);
      result(all);
    }
    return Exit.DONE;
  }
}
