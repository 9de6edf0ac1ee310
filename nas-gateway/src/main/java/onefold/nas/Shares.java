package onefold.nas;

import java.io.IOException;
import java.util.List;
import java.util.Optional;
import onefold.store.Id;

/**
 * The shares that are served; what a front-end is given. Shares and settings may change at any
 * time, so each request asks again.
 */
public interface Shares {
  /** All, in order of name. */
  List<Share> list() throws IOException;

  Optional<Share> find(Id shareId) throws IOException;

  Optional<Share> find(String name) throws IOException;
}
