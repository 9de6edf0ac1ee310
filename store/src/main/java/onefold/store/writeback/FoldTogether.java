package onefold.store.writeback;

import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletionStage;
import onefold.chunker.ObjectRoot;
import onefold.store.Id;
import onefold.store.ShareChange;
import onefold.store.writeback.WritebackObject.Taken;

/**
 * Folds small objects together: their data goes into common blocks, and one change of their share's
 * tree names all their recipes. One by one each would have a pipeline, blocks and a group commit of
 * its own.
 */
final class FoldTogether {
  /** Most objects at once. */
  static final int OBJECTS = 256;

  /** Longer objects are folded by themselves. */
  static final long SMALL_BYTES = 128 << 10;

  /** So that all fit into one change of a tree, notes and all. */
  static final int SMALL_KEY_BYTES = 256;

  private final Writeback owner;
  private final List<Taken> taken = new ArrayList<>();
  private final List<Base> next = new ArrayList<>();
  private int installed;

  private FoldTogether(Writeback owner) {
    this.owner = owner;
  }

  /**
   * Folds the changes of objects. Those at which somebody else works are left out.
   *
   * @throws IOException if some of them are not folded
   */
  static void fold(Writeback owner, List<WritebackObject> objects) throws IOException {
    List<WritebackObject> held = new ArrayList<>();
    FoldTogether folding = new FoldTogether(owner);
    try {
      for (WritebackObject object : objects) {
        if (object.beginTogether()) {
          held.add(object);
        }
      }
      folding.fold(held);
    } finally {
      folding.end();
      held.forEach(WritebackObject::endTogether);
    }
  }

  private void fold(List<WritebackObject> objects) throws IOException {
    for (WritebackObject object : objects) {
      Taken changes = object.takeTogether();
      if (changes != null) {
        taken.add(changes);
      }
    }
    if (taken.isEmpty()) {
      return;
    }
    try (ObjectBuilder into = owner.ground().newBuilder()) {
      LoggedBytes logged = new LoggedBytes(owner.log());
      for (Taken each : taken) {
        each.view().build(into, logged);
        into.endObject();
      }
      List<ObjectRoot> roots = into.finishAll();
      for (int i = 0; i < roots.size(); i++) {
        next.add(taken.get(i).open(roots.get(i)));
      }
      into.check();
      name();
    }
  }

  /** Hands the trees the recipes, and then lets each take the place of the one before. */
  private void name() throws IOException {
    Map<Id, List<ShareChange>> changes = new LinkedHashMap<>();
    for (int i = 0; i < taken.size(); i++) {
      changes
          .computeIfAbsent(taken.get(i).object().shareId, id -> new ArrayList<>())
          .add(taken.get(i).change(next.get(i)));
    }
    List<CompletionStage<Void>> stages = new ArrayList<>();
    for (Map.Entry<Id, List<ShareChange>> share : changes.entrySet()) {
      stages.add(owner.ground().tree(share.getKey()).change(share.getValue()));
    }
    for (CompletionStage<Void> stage : stages) {
      owner.await(stage);
    }
    while (installed < taken.size()) {
      taken.get(installed).object().install(taken.get(installed), next.get(installed));
      installed++;
    }
  }

  private void end() {
    for (Base unused : next.subList(installed, next.size())) {
      unused.leave();
    }
    taken.forEach(Taken::close);
  }
}
