package onefold.store.gate;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.InputStream;
import java.lang.classfile.ClassFile;
import java.lang.classfile.ClassModel;
import java.lang.classfile.CodeModel;
import java.lang.classfile.MethodModel;
import java.lang.classfile.Opcode;
import java.lang.classfile.instruction.MonitorInstruction;
import java.lang.reflect.AccessFlag;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.stream.Stream;
import onefold.store.ChunkStore;
import org.junit.jupiter.api.Test;

/**
 * No class of the store has a synchronized method or block: the simulated scheduler cannot see a
 * monitor, and a task that waits for one would stop the simulation. ArchUnit does not see blocks,
 * so this looks at the instructions.
 */
final class NoMonitorsTest {
  private static List<String> monitorsIn(byte[] classFile) {
    var found = new ArrayList<String>();
    ClassModel model = ClassFile.of().parse(classFile);
    for (MethodModel method : model.methods()) {
      boolean block = method.code().map(NoMonitorsTest::entersMonitor).orElse(false);
      if (method.flags().has(AccessFlag.SYNCHRONIZED) || block) {
        found.add(model.thisClass().asInternalName() + "." + method.methodName().stringValue());
      }
    }
    return found;
  }

  private static boolean entersMonitor(CodeModel code) {
    return code.elementStream()
        .anyMatch(element ->
            element instanceof MonitorInstruction monitor
                && monitor.opcode() == Opcode.MONITORENTER);
  }

  @Test
  void noClassOfTheStoreUsesMonitors() throws IOException, URISyntaxException {
    Path classes =
        Path.of(ChunkStore.class.getProtectionDomain().getCodeSource().getLocation().toURI());
    var found = new ArrayList<String>();
    int count = 0;
    try (Stream<Path> files = Files.walk(classes.resolve("onefold/store"))) {
      for (Path file : files.filter(path -> path.toString().endsWith(".class")).toList()) {
        count++;
        found.addAll(monitorsIn(Files.readAllBytes(file)));
      }
    }
    assertEquals(List.of(), found);
    assertTrue(count >= 30, count + " classes looked at");
  }

  @Test
  void plantedMonitorsAreCaught() throws IOException {
    for (Class<?> breach :
        List.of(
            PlantedBreaches.HasSynchronizedMethod.class,
            PlantedBreaches.HasSynchronizedBlock.class)) {
      assertEquals(1, monitorsIn(bytesOf(breach)).size(), breach.getName());
    }
    assertEquals(List.of(), monitorsIn(bytesOf(PlantedBreaches.UsesLock.class)));
  }

  private static byte[] bytesOf(Class<?> type) throws IOException {
    String resource = "/" + type.getName().replace('.', '/') + ".class";
    try (InputStream stream = Objects.requireNonNull(type.getResourceAsStream(resource))) {
      return stream.readAllBytes();
    }
  }
}
