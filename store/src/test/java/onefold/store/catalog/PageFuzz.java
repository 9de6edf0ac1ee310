package onefold.store.catalog;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import onefold.chunker.Fingerprint;
import onefold.store.CorruptDataException;
import onefold.store.Id;
import onefold.testing.fuzz.FuzzTarget;

/** Pages of the catalog, docs/formats/catalog-page.md. */
public final class PageFuzz implements FuzzTarget {
  @Override
  public String name() {
    return "catalog-page";
  }

  @Override
  public List<byte[]> samples() throws IOException {
    List<byte[]> samples = new ArrayList<>();
    for (String name : List.of("catalog-page-1.txt", "catalog-page-2.txt")) {
      for (String line : Samples.lines(name)) {
        samples.add(HexFormat.of().parseHex(line.split(" ", 2)[1]));
      }
    }
    return samples;
  }

  /** A page may share a shorter prefix than it could, so only the second encoding is the same. */
  @Override
  public void decode(byte[] input) throws IOException {
    CatalogPage page = CatalogPage.decode("page", input, input.length);
    if (page.kind() != CatalogPageFormat.VALUE) {
      byte[] encoded = encoded(page);
      assertArrayEquals(encoded, encoded(CatalogPage.decode("page", encoded, encoded.length)));
    }
    CatalogPageFormat.visitReferences(
        input,
        input.length,
        new CatalogPageFormat.ReferenceVisitor() {
          @Override
          public void page(byte[] bytes, int fingerprintOffset) {
            Fingerprint.of(bytes, fingerprintOffset);
          }

          @Override
          public void object(
              Id domainId, byte[] bytes, int fingerprintOffset, int level, long lengthBytes) {
            Fingerprint.of(bytes, fingerprintOffset);
            if (level < 0 || lengthBytes < 0) {
              throw new AssertionError(level + " " + lengthBytes);
            }
          }
        });
  }

  private static byte[] encoded(CatalogPage page) {
    List<CatalogPage.Entry> entries = new ArrayList<>();
    for (int i = 0; i < page.count(); i++) {
      byte[] key = page.key(i);
      if (page.floor(key) != i || page.compareKey(i, key) != 0) {
        throw new AssertionError("entry " + i + " is not found by " + Arrays.toString(key));
      }
      entries.add(page.entry(i));
    }
    return CatalogPage.encode(page.kind(), page.level(), page.domainId(), entries);
  }

  @Override
  public boolean isRefusal(Throwable thrown) {
    return thrown instanceof CorruptDataException;
  }
}
