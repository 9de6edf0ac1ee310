import com.google.googlejavaformat.java.Formatter;
import com.google.googlejavaformat.java.FormatterException;
import com.google.googlejavaformat.java.ImportOrderer;
import com.google.googlejavaformat.java.JavaFormatterOptions;
import com.google.googlejavaformat.java.RemoveUnusedImports;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;

/**
 * Compares every Java source of the project with what google-java-format makes of it. It runs as a
 * program of its own on the build's JDK because the formatter parses with the JVM it runs on, and
 * Maven's may be too old for the sources.
 *
 * <p>Arguments: {@code check} or {@code write}, then the folders to walk. Exit code 1 names the
 * files that differ.
 */
final class CheckFormat {
  private CheckFormat() {}

  public static void main(String[] arguments) throws IOException {
    boolean write = arguments[0].equals("write");
    List<Path> differing = new ArrayList<>();
    int fileCount = 0;
    for (String folder : Arrays.asList(arguments).subList(1, arguments.length)) {
      for (Path file : sourcesBelow(Path.of(folder))) {
        fileCount++;
        String source = Files.readString(file);
        String wanted = formatted(file, source);
        if (!wanted.equals(source)) {
          differing.add(file);
          if (write) {
            Files.writeString(file, wanted);
          }
        }
      }
    }
    if (fileCount == 0) {
      System.err.println("no Java source found below " + Arrays.toString(arguments));
      System.exit(1);
    }
    System.out.println(
        "format: "
            + fileCount
            + " files, "
            + differing.size()
            + (write ? " rewritten" : " differ"));
    if (!write && !differing.isEmpty()) {
      differing.forEach(file -> System.err.println("not formatted: " + file));
      System.err.println("to format them: mvn -N validate -Dformat=write");
      System.exit(1);
    }
  }

  private static List<Path> sourcesBelow(Path folder) throws IOException {
    try (Stream<Path> files = Files.walk(folder)) {
      return files
          .filter(file -> file.toString().endsWith(".java"))
          .filter(file -> !file.toString().contains("/target/"))
          .sorted()
          .toList();
    }
  }

  private static String formatted(Path file, String source) {
    JavaFormatterOptions options = JavaFormatterOptions.builder().formatJavadoc(true).build();
    try {
      String text = RemoveUnusedImports.removeUnusedImports(source);
      text = ImportOrderer.reorderImports(text, options.style());
      return new Formatter(options).formatSource(text);
    } catch (FormatterException e) {
      throw new IllegalStateException(file + ": " + e.getMessage(), e);
    }
  }
}
