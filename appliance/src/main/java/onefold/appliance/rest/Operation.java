package onefold.appliance.rest;

import java.io.IOException;
import java.util.List;

/**
 * One thing the REST door does: a row of the table from which requests are routed and the OpenAPI
 * document is made.
 *
 * @param method GET, POST, PATCH, PUT or DELETE
 * @param template path below {@code /api/v1}; {@code {name}} is one part, {@code {name...}} the
 *     rest
 * @param caller who may ask
 * @param id the operation's name
 * @param summary one sentence
 * @param query parameters of the query
 * @param body fields of the body
 * @param handler what answers
 */
record Operation(
    String method,
    String template,
    Caller caller,
    String id,
    String summary,
    List<Field> query,
    List<Field> body,
    Handler handler) {
  /** Who may ask. */
  enum Caller {
    /** Anybody, without a token. */
    ANYBODY,
    /** Whoever has logged in; the handler checks the store. */
    USER,
    /** An administrator. */
    ADMINISTRATOR
  }

  /**
   * A parameter or field.
   *
   * @param type string, integer, boolean, array (of strings) or object
   */
  record Field(String name, String type, boolean required, String description) {
    static Field of(String name, String type, String description) {
      return new Field(name, type, false, description);
    }

    static Field required(String name, String type, String description) {
      return new Field(name, type, true, description);
    }
  }

  /** What answers a request. */
  @FunctionalInterface
  interface Handler {
    ApiReply handle(ApiRequest request) throws IOException;
  }
}
