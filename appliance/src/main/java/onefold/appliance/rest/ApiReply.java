package onefold.appliance.rest;

import onefold.appliance.json.Json;
import onefold.appliance.json.JsonObject;

/**
 * A reply.
 *
 * @param status HTTP status
 * @param body JSON
 */
record ApiReply(int status, Json body) {
  static ApiReply ok(Json body) {
    return new ApiReply(200, body);
  }

  static ApiReply created(Json body) {
    return new ApiReply(201, body);
  }

  static ApiReply done() {
    return new ApiReply(200, new JsonObject());
  }

  /** A refusal: its code is a word to switch on, its message may be shown to the user as it is. */
  static ApiReply error(int status, String code, String message) {
    return new ApiReply(
        status,
        new JsonObject().put("error", new JsonObject().put("code", code).put("message", message)));
  }
}
