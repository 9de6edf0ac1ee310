package onefold.store.simulator;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.concurrent.CompletionStage;
import onefold.chunker.ObjectRoot;
import onefold.chunker.ParameterSet;
import onefold.store.Checkpoint;
import onefold.store.ChunkStore;
import onefold.store.CommitMode;
import onefold.store.CommitRequest;
import onefold.store.Compression;
import onefold.store.Id;
import onefold.store.ItemRecord;
import onefold.store.LockKind;
import onefold.store.ObjectWriter;
import onefold.store.RefusedException.Reason;
import onefold.store.StoreRecord;
import onefold.store.UnfinishedUpload;
import org.jspecify.annotations.Nullable;

/** The steps of a lane that bring bytes in. */
final class LaneUploads {
  /** An item has fewer blocks. */
  private static final int MAX_HEALINGS = 100;

  private final Lane lane;
  private final World world;

  LaneUploads(Lane lane) {
    this.lane = lane;
    this.world = lane.world;
  }

  // ---- opening

  void put(Step.Put step) throws IOException {
    List<Plan.Segment> segments = step.plan().segments();
    World.Slot slot =
        open(
            step.to(),
            segments,
            step.road(),
            step.compression(),
            step.splitSeed(),
            Optional.empty(),
            Lane.Expected.SUCCESS);
    if (slot == null) {
      return;
    }
    Id command = world.newId();
    ItemRecord item = commit(slot, step.mode(), step.tags(), command);
    close(slot);
    if (item != null && step.again()) {
      commitAgain(step, segments, command, item);
    }
  }

  /** The reply was lost: the client sends all again, with the same command id. */
  private void commitAgain(Step.Put step, List<Plan.Segment> segments, Id command, ItemRecord first)
      throws IOException {
    World.Slot slot =
        open(
            step.to(),
            segments,
            step.road(),
            step.compression(),
            step.splitSeed(),
            Optional.empty(),
            Lane.Expected.SUCCESS);
    if (slot == null) {
      return;
    }
    try {
      ItemRecord again =
          lane.attempt(
              Lane.Expected.SUCCESS,
              () -> {
                slot.upload.feed(Long.MAX_VALUE);
                return slot.upload.commit(
                    new CommitRequest(command, step.mode(), Lane.tags(step.tags()), 0));
              });
      Wrong.unless(
          again == null || again.equals(first),
          () -> "a repeated commit answers " + again + ", first " + first);
    } finally {
      close(slot);
    }
  }

  void begin(Step.Begin step) throws IOException {
    leave(step.slot());
    world.uploads[step.slot()] =
        open(
            step.to(),
            step.plan().segments(),
            step.road(),
            Compression.LZ4,
            step.splitSeed(),
            Optional.empty(),
            Lane.Expected.SUCCESS);
  }

  void resume(Step.Resume step) throws IOException {
    leave(step.slot());
    Model.StoreState state = world.model.store(step.of());
    if (state.record == null) {
      return;
    }
    UnfinishedUpload upload = find(step.of());
    if (upload == null) {
      open(
          step.of(),
          List.of(new Plan.Segment(new byte[0], 0)),
          step.road(),
          Compression.LZ4,
          step.splitSeed(),
          Optional.of(world.newId()),
          Lane.Expected.refusal(Reason.NOT_FOUND));
      return;
    }
    boolean open = !world.uploadsOf(step.of()).isEmpty();
    Model.Saved saved =
        world.model.unfinished(step.of()).possible.stream()
            .filter(one -> one.uploadId().equals(upload.checkpoint().uploadId()))
            .findFirst()
            .orElseThrow(() -> new Wrong("an unfinished upload that nobody saved: " + upload));
    world.uploads[step.slot()] =
        open(
            step.of(),
            saved.segments(),
            step.road(),
            Compression.ZSTD,
            step.splitSeed(),
            Optional.of(upload.checkpoint().uploadId()),
            open
                ? new Lane.Expected(Set.of(), EnumSet.of(Reason.CONFLICT, Reason.NOT_FOUND))
                : Lane.Expected.SUCCESS);
    World.Slot slot = world.uploads[step.slot()];
    if (slot != null) {
      slot.saved = true;
    }
  }

  private @Nullable UnfinishedUpload find(Address address) throws IOException {
    for (UnfinishedUpload upload :
        world.store().unfinishedUploads(world.model.store(address).existing().id())) {
      if (upload.itemName().equals(address.itemName())) {
        return upload;
      }
    }
    return null;
  }

  private World.@Nullable Slot open(
      Address address,
      List<Plan.Segment> segments,
      Step.Road road,
      Compression compression,
      long splitSeed,
      Optional<Id> resume,
      Lane.Expected expected)
      throws IOException {
    StoreRecord store = world.model.store(address).record;
    if (store == null) {
      return null;
    }
    ChunkStore face = world.store();
    String name = address.itemName();
    OpenUpload upload =
        lane.attempt(
            expected,
            () ->
                switch (road) {
                  case STREAM ->
                      new StreamUpload(
                          face.openWriter(store.id(), name, resume, compression),
                          segments,
                          splitSeed);
                  case SOURCE_FROM_BELOW ->
                      new SourceUpload(
                          face.openIngest(store.id(), name, resume),
                          segments,
                          false,
                          splitSeed,
                          () -> world.together);
                  case SOURCE_FROM_ABOVE ->
                      new SourceUpload(
                          face.openIngest(store.id(), name, resume),
                          segments,
                          true,
                          splitSeed,
                          () -> world.together);
                });
    if (upload == null) {
      return null;
    }
    for (World.Slot other : world.uploadsOf(address)) {
      other.superseded = true;
    }
    if (resume.isEmpty()) {
      // It ends an older unfinished one of the name, at the latest when it is saved or committed.
      world.model.unfinished(address).mayBeAbsent = true;
    }
    return new World.Slot(address, upload);
  }

  // ---- sending

  void feed(Step.Feed step) throws IOException {
    World.Slot slot = world.uploads[step.slot()];
    if (slot == null) {
      return;
    }
    long length = length(slot.upload.segments());
    feed(step.slot(), slot, slot.upload.sentBytes() + Math.max(1, length * step.eighths() / 8));
  }

  private static long length(List<Plan.Segment> segments) {
    return segments.stream()
        .mapToLong(segment -> segment.bytes().length + segment.holeBytes())
        .sum();
  }

  /** Sends; answers whether it went well. An upload that has failed is left. */
  private boolean feed(int number, World.Slot slot, long untilBytes) throws IOException {
    Boolean done =
        lane.attempt(
            mayBeSuperseded(slot),
            () -> {
              slot.upload.feed(untilBytes);
              return true;
            });
    checkPromises(slot);
    if (done == null) {
      leave(number);
    }
    return done != null;
  }

  /** What an upload was told is present stays present, unless data was damaged. */
  private void checkPromises(World.Slot slot) {
    if (slot.upload instanceof SourceUpload source) {
      Wrong.unless(
          source.takenBackCount() == 0 || world.rotten || world.failing,
          () -> "answered present or stored, and lacking soon after, for " + slot.address);
    }
  }

  private static Lane.Expected mayBeSuperseded(World.Slot slot) {
    return slot.superseded
        ? new Lane.Expected(Set.of(), EnumSet.of(Reason.CONFLICT))
        : Lane.Expected.SUCCESS;
  }

  private static Lane.Expected mustIfSuperseded(World.Slot slot, Lane.Expected otherwise) {
    return slot.superseded ? Lane.Expected.refusal(Reason.CONFLICT) : otherwise;
  }

  void save(Step.Save step) throws IOException {
    World.Slot slot = world.uploads[step.slot()];
    if (slot == null || slot.superseded) {
      return;
    }
    Optional<ObjectRoot> made =
        lane.attempt(mayBeSuperseded(slot), () -> Optional.ofNullable(slot.upload.root()));
    checkPromises(slot);
    if (made == null) {
      leave(step.slot());
      return;
    }
    if (made.isEmpty()) {
      return;
    }
    ObjectRoot root = made.get();
    Model.Unfinished unfinished = world.model.unfinished(slot.address);
    Model.Saved saved =
        new Model.Saved(
            slot.upload.uploadId(),
            root,
            slot.upload.segments(),
            Plan.joined(slot.upload.segments()));
    unfinished.possible.add(saved);
    boolean first = !slot.saved;
    CompletionStage<Checkpoint> stage = slot.upload.save(root);
    slot.saved = true;
    if (!step.awaited()) {
      return;
    }
    Checkpoint checkpoint =
        lane.attempt(Lane.Expected.SUCCESS, () -> world.simulation().scheduler().await(stage));
    if (checkpoint == null) {
      slot.saved = !first;
      return;
    }
    Wrong.unless(
        checkpoint.uploadId().equals(saved.uploadId()) && checkpoint.root().equals(root),
        () -> "another checkpoint: " + checkpoint + ", asked for " + root);
    unfinished.possible.clear();
    unfinished.possible.add(saved);
    unfinished.mayBeAbsent = false;
  }

  // ---- ending

  void finish(Step.Finish step) throws IOException {
    World.Slot slot = world.uploads[step.slot()];
    if (slot == null) {
      return;
    }
    ItemRecord item = commit(slot, step.mode(), step.tags(), world.newId());
    if (item != null || slot.superseded || world.mayBeFull() || world.rotten) {
      leave(step.slot());
    }
  }

  private @Nullable ItemRecord commit(World.Slot slot, CommitMode mode, int tags, Id command)
      throws IOException {
    Boolean fed =
        lane.attempt(
            mayBeSuperseded(slot),
            () -> {
              slot.upload.feed(Long.MAX_VALUE);
              return true;
            });
    if (fed == null) {
      return null;
    }
    byte[] content = Plan.joined(slot.upload.segments());
    ItemRecord item = commit(slot, content, mode, tags, command);
    if (item != null) {
      List<Pieces.Piece> pieces = Pieces.of(slot.upload.segments(), ParameterSet.SET_1);
      ObjectRoot root = Pieces.root(pieces, ParameterSet.SET_1);
      Wrong.unless(
          item.root().equals(root),
          () -> "the root of " + slot.address + " is " + item.root() + ", not canonical: " + root);
    }
    return item;
  }

  private @Nullable ItemRecord commit(
      World.Slot slot, byte[] content, CommitMode mode, int tags, Id command) throws IOException {
    Address address = slot.address;
    Lane.Expected expected =
        mustIfSuperseded(slot, lane.expectedPlacing(address, mode, content.length));
    Model.Unfinished unfinished = world.model.unfinished(address);
    boolean mayBeAbsent = unfinished.mayBeAbsent;
    if (expected.must().isEmpty()) {
      unfinished.mayBeAbsent = true;
      lane.intend(
          new Intent.ItemChange(
              address,
              new Intent.Wanted(content, Lane.tags(tags), false, 0, LockKind.GOVERNANCE),
              slot.upload.uploadId(),
              Intent.Again.NEVER));
    }
    boolean known = isKnown(address, content);
    long atMillis = world.store().storeTimeMillis();
    ItemRecord item =
        lane.attempt(
            expected,
            () -> slot.upload.commit(new CommitRequest(command, mode, Lane.tags(tags), 0)));
    checkPromises(slot);
    if (slot.upload instanceof SourceUpload source) {
      world.lackingCount += source.lackingCount();
      Wrong.unless(
          source.lackingCount() == 0 || world.rotten || world.failing,
          "something was answered present and has gone, though nothing was damaged");
    }
    if (item == null) {
      unfinished.mayBeAbsent = mayBeAbsent;
      return null;
    }
    Wrong.unless(
        item.root().lengthBytes() == content.length && item.tags().equals(Lane.tags(tags)),
        () -> "committed " + item + " of " + content.length + " bytes");
    Wrong.unless(
        item.newBytes() == slot.upload.newBytes(), () -> "new bytes " + slot.upload.newBytes());
    Wrong.unless(
        !known || slot.upload instanceof SourceUpload || item.newBytes() >= 0, "new bytes");
    Model.StoreState state = world.model.store(address);
    Model.Known replaced = state.items.put(address.itemName(), new Model.Known(item, content));
    if (replaced != null) {
      state.bury(replaced, atMillis);
    }
    state.unfinished.remove(address.itemName());
    lane.intend(null);
    return item;
  }

  private boolean isKnown(Address address, byte[] content) {
    Model.Known known = world.model.item(address);
    return known != null && java.util.Arrays.equals(known.content(), content);
  }

  void abort(int number) throws IOException {
    World.Slot slot = world.uploads[number];
    if (slot == null || slot.superseded) {
      leave(number);
      return;
    }
    Model.Unfinished unfinished = world.model.unfinished(slot.address);
    boolean before = unfinished.mayBeAbsent;
    unfinished.mayBeAbsent = true;
    Boolean done =
        lane.attempt(
            Lane.Expected.SUCCESS,
            () -> {
              slot.upload.abort();
              return true;
            });
    if (done == null) {
      unfinished.mayBeAbsent = before || world.mayBeFull();
    } else {
      unfinished.possible.removeIf(saved -> saved.uploadId().equals(slot.upload.uploadId()));
    }
    leave(number);
  }

  /** Closes the upload in a slot, if there is one. */
  void leave(int number) {
    World.Slot slot = world.uploads[number];
    world.uploads[number] = null;
    if (slot != null) {
      close(slot);
    }
  }

  private static void close(World.Slot slot) {
    slot.upload.close();
  }

  void leaveAllOf(int store) {
    for (int i = 0; i < world.uploads.length; i++) {
      World.Slot slot = world.uploads[i];
      if (slot != null && slot.address.store() == store) {
        leave(i);
      }
    }
  }

  void endUpload(Address address) throws IOException {
    if (world.model.store(address).record == null) {
      return;
    }
    UnfinishedUpload upload = find(address);
    if (upload == null) {
      return;
    }
    Id id = upload.checkpoint().uploadId();
    boolean open =
        world.uploadsOf(address).stream().anyMatch(slot -> slot.upload.uploadId().equals(id));
    Model.Unfinished unfinished = world.model.unfinished(address);
    boolean before = unfinished.mayBeAbsent;
    unfinished.mayBeAbsent = true;
    Boolean done =
        lane.attempt(
            open
                ? new Lane.Expected(Set.of(), EnumSet.of(Reason.CONFLICT, Reason.NOT_FOUND))
                : Lane.Expected.SUCCESS,
            () -> {
              world.store().abortUpload(world.newId(), id);
              return true;
            });
    if (done == null) {
      unfinished.mayBeAbsent = before;
    } else {
      Wrong.unless(
          world.uploadsOf(address).stream()
              .noneMatch(slot -> slot.upload.uploadId().equals(id) && !slot.superseded),
          "an open upload was ended from outside");
      world.model.store(address).unfinished.remove(address.itemName());
    }
  }

  // ---- damage

  /**
   * Sends again whatever cannot be read, and looks whether it can be then. A block is found damaged
   * when it is read, and several may be below one item, so that it may take some rounds.
   */
  void heal(long seed) throws IOException {
    var random = new SplittableRandom(seed);
    for (int store = 0; store < Address.STORES; store++) {
      for (int i = 0; i < Address.LANES; i++) {
        for (int name = 0; name < Address.NAMES_PER_LANE; name++) {
          heal(new Address(store, i, name), random);
        }
      }
    }
  }

  private void heal(Address address, SplittableRandom random) throws IOException {
    Step.Road[] roads = Step.Road.values();
    Step.Road road = roads[random.nextInt(roads.length)];
    for (int round = 0; !isReadable(address, random); round++) {
      Model.Known known = java.util.Objects.requireNonNull(world.model.item(address));
      byte[] content = known.content();
      if (!lane.expectedPlacing(address, CommitMode.REPLACE, content.length)
          .equals(Lane.Expected.SUCCESS)) {
        return; // Locked, held, or over the quota by now.
      }
      Wrong.unless(
          round < MAX_HEALINGS, () -> address + " was sent again and again and is not readable");
      World.Slot slot =
          open(
              address,
              List.of(new Plan.Segment(content, 0)),
              road,
              Compression.LZ4,
              random.nextLong(),
              Optional.empty(),
              Lane.Expected.SUCCESS);
      if (slot == null) {
        return; // The disk is full.
      }
      var _ = commit(slot, CommitMode.REPLACE, 0, world.newId());
      close(slot);
      if (world.mayBeFull()) {
        return;
      }
    }
  }

  /** Damages what nobody else has, and reads it: from then on the store knows of it. */
  void hurt(Step.Hurt step) throws IOException {
    Model.Known known = world.model.item(step.of());
    if (known == null || known.content().length <= NEEDLE_BYTES) {
      return;
    }
    world.rotten = true;
    var random = new SplittableRandom(step.seed());
    int at = random.nextInt(known.content().length - NEEDLE_BYTES);
    byte[] needle = java.util.Arrays.copyOfRange(known.content(), at, at + NEEDLE_BYTES);
    var device = world.simulation().device();
    boolean any = false;
    for (String path : device.files()) {
      if (path.contains("/data/")) {
        int found = indexOf(device.peek(path), needle);
        if (found >= 0) {
          device.flipBit(path, found + random.nextInt(NEEDLE_BYTES), random.nextInt(8));
          any = true;
        }
      }
    }
    if (any && !isReadable(step.of(), random)) {
      // The next answer comes when what the read has found is durable.
      lane.run(new Step.PutRecord(step.of().lane(), 0, step.base() & 63));
      world.knownDamage.put(
          step.base(), new World.KnownDamage(known.item().version(), world.damageCount));
    }
  }

  /** Looks at a copy that was sent after the damage of the first was known. */
  void mustRead(Step.MustRead step) throws IOException {
    Model.Known known = world.model.item(step.of());
    World.KnownDamage damage = world.knownDamage.get(step.plan().base());
    if (known != null
        && damage != null
        && damage.damageCount() == world.damageCount
        && damage.version() < known.item().version()
        && java.util.Arrays.equals(known.content(), Plan.joined(step.plan().segments()))) {
      Wrong.unless(
          isReadable(step.of(), new SplittableRandom(step.seed())),
          () -> step.of() + " was sent when the damage was known, and shares what is damaged");
    }
  }

  private static int indexOf(byte[] bytes, byte[] needle) {
    for (int i = 0; i + needle.length <= bytes.length; i++) {
      if (bytes[i] == needle[0]
          && java.util.Arrays.equals(bytes, i, i + needle.length, needle, 0, needle.length)) {
        return i;
      }
    }
    return -1;
  }

  private static final int NEEDLE_BYTES = 16;

  private boolean isReadable(Address address, SplittableRandom random) throws IOException {
    Model.Known known = world.model.item(address);
    StoreRecord store = world.model.store(address).record;
    return known == null
        || store == null
        || lane.judge()
            .isReadable(
                store.domainId(),
                known.item().root(),
                known.content(),
                random.nextLong(),
                address.toString());
  }

  // ---- splices

  void splice(Step.Splice step) throws IOException {
    StoreRecord store = world.model.store(step.to()).record;
    if (store == null) {
      return;
    }
    ObjectWriter writer =
        lane.attempt(
            Lane.Expected.SUCCESS,
            () ->
                world
                    .store()
                    .openWriter(
                        store.id(), step.to().itemName(), Optional.empty(), Compression.LZ4));
    if (writer == null) {
      return;
    }
    for (World.Slot other : world.uploadsOf(step.to())) {
      other.superseded = true;
    }
    world.model.unfinished(step.to()).mayBeAbsent = true;
    var content = new ByteArrayOutputStream();
    var slot =
        new World.Slot(
            step.to(), new StreamUpload(writer, List.of(new Plan.Segment(new byte[0], 0)), 0));
    try {
      Boolean done =
          lane.attempt(
              Lane.Expected.SUCCESS,
              () -> {
                for (Step.Part part : step.parts()) {
                  if (!append(writer, part, store, content)) {
                    return false;
                  }
                }
                return true;
              });
      if (done != null && done) {
        commit(slot, content.toByteArray(), step.mode(), step.parts().size(), world.newId());
      }
    } finally {
      writer.close();
    }
  }

  private boolean append(
      ObjectWriter writer, Step.Part part, StoreRecord into, ByteArrayOutputStream content)
      throws IOException {
    Model.Known source = world.model.item(part.from());
    StoreRecord from = world.model.store(part.from()).record;
    if (source != null && from != null && from.domainId().equals(into.domainId())) {
      int length = source.content().length;
      int start = (int) ((long) length * part.startOfSixteen() / 16);
      int count = (int) ((long) (length - start) * part.lengthOfSixteen() / 16);
      writer.splice(source.item().root(), start, count);
      content.write(source.content(), start, count);
    }
    byte[] own = new byte[part.ownBytes()];
    new SplittableRandom(part.ownBytes()).nextBytes(own);
    writer.write(own, 0, own.length);
    content.writeBytes(own);
    Wrong.unless(
        writer.positionBytes() == content.size(),
        () -> "the writer stands at " + writer.positionBytes() + ", expected " + content.size());
    return true;
  }

  /** Ends every unfinished upload there is. */
  void endAll() throws IOException {
    for (int store = 0; store < Address.STORES; store++) {
      Model.StoreState state = world.model.store(store);
      if (state.record == null) {
        continue;
      }
      for (UnfinishedUpload upload :
          new ArrayList<>(world.store().unfinishedUploads(state.existing().id()))) {
        world.store().abortUpload(world.newId(), upload.checkpoint().uploadId());
      }
      state.unfinished.clear();
    }
  }
}
