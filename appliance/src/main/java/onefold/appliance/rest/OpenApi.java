package onefold.appliance.rest;

import java.util.List;
import java.util.Locale;
import onefold.appliance.json.JsonArray;
import onefold.appliance.json.JsonObject;

/** The OpenAPI 3.1 document of a table of operations. */
final class OpenApi {
  private OpenApi() {}

  static JsonObject document(List<Operation> operations, String version) {
    JsonObject paths = new JsonObject();
    for (Operation operation : operations) {
      String path = operation.template().replace("...}", "}");
      JsonObject methods = paths.object(path);
      methods.put(operation.method().toLowerCase(Locale.ROOT), describe(operation));
      paths.put(path, methods);
    }
    return new JsonObject()
        .put("openapi", "3.1.0")
        .put(
            "info",
            new JsonObject()
                .put("title", "Onefold")
                .put("version", version)
                .put(
                    "description",
                    "Management of a Onefold appliance. Log in with two requests of one"
                        + " SCRAM-SHA-256-PLUS conversation (channel binding tls-server-end-point),"
                        + " then send the token as 'Authorization: Bearer TOKEN'. Requests that"
                        + " change something take the header 'Idempotency-Key' (32 hexadecimal"
                        + " digits): repeated with the same one they give the first answer."))
        .put("servers", new JsonArray().add(new JsonObject().put("url", Api.PREFIX)))
        .put("paths", paths)
        .put(
            "components",
            new JsonObject()
                .put(
                    "securitySchemes",
                    new JsonObject()
                        .put("token", new JsonObject().put("type", "http").put("scheme", "bearer")))
                .put(
                    "schemas",
                    new JsonObject()
                        .put(
                            "Error",
                            object(
                                List.of(
                                    Operation.Field.required(
                                        "error", "object", "code and message"))))));
  }

  private static JsonObject describe(Operation operation) {
    JsonArray parameters = new JsonArray();
    for (String part : operation.template().split("/", -1)) {
      if (part.startsWith("{")) {
        String name = part.substring(1, part.length() - 1).replace("...", "");
        parameters.add(parameter(name, "path", "string", true, "name; percent-encoded"));
      }
    }
    for (Operation.Field field : operation.query()) {
      parameters.add(
          parameter(field.name(), "query", field.type(), field.required(), field.description()));
    }
    JsonObject described =
        new JsonObject().put("operationId", operation.id()).put("summary", operation.summary());
    if (!parameters.values().isEmpty()) {
      described.put("parameters", parameters);
    }
    if (!operation.body().isEmpty()) {
      described.put(
          "requestBody",
          new JsonObject()
              .put("required", operation.body().stream().anyMatch(Operation.Field::required))
              .put("content", json(object(operation.body()))));
    }
    described.put(
        "responses",
        new JsonObject()
            .put(
                "200",
                new JsonObject()
                    .put("description", "done")
                    .put("content", json(new JsonObject().put("type", "object"))))
            .put(
                "default",
                new JsonObject()
                    .put("description", "refused; the message says why and what would be right")
                    .put(
                        "content",
                        json(new JsonObject().put("$ref", "#/components/schemas/Error")))));
    JsonArray security = new JsonArray();
    if (operation.caller() != Operation.Caller.ANYBODY) {
      security.add(new JsonObject().put("token", new JsonArray()));
    }
    return described.put("security", security);
  }

  private static JsonObject parameter(
      String name, String in, String type, boolean required, String description) {
    return new JsonObject()
        .put("name", name)
        .put("in", in)
        .put("required", required)
        .put("description", description)
        .put("schema", new JsonObject().put("type", type));
  }

  private static JsonObject json(JsonObject schema) {
    return new JsonObject().put("application/json", new JsonObject().put("schema", schema));
  }

  private static JsonObject object(List<Operation.Field> fields) {
    JsonObject properties = new JsonObject();
    JsonArray required = new JsonArray();
    for (Operation.Field field : fields) {
      JsonObject property =
          new JsonObject().put("type", field.type()).put("description", field.description());
      if (field.type().equals("array")) {
        property.put("items", new JsonObject().put("type", "string"));
      }
      properties.put(field.name(), property);
      if (field.required()) {
        required.add(new onefold.appliance.json.Json.Text(field.name()));
      }
    }
    JsonObject schema = new JsonObject().put("type", "object").put("properties", properties);
    return required.values().isEmpty() ? schema : schema.put("required", required);
  }
}
