package onefold.appliance.breaches.onefold.appliance.cli;

import io.netty.buffer.ByteBuf;

/** A planted breach; see ModuleMapTest. */
public interface NettyOutsideFrontEnds {
  /** What this package must not know. */
  ByteBuf forbidden();
}
