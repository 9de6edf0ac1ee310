package onefold.appliance.rest;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import onefold.appliance.identity.User;
import onefold.appliance.json.JsonObject;
import onefold.store.Id;
import onefold.store.RefusedException;
import onefold.store.RefusedException.Reason;

/**
 * A request whose operation and caller are known.
 *
 * @param path values of the path's parameters
 * @param query the query's parameters with their values in the order sent, at least one each
 * @param body the body; an empty object if there is none
 * @param user who asks
 * @param commandId repeated after a lost answer it gives the first answer
 */
record ApiRequest(
    Map<String, String> path,
    Map<String, List<String>> query,
    JsonObject body,
    User user,
    Id commandId) {
  String pathValue(String name) {
    String value = path.get(name);
    if (value == null) {
      throw new IllegalStateException("no path parameter " + name);
    }
    return value;
  }

  Optional<String> queryValue(String name) {
    return Optional.ofNullable(query.get(name)).map(List::getLast);
  }

  /** Returns the values of a parameter that may be repeated. */
  List<String> queryValues(String name) {
    return query.getOrDefault(name, List.of());
  }

  boolean queryFlag(String name) throws RefusedException {
    String value = queryValue(name).orElse("false");
    return switch (value) {
      case "true" -> true;
      case "false" -> false;
      default ->
          throw new RefusedException(
              Reason.INVALID_REQUEST,
              "parameter '" + name + "' must be true or false, found '" + value + "'");
    };
  }

  int queryNumber(String name, int otherwise, int least, int most) throws RefusedException {
    String value = queryValue(name).orElse(Integer.toString(otherwise));
    try {
      int number = Integer.parseInt(value);
      if (number >= least && number <= most) {
        return number;
      }
    } catch (NumberFormatException e) {
      // Refused below, with the value.
    }
    throw new RefusedException(
        Reason.INVALID_REQUEST,
        "parameter '"
            + name
            + "' must be a number from "
            + least
            + " to "
            + most
            + ", found '"
            + value
            + "'");
  }
}
