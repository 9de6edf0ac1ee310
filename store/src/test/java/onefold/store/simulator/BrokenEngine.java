package onefold.store.simulator;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.StringWriter;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.CodeSource;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.LongFunction;
import javax.tools.ForwardingJavaFileManager;
import javax.tools.JavaCompiler;
import javax.tools.JavaFileManager;
import javax.tools.JavaFileObject;
import javax.tools.SimpleJavaFileObject;
import javax.tools.ToolProvider;
import onefold.store.engine.Engine;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeEach;

/**
 * Compiles a {@link Variant} and loads store and simulator anew with it, beside the sound ones.
 *
 * <p>The classes of {@code onefold.store} are loaded by a loader of their own, all others by the
 * one of this class; so each variant has its own statics, and is gone when nobody holds it.
 */
final class BrokenEngine {
  private static final String OWN = "onefold.store.";

  private BrokenEngine() {}

  /**
   * Makes what runs a program of a seed against a variant and answers how it failed, or null.
   *
   * @throws IllegalArgumentException if the variant does not fit the sources, or does not compile
   */
  static LongFunction<@Nullable String> programs(Variant variant) throws IOException {
    return programs(compile(variant));
  }

  /**
   * Runs the test that a variant names, with the broken engine, and answers how it failed, or null.
   */
  static @Nullable String test(Variant variant) throws IOException {
    return test(compile(variant), variant.test());
  }

  /** The same with the sound engine, for comparison. */
  static @Nullable String soundTest(Variant variant) {
    return test(Map.of(), variant.test());
  }

  private static @Nullable String test(Map<String, byte[]> broken, String name) {
    int at = name.indexOf('#');
    try {
      Class<?> type = new Loader(broken).loadClass(name.substring(0, at));
      var constructor = type.getDeclaredConstructor();
      constructor.setAccessible(true);
      Object instance = constructor.newInstance();
      for (Method before : type.getDeclaredMethods()) {
        if (before.isAnnotationPresent(BeforeEach.class)) {
          before.setAccessible(true);
          before.invoke(instance);
        }
      }
      Method method = type.getDeclaredMethod(name.substring(at + 1));
      method.setAccessible(true);
      method.invoke(instance);
      return null;
    } catch (InvocationTargetException e) {
      return String.valueOf(e.getCause());
    } catch (ReflectiveOperationException e) {
      throw new IllegalArgumentException("there is no test " + name, e);
    }
  }

  /** Programs against the sound engine, for comparison. */
  static LongFunction<@Nullable String> sound() {
    return programs(Map.of());
  }

  private static LongFunction<@Nullable String> programs(Map<String, byte[]> broken) {
    try {
      Object made =
          new Loader(broken)
              .loadClass(JudgedProgram.class.getName())
              .getDeclaredConstructor()
              .newInstance();
      @SuppressWarnings("unchecked") // It implements this; the interface is the platform's.
      var programs = (LongFunction<@Nullable String>) made;
      return programs;
    } catch (ReflectiveOperationException e) {
      throw new IllegalStateException(e);
    }
  }

  /**
   * A source of the store, or of what stands in for the disk in its tests; both lie beside what was
   * compiled of them.
   */
  static String source(String path) throws IOException {
    Path module = Path.of(codeOf(Engine.class)).resolve("../..").normalize();
    Path own = module.resolve("src/main/java").resolve(path);
    return Files.readString(
        Files.exists(own) ? own : module.resolve("src/test/java").resolve(path));
  }

  private static String codeOf(Class<?> type) throws IOException {
    CodeSource source = type.getProtectionDomain().getCodeSource();
    if (source == null) {
      throw new IOException(type + " comes from nowhere");
    }
    try {
      return Path.of(source.getLocation().toURI()).toString();
    } catch (URISyntaxException e) {
      throw new IOException("no path: " + source.getLocation(), e);
    }
  }

  // ---- compiling

  private static Map<String, byte[]> compile(Variant variant) throws IOException {
    JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
    var units = new ArrayList<JavaFileObject>();
    for (String path : variant.hunks().keySet()) {
      units.add(new Source(path, variant.patched(path, source(path))));
    }
    var classPath = new ArrayList<String>();
    for (Class<?> type :
        List.of(
            Engine.class,
            BrokenEngine.class,
            onefold.chunker.ParameterSet.class,
            org.jspecify.annotations.NullMarked.class,
            com.google.errorprone.annotations.CanIgnoreReturnValue.class)) {
      classPath.add(codeOf(type));
    }
    var said = new StringWriter();
    var made = new HashMap<String, ByteArrayOutputStream>();
    boolean compiled;
    try (var files = new InMemory(compiler.getStandardFileManager(null, null, null), made)) {
      compiled =
          compiler
              .getTask(
                  said,
                  files,
                  null,
                  List.of(
                      "-proc:none",
                      "-nowarn",
                      "-g",
                      "--add-modules=jdk.incubator.vector",
                      "-cp",
                      String.join(System.getProperty("path.separator"), classPath)),
                  null,
                  units)
              .call();
    }
    if (!compiled) {
      throw new IllegalArgumentException(
          "variant " + variant.name() + " does not compile:\n" + said);
    }
    var classes = new HashMap<String, byte[]>();
    made.forEach((name, bytes) -> classes.put(name, bytes.toByteArray()));
    return classes;
  }

  private static final class Source extends SimpleJavaFileObject {
    private final String text;

    Source(String path, String text) {
      super(URI.create("string:///" + path), Kind.SOURCE);
      this.text = text;
    }

    @Override
    public CharSequence getCharContent(boolean ignoreEncodingErrors) {
      return text;
    }
  }

  private static final class InMemory extends ForwardingJavaFileManager<JavaFileManager> {
    private final Map<String, ByteArrayOutputStream> made;

    InMemory(JavaFileManager files, Map<String, ByteArrayOutputStream> made) {
      super(files);
      this.made = made;
    }

    @Override
    public JavaFileObject getJavaFileForOutput(
        Location location,
        String className,
        JavaFileObject.Kind kind,
        javax.tools.@Nullable FileObject sibling) {
      return new SimpleJavaFileObject(URI.create("bytes:///" + className), kind) {
        @Override
        public OutputStream openOutputStream() {
          var bytes = new ByteArrayOutputStream();
          made.put(className, bytes);
          return bytes;
        }
      };
    }
  }

  // ---- loading

  private static final class Loader extends ClassLoader {
    static {
      registerAsParallelCapable();
    }

    private final ReentrantLock lock = new ReentrantLock();
    private final Map<String, byte[]> broken;

    Loader(Map<String, byte[]> broken) {
      super(BrokenEngine.class.getClassLoader());
      this.broken = broken;
    }

    @Override
    protected Class<?> loadClass(String name, boolean resolve) throws ClassNotFoundException {
      if (!name.startsWith(OWN)) {
        return super.loadClass(name, resolve);
      }
      lock.lock();
      try {
        Class<?> known = findLoadedClass(name);
        return known != null ? known : define(name);
      } finally {
        lock.unlock();
      }
    }

    private Class<?> define(String name) throws ClassNotFoundException {
      byte[] bytes = broken.get(name);
      if (bytes == null) {
        try (InputStream in = getParent().getResourceAsStream(name.replace('.', '/') + ".class")) {
          if (in == null) {
            throw new ClassNotFoundException(name);
          }
          bytes = in.readAllBytes();
        } catch (IOException e) {
          throw new ClassNotFoundException(name, e);
        }
      }
      return defineClass(name, bytes, 0, bytes.length);
    }
  }
}
