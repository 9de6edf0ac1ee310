package onefold.store.catalog;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;

import java.io.IOException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import onefold.store.CorruptDataException;
import onefold.testing.fuzz.FuzzTarget;

/** Catalog commands, docs/formats/catalog-command.md: one encoding each. */
public final class CommandFuzz implements FuzzTarget {
  @Override
  public String name() {
    return "catalog-command";
  }

  @Override
  public List<byte[]> samples() throws IOException {
    List<byte[]> samples = new ArrayList<>();
    for (int version = 1; version <= CatalogCommandFormat.VERSION; version++) {
      for (String line : Samples.lines("catalog-command-" + version + ".txt")) {
        samples.add(HexFormat.of().parseHex(line.split(" ", 2)[1]));
      }
    }
    return samples;
  }

  @Override
  public void decode(byte[] input) throws IOException {
    CatalogCommand command = CatalogCommandFormat.decode(input, 0, input.length);
    assertArrayEquals(input, CatalogCommandFormat.encode(command));
  }

  /** A command of a newer release is told from a damaged one. */
  @Override
  public boolean isRefusal(Throwable thrown) {
    String message = String.valueOf(thrown.getMessage());
    return thrown instanceof CorruptDataException
        || (thrown.getClass() == IOException.class && message.contains("this release"));
  }
}
