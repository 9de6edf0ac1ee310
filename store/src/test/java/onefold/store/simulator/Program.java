package onefold.store.simulator;

import java.util.List;
import onefold.store.engine.EngineSettings;

/**
 * What is run: steps, and the settings that make rare branches near.
 *
 * @param seed of every choice that is not in the steps
 */
record Program(long seed, EngineSettings settings, List<Step> steps) {
  Program with(List<Step> fewer) {
    return new Program(seed, settings, fewer);
  }

  @Override
  public String toString() {
    var text = new StringBuilder("seed " + seed + ", " + settings);
    for (int i = 0; i < steps.size(); i++) {
      text.append("\n  ").append(i).append(' ').append(steps.get(i));
    }
    return text.toString();
  }
}
