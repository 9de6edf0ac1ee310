package onefold.appliance.configuration;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import onefold.appliance.FrontEnd;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ConfigurationFileTest {
  @TempDir private Path folder;

  private Configuration read(String text) throws IOException {
    Path file = folder.resolve("onefold.yaml");
    Files.writeString(file, text);
    return ConfigurationFile.read(file, Configuration.defaults(Path.of("data")));
  }

  private String refusal(String text) {
    var error = assertThrows(ConfigurationException.class, () -> read(text), text);
    assertTrue(
        String.valueOf(error.getMessage()).contains("onefold.yaml"),
        String.valueOf(error.getMessage()));
    return String.valueOf(error.getMessage());
  }

  @Test
  void everyKeyIsUnderstood() throws IOException {
    Configuration read =
        read(
            """
            data: /srv/onefold
            memory: 2GiB
            listen: [10.0.0.1, "::1"]
            front-ends:
              catalyst:
                port: 1234
              https:
                enabled: false
                port: auto
                listen: all
            tls:
              certificate: /etc/a.crt
              key: /etc/a.key
            log:
              level: debug
              format: json
              size: 8MiB
            store:
              container: 256KiB
            nfs:
              lease: 20
              port-mapper: off
              keytab: /etc/onefold.keytab
            """);
    assertEquals(new Configuration.Nfs(20, false, "/etc/onefold.keytab"), read.nfs());
    assertEquals(Path.of("/srv/onefold"), read.data());
    assertEquals(2L << 30, read.memoryBytes());
    assertEquals(1234, read.door(FrontEnd.CATALYST).port());
    assertEquals(List.of("10.0.0.1", "::1"), read.door(FrontEnd.CATALYST).addresses());
    assertTrue(read.door(FrontEnd.CATALYST).isOpenToOthers());
    assertFalse(read.door(FrontEnd.HTTPS).enabled());
    assertEquals(0, read.door(FrontEnd.HTTPS).port());
    assertEquals("/etc/a.crt", read.certificate());
    assertEquals("debug", read.log().level());
    assertTrue(read.log().json());
    assertEquals(8L << 20, read.log().maxBytes());
    assertEquals(256 << 10, read.containerBytes());
  }

  @Test
  void nothingSaidIsThisMachineOnlyOnTheDefaultPorts() throws IOException {
    Configuration read = read("# nothing\n");
    assertEquals(9387, read.door(FrontEnd.CATALYST).port());
    assertEquals(8443, read.door(FrontEnd.HTTPS).port());
    assertFalse(read.door(FrontEnd.CATALYST).isOpenToOthers());
  }

  @Test
  void anUnknownKeyNamesItsLineAndTheNearestKnownOne() {
    String top = refusal("data: x\nmemmory: 1GiB\n");
    assertTrue(top.contains("line 2"), top);
    assertTrue(top.contains("did you mean 'memory'?"), top);
    String inner = refusal("front-ends:\n  catalyst:\n    prot: 1\n");
    assertTrue(inner.contains("line 3"), inner);
    assertTrue(inner.contains("did you mean 'front-ends.catalyst.port'?"), inner);
    String frontEnd = refusal("front-ends:\n  catalist:\n    port: 1\n");
    assertTrue(frontEnd.contains("front-ends.catalyst"), frontEnd);
  }

  @Test
  void valuesThatCannotBeAreRefusedWithTheirLine() {
    assertTrue(refusal("memory: 10G\n").contains("two readings"));
    assertTrue(refusal("\nmemory: 1MiB\n").contains("line 2"));
    assertTrue(refusal("log:\n  level: loud\n").contains("line 2"));
    assertTrue(refusal("log:\n  format: xml\n").contains("xml"));
    assertTrue(refusal("front-ends:\n  https:\n    port: 70000\n").contains("70000"));
    assertTrue(refusal("front-ends:\n  https:\n    port: some\n").contains("some"));
    assertTrue(refusal("front-ends:\n  https:\n    enabled: perhaps\n").contains("perhaps"));
    assertTrue(refusal("store:\n  container: 1KiB\n").contains("256KiB"));
    assertTrue(refusal("tls:\n  key: a\n").contains("both"));
    assertTrue(refusal("memory: [1GiB]\n").contains("one value"));
    assertTrue(refusal("memory: 1GiB\nmemory: 2GiB\n").contains("twice"));
    assertTrue(refusal("just text\n").contains("keys and values"));
    assertTrue(refusal("a: [\n").contains("not YAML"));
  }

  @Test
  void aLeaseThatCannotBeIsRefusedWithItsLine() {
    assertTrue(refusal("nfs:\n  lease: 3\n").contains("lease of 3 seconds"));
    assertTrue(refusal("nfs:\n  lease: long\n").contains("line 2: expected a number of seconds"));
  }
}
