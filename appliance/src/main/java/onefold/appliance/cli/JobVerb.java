package onefold.appliance.cli;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Optional;
import onefold.appliance.Size;
import onefold.appliance.json.JsonArray;
import onefold.appliance.json.JsonObject;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/** Jobs: unfinished uploads. */
@Command(
    name = "job",
    description = "Jobs: list unfinished uploads and end them.",
    footer = {"", "Example:", "  ./onefold job ls"})
final class JobVerb extends Group {
  JobVerb(Environment environment) {
    super(new List(environment), new Remove(environment));
  }

  /** Returns the unfinished uploads of one store, or of all that the user may see. */
  private static java.util.List<JsonObject> uploads(RestClient rest, Optional<String> store)
      throws IOException {
    java.util.List<String> stores = new ArrayList<>();
    if (store.isPresent()) {
      stores.add(store.orElseThrow());
    } else {
      for (JsonObject found : rest.get("/stores").array("stores").objects()) {
        stores.add(found.text("name"));
      }
    }
    java.util.List<JsonObject> uploads = new ArrayList<>();
    for (String name : stores) {
      uploads.addAll(
          rest.get("/stores/" + RestClient.encoded(name) + "/uploads").array("uploads").objects());
    }
    return uploads;
  }

  @Command(
      name = "ls",
      description = "List unfinished uploads.",
      footer = {"", "Example:", "  ./onefold job ls default"})
  private static final class List extends ApplianceVerb {
    @Parameters(paramLabel = "STORE", arity = "0..1", description = "Only those of this store.")
    private Optional<String> store = Optional.empty();

    List(Environment environment) {
      super(environment);
    }

    @Override
    public Integer call() throws IOException, Failure {
      try (RestClient rest = rest()) {
        Table table = new Table("JOB", "ITEM", ">DURABLE", "SINCE");
        JsonArray uploads = new JsonArray();
        for (JsonObject upload : uploads(rest, store)) {
          uploads.add(upload);
          table.row(
              upload.text("id"),
              upload.text("store") + "/" + upload.text("item"),
              Size.format(upload.number("durableBytes")),
              Times.show(upload.number("createdAt")));
        }
        table.lines().forEach(this::say);
        result(new JsonObject().put("uploads", uploads));
      }
      return Exit.DONE;
    }
  }

  @Command(
      name = "rm",
      description = "End an unfinished upload; it cannot be resumed after that.",
      footer = {"", "Example:", "  ./onefold job rm 00112233445566778899aabbccddeeff"})
  private static final class Remove extends ApplianceVerb {
    @Parameters(paramLabel = "ID", description = "As ./onefold job ls shows it.")
    private String id = "";

    Remove(Environment environment) {
      super(environment);
    }

    @Override
    public Integer call() throws IOException, Failure {
      try (RestClient rest = rest()) {
        for (JsonObject upload : uploads(rest, Optional.empty())) {
          if (upload.text("id").equals(id)) {
            rest.request(
                "DELETE",
                "/stores/"
                    + RestClient.encoded(upload.text("store"))
                    + "/uploads/"
                    + RestClient.encoded(id),
                new JsonObject());
            say(
                "upload "
                    + id
                    + " of "
                    + upload.text("store")
                    + "/"
                    + upload.text("item")
                    + " is ended");
            result(new JsonObject().put("ended", id));
            return Exit.DONE;
          }
        }
        throw Failure.failed(
            "no unfinished upload has the id " + id + "; ./onefold job ls lists them");
      }
    }
  }
}
