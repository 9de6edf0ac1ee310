package onefold.chunker;

import java.util.Locale;

/**
 * Which form of the cut rule a process runs; all cut the same places. Chosen once a process: {@code
 * -Donefold.cutter=scalar}, {@code plain} or {@code vector}, else adaptive.
 */
enum CutterForm {
  SCALAR {
    @Override
    Cutter cutter(CutRule rule) {
      return new ScalarCutter(rule);
    }
  },
  PLAIN {
    @Override
    Cutter cutter(CutRule rule) {
      return new PlainCutter(rule);
    }
  },
  VECTOR {
    @Override
    Cutter cutter(CutRule rule) {
      return new VectorCutter(rule);
    }
  },
  /** Plain at first, vectors when the process has cut enough and vectors are fast here. */
  ADAPTIVE {
    @Override
    Cutter cutter(CutRule rule) {
      return new AdaptiveCutter(rule);
    }
  };

  /** Name of the system property that forces one. */
  static final String PROPERTY = "onefold.cutter";

  /** Narrower vectors are not faster than the plain form. */
  private static final int LEAST_VECTOR_BITS = 256;

  private static final CutterForm CHOSEN = choose(System.getProperty(PROPERTY, ""));

  /** Returns the form that this process uses. */
  static CutterForm chosen() {
    return CHOSEN;
  }

  abstract Cutter cutter(CutRule rule);

  private static CutterForm choose(String wanted) {
    return switch (wanted.toLowerCase(Locale.ROOT)) {
      case "scalar" -> SCALAR;
      case "plain" -> PLAIN;
      case "vector" -> VECTOR;
      case "" -> ADAPTIVE;
      default ->
          throw new IllegalArgumentException(
              PROPERTY + "=" + wanted + ", must be scalar, plain or vector or not be set");
    };
  }

  /**
   * Says whether vectors are wide and compiled: the module is an incubating one that must be asked
   * for, and only the optimising compiler turns its calls into instructions, without which they are
   * a hundred times slower.
   */
  static boolean vectorsPay() {
    String mode = System.getProperty("java.vm.info", "");
    return ModuleLayer.boot().findModule("jdk.incubator.vector").isPresent()
        && mode.startsWith("mixed mode")
        && !mode.contains("emulated-client")
        && VectorCutter.vectorBits() >= LEAST_VECTOR_BITS;
  }
}
