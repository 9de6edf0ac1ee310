package onefold.block;

import com.github.luben.zstd.util.Native;
import java.util.Locale;
import net.jpountz.lz4.LZ4Factory;

/**
 * Which implementation of the codecs a process uses; both read what the other writes. Chosen once a
 * process: {@code -Donefold.codec=java} or {@code native}, else native where its libraries load.
 */
public enum CodecProvider {
  /** The reference libraries through JNI. */
  NATIVE,
  /** Plain Java. */
  JAVA;

  /** Name of the system property that forces one. */
  public static final String PROPERTY = "onefold.codec";

  private static final CodecProvider CHOSEN = choose(System.getProperty(PROPERTY, ""));

  /** Returns the implementation that this process uses. */
  public static CodecProvider chosen() {
    return CHOSEN;
  }

  PayloadCodec lz4() {
    LZ4Factory factory =
        switch (this) {
          case NATIVE -> LZ4Factory.nativeInstance();
          case JAVA -> LZ4Factory.safeInstance();
        };
    return new Lz4PayloadCodec(factory);
  }

  PayloadCodec zstd(int level) {
    return switch (this) {
      case NATIVE -> new NativeZstdPayloadCodec(level);
      case JAVA -> new JavaZstdPayloadCodec();
    };
  }

  private static CodecProvider choose(String wanted) {
    return switch (wanted.toLowerCase(Locale.ROOT)) {
      case "java" -> JAVA;
      case "native" -> NATIVE;
      case "" -> nativeLibrariesLoad() ? NATIVE : JAVA;
      default ->
          throw new IllegalArgumentException(
              PROPERTY + "=" + wanted + ", must be java or native or not be set");
    };
  }

  private static boolean nativeLibrariesLoad() {
    try {
      LZ4Factory.nativeInstance();
      Native.load();
      return Native.isLoaded();
    } catch (LinkageError e) {
      return false;
    }
  }
}
