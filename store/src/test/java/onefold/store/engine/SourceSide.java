package onefold.store.engine;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import onefold.block.BlockBuilder;
import onefold.block.BlockCodec;
import onefold.chunker.ChunkKind;
import onefold.chunker.Cutter;
import onefold.chunker.EntryType;
import onefold.chunker.Fingerprint;
import onefold.chunker.FingerprintBatch;
import onefold.chunker.Fingerprinter;
import onefold.chunker.NodeReader;
import onefold.chunker.ObjectRoot;
import onefold.chunker.ParameterSet;
import onefold.chunker.RecipeBuilder;
import onefold.store.IngestSession;

/**
 * A client that has cut and fingerprinted its content and asks before it sends: nodes first, top
 * down, then chunks. Keeps everything in memory.
 */
final class SourceSide {
  /** How often the same node may turn out to lack something again. */
  private static final int MAX_TRIES = 8;

  private final byte[] content;
  private final Map<Fingerprint, int[]> chunks = new HashMap<>();
  private final Map<Fingerprint, byte[]> nodes = new HashMap<>();
  private final ObjectRoot root;

  /** What was sent in all uploads of this content. */
  long sentDataBytes;

  int sentNodes;

  SourceSide(byte[] content) {
    this.content = content;
    ParameterSet set = ParameterSet.SET_1;
    Fingerprinter fingerprinter = new Fingerprinter(set);
    int[] lengths = new int[content.length / set.minBytes() + 2];
    int count = Cutter.of(set).cut(content, 0, content.length, true, lengths, 0);
    try {
      RecipeBuilder recipe =
          new RecipeBuilder(
              set,
              (level, node, length, fingerprint) ->
                  nodes.put(Fingerprint.of(fingerprint, 0), Arrays.copyOf(node, length)));
      int at = 0;
      for (int i = 0; i < count; i++) {
        Fingerprint fingerprint = fingerprinter.fingerprint(content, at, lengths[i]);
        chunks.put(fingerprint, new int[] {at, lengths[i]});
        recipe.chunk(fingerprint.toBytes(), 0, lengths[i]);
        at += lengths[i];
      }
      root = recipe.finish();
    } catch (IOException e) {
      throw new IllegalStateException(e);
    }
  }

  ObjectRoot root() {
    return root;
  }

  /** Brings everything below the root to the store. */
  void upload(IngestSession session) throws IOException {
    uploadNode(session, root.node(), root.level());
  }

  private void uploadNode(IngestSession session, Fingerprint fingerprint, int level)
      throws IOException {
    FingerprintBatch one = new FingerprintBatch(ChunkKind.NODE, 1);
    one.add(fingerprint, 0);
    if (session.have(one)[0] != 0) {
      return;
    }
    byte[] node = nodes.get(fingerprint);
    if (node == null) {
      throw new IllegalStateException("no such node");
    }
    // A sweep may take answers back between two questions, even of what it has stored elsewhere.
    for (int tried = 0; true; tried++) {
      long[] lacking = session.putNode(level, node, 0, node.length);
      if (!sendLacking(session, node, level, lacking)) {
        break;
      }
      if (tried == MAX_TRIES) {
        throw new IllegalStateException(
            "still lacking on level "
                + level
                + " after everything was sent: "
                + Arrays.toString(lacking));
      }
    }
    sentNodes++;
  }

  /** Sends what a node's answer says is lacking below it, and tells whether that was anything. */
  private boolean sendLacking(IngestSession session, byte[] node, int level, long[] lacking)
      throws IOException {
    List<Fingerprint> data = new ArrayList<>();
    NodeReader reader = new NodeReader().reset(node, 0, node.length);
    boolean any = false;
    for (int i = 0; reader.next(); i++) {
      if ((lacking[i >>> 6] >>> i & 1) != 0) {
        any = true;
        if (reader.entryType() == EntryType.CHILD) {
          uploadNode(session, reader.fingerprint(), level - 1);
        } else {
          data.add(reader.fingerprint());
        }
      }
    }
    sendData(session, data);
    return any;
  }

  void sendData(IngestSession session, List<Fingerprint> lacking) throws IOException {
    try (BlockBuilder block =
        new BlockBuilder(ChunkKind.DATA, BlockCodec.LZ4, BlockBuilder.INLINE_ZSTD_LEVEL)) {
      for (Fingerprint fingerprint : lacking) {
        int[] where = chunks.get(fingerprint);
        if (where == null) {
          throw new IllegalStateException("no such chunk");
        }
        if (block.rawBytes() + where[1] > 128 << 10) {
          send(session, block);
        }
        block.add(content, where[0], where[1]);
        sentDataBytes += where[1];
      }
      send(session, block);
    }
  }

  private static void send(IngestSession session, BlockBuilder block) throws IOException {
    if (block.chunkCount() > 0) {
      int length = block.encode();
      session.putBlock(block.bytes(), 0, length);
      block.reset();
    }
  }

  /** A node of the recipe, by its fingerprint. */
  byte[] node(Fingerprint fingerprint) {
    byte[] node = nodes.get(fingerprint);
    if (node == null) {
      throw new IllegalStateException("no such node");
    }
    return node;
  }

  /** A chunk of the content, if it has it. */
  Optional<byte[]> chunk(Fingerprint fingerprint) {
    int[] where = chunks.get(fingerprint);
    return where == null
        ? Optional.empty()
        : Optional.of(Arrays.copyOfRange(content, where[0], where[0] + where[1]));
  }

  FingerprintBatch allChunks() {
    FingerprintBatch all = new FingerprintBatch(ChunkKind.DATA, Math.max(1, chunks.size()));
    chunks.forEach((fingerprint, where) -> all.add(fingerprint, where[1]));
    return all;
  }

  /** Every chunk of the content, once. */
  List<Fingerprint> allData() {
    return List.copyOf(chunks.keySet());
  }
}
