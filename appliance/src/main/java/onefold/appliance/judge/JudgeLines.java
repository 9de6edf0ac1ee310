package onefold.appliance.judge;

import java.io.IOException;
import java.io.PrintStream;
import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Optional;

/** Where a judge's lines go: standard output, flushed, and the recorder's control file as marks. */
final class JudgeLines {
  private final PrintStream out;
  private final Optional<Path> control;

  JudgeLines(PrintStream out, Optional<Path> control) {
    this.out = out;
    this.control = control;
  }

  void say(String line) throws IOException {
    out.println(line);
    out.flush();
    if (out.checkError()) {
      throw new IOException("nobody reads the judge's lines any more");
    }
    if (control.isPresent()) {
      try (RandomAccessFile file = new RandomAccessFile(control.orElseThrow().toFile(), "rw")) {
        file.write(("mark " + line + "\n").getBytes(StandardCharsets.UTF_8));
      }
    }
  }
}
