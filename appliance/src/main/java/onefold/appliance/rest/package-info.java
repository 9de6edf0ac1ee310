/**
 * The HTTPS door: REST below {@code /api/v1}, {@code /health}, {@code /metrics} and {@code
 * /client}.
 *
 * <p>{@link onefold.appliance.rest.Api} is a table of operations over the store's face; from the
 * same table the OpenAPI document is made, so that the two cannot differ. It knows nothing of
 * Spring; {@code HttpDoor} is the only class that does: it starts an embedded Tomcat through Spring
 * Boot and hands requests over.
 *
 * <p>Imports {@code identity}, {@code json}, {@code metrics}, the store's face and the wire's
 * SCRAM. Requests run on virtual threads and may block. Bounds: a body of {@code
 * onefold.appliance.rest.Api#MAX_BODY_BYTES}, {@link onefold.appliance.rest.Tokens#MAX_TOKENS}
 * tokens (the oldest goes), {@link onefold.appliance.rest.Logins#MAX_PENDING} logins under way (the
 * oldest goes).
 */
@NullMarked
package onefold.appliance.rest;

import org.jspecify.annotations.NullMarked;
