package onefold.appliance.cli;

import java.io.IOException;
import java.util.List;
import java.util.function.Function;
import onefold.appliance.json.JsonObject;
import picocli.CommandLine.Parameters;

/** Shows one thing that has a name, as a table of one row. */
abstract class ShowOne extends ApplianceVerb {
  private final String heading;
  private final Function<List<JsonObject>, List<String>> table;

  @Parameters(paramLabel = "NAME", description = "Its name.")
  private String name = "";

  /**
   * @param heading where the kind stands in the REST door: {@code stores}
   * @param table makes the lines
   */
  ShowOne(Environment environment, String heading, Function<List<JsonObject>, List<String>> table) {
    super(environment);
    this.heading = heading;
    this.table = table;
  }

  @Override
  public Integer call() throws IOException, Failure {
    try (RestClient rest = rest()) {
      JsonObject found = rest.get("/" + heading + "/" + RestClient.encoded(name));
      table.apply(List.of(found)).forEach(this::say);
      result(found);
    }
    return Exit.DONE;
  }
}
