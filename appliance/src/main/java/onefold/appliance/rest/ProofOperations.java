package onefold.appliance.rest;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.Base64;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.random.RandomGenerator;
import onefold.appliance.identity.ProofKey;
import onefold.appliance.json.JsonArray;
import onefold.appliance.json.JsonObject;
import onefold.store.ChunkStore;
import onefold.store.DomainRecord;
import onefold.store.Id;
import onefold.store.ItemRecord;
import onefold.store.ObjectReader;
import onefold.store.RefusedException;
import onefold.store.RefusedException.Reason;
import onefold.store.StoreRecord;

/**
 * Signed statements about items, for judges: what the item is, when all of it was last read back,
 * and, for a challenge, the bytes at places that the appliance could not foresee. The format is
 * {@code docs/formats/item-proof.md}.
 */
final class ProofOperations {
  /** Most bytes of a challenge in UTF-8. */
  static final int MAX_CHALLENGE_BYTES = 64;

  /** How many leaves a challenge chooses. */
  static final int LEAVES = 4;

  /** Most items whose last read-back is remembered; the oldest gives way. */
  static final int MAX_READ_BACKS = 10_000;

  private static final byte[] MAGIC = {'O', 'F', 'I', 'P'};
  private static final int FORMAT = 1;
  private static final int FIXED_BYTES = 104;
  private static final String READ_BACK_KIND = "read-back";
  private static final int COPY_BYTES = 1 << 20;

  private final ChunkStore store;
  private final ProofKey key;
  private final RandomGenerator random;

  ProofOperations(ChunkStore store, ProofKey key, RandomGenerator random) {
    this.store = store;
    this.key = key;
    this.random = random;
  }

  /** Answers for an item that the caller may read. */
  ApiReply prove(ApiRequest request, StoreRecord in, ItemRecord item) throws IOException {
    String challenge = request.body().optionalText("challenge").orElse("");
    byte[] seed = challenge.getBytes(StandardCharsets.UTF_8);
    if (seed.length > MAX_CHALLENGE_BYTES) {
      throw new RefusedException(
          Reason.INVALID_REQUEST,
          "a challenge has at most "
              + MAX_CHALLENGE_BYTES
              + " bytes of UTF-8, this one has "
              + seed.length);
    }
    JsonArray leaves = new JsonArray();
    byte[] statement;
    try (ObjectReader reader = store.openReader(in.domainId(), item.root())) {
      if (request.body().bool("readBack", false)) {
        readBack(reader);
        remember(item);
      }
      statement = statement(in, item, reader.chunkCount(), lastReadBack(item), seed);
      if (seed.length > 0 && item.root().lengthBytes() > 0) {
        for (int i = 0; i < LEAVES; i++) {
          long position = position(seed, item, i);
          leaves.add(leaf(position, reader.pathTo(position)));
        }
      }
    }
    ProofKey.Signed signed = key.sign(statement);
    Base64.Encoder base64 = Base64.getEncoder();
    return ApiReply.ok(
        new JsonObject()
            .put("statement", base64.encodeToString(statement))
            .put("signature", base64.encodeToString(signed.signature()))
            .put("key", HexFormat.of().formatHex(signed.publicKey()))
            .put("leaves", leaves));
  }

  private static JsonObject leaf(long position, List<byte[]> path) {
    JsonArray parts = new JsonArray();
    for (byte[] part : path) {
      parts.add(new onefold.appliance.json.Json.Text(Base64.getEncoder().encodeToString(part)));
    }
    return new JsonObject().put("position", position).put("path", parts);
  }

  private byte[] statement(
      StoreRecord in, ItemRecord item, long chunkCount, long readBackMillis, byte[] seed)
      throws IOException {
    byte[] name = (in.name() + "/" + item.name()).getBytes(StandardCharsets.UTF_8);
    ByteBuffer target =
        ByteBuffer.allocate(FIXED_BYTES + Short.BYTES + name.length + 1 + seed.length)
            .order(ByteOrder.LITTLE_ENDIAN);
    target.put(MAGIC).putShort((short) FORMAT).putShort((short) parameterSet(in));
    target.put(HexFormat.of().parseHex(item.id().toString()));
    target.putLong(item.version());
    target.put(item.root().node().toBytes());
    target.put((byte) item.root().level()).put(new byte[7]);
    target.putLong(item.root().lengthBytes()).putLong(chunkCount);
    target.putLong(readBackMillis).putLong(store.storeTimeMillis());
    target.putShort((short) name.length).put(name);
    target.put((byte) seed.length).put(seed);
    return target.array();
  }

  private int parameterSet(StoreRecord in) throws IOException {
    for (DomainRecord domain : store.domains()) {
      if (domain.id().equals(in.domainId())) {
        return domain.parameterSet();
      }
    }
    throw new IllegalStateException("no domain " + in.domainId());
  }

  /** Returns the position that a challenge chooses: no one knows it before the challenge. */
  private static long position(byte[] seed, ItemRecord item, int number) {
    try {
      MessageDigest digest = MessageDigest.getInstance("SHA-256");
      digest.update("onefold-proof\0".getBytes(StandardCharsets.US_ASCII));
      digest.update(seed);
      digest.update(item.root().node().toBytes());
      digest.update((byte) number);
      long value = ByteBuffer.wrap(digest.digest()).order(ByteOrder.LITTLE_ENDIAN).getLong();
      return Long.remainderUnsigned(value, item.root().lengthBytes());
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("SHA-256 is part of every JDK", e);
    }
  }

  // ---- read-backs

  /** Reads every byte; the reader checks each against its fingerprint. */
  private static void readBack(ObjectReader reader) throws IOException {
    byte[] buffer = new byte[COPY_BYTES];
    long position = 0;
    int n = reader.read(0, buffer, 0, buffer.length);
    while (n > 0) {
      position += n;
      n = reader.read(position, buffer, 0, buffer.length);
    }
  }

  private void remember(ItemRecord item) throws IOException {
    SortedMap<String, byte[]> known = store.records(READ_BACK_KIND);
    String name = item.id().toString();
    if (known.size() >= MAX_READ_BACKS && !known.containsKey(name)) {
      String oldest = "";
      long oldestMillis = Long.MAX_VALUE;
      for (Map.Entry<String, byte[]> entry : known.entrySet()) {
        long millis = ByteBuffer.wrap(entry.getValue()).getLong();
        if (millis < oldestMillis) {
          oldestMillis = millis;
          oldest = entry.getKey();
        }
      }
      store.putRecord(Id.random(random), READ_BACK_KIND, oldest, Optional.empty());
    }
    byte[] root = item.root().node().toBytes();
    byte[] value =
        ByteBuffer.allocate(Long.BYTES + root.length)
            .putLong(store.storeTimeMillis())
            .put(root)
            .array();
    store.putRecord(Id.random(random), READ_BACK_KIND, name, Optional.of(value));
  }

  /** Returns the store time of the last read-back of this version, or 0. */
  private long lastReadBack(ItemRecord item) throws IOException {
    Optional<byte[]> record = store.findRecord(READ_BACK_KIND, item.id().toString());
    if (record.isEmpty()) {
      return 0;
    }
    byte[] value = record.orElseThrow();
    byte[] root = item.root().node().toBytes();
    return Arrays.equals(value, Long.BYTES, value.length, root, 0, root.length)
        ? ByteBuffer.wrap(value).getLong()
        : 0;
  }
}
