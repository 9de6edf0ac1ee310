package onefold.catalyst.client;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.security.SecureRandom;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.NoSuchElementException;
import java.util.Optional;
import java.util.SortedMap;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import onefold.catalyst.wire.ErrorCode;
import onefold.catalyst.wire.ItemInfo;
import onefold.catalyst.wire.Message;
import onefold.catalyst.wire.PinningTrustManager;
import onefold.catalyst.wire.StoreInfo;
import onefold.catalyst.wire.StoreUsage;
import onefold.catalyst.wire.Tags;
import onefold.catalyst.wire.UnfinishedInfo;
import onefold.catalyst.wire.WireException;
import onefold.catalyst.wire.WireId;
import org.jspecify.annotations.Nullable;

/**
 * A client of one appliance. Safe for many threads; writers and readers are for one thread each.
 * Closing it ends what it has opened.
 *
 * <p>Every method throws {@link CatalystException} if the appliance refuses, {@link
 * KeyMismatchException} if another server answers at its address, and another {@link IOException}
 * if it cannot be reached even by the retry policy.
 */
public final class CatalystClient implements AutoCloseable {
  private static final int PAGE_ITEMS = 1000;

  private final Connections connections;
  private final Workers workers;
  private final SecureRandom random = new SecureRandom();

  private CatalystClient(Connections connections, Workers workers) {
    this.connections = connections;
    this.workers = workers;
  }

  /**
   * Connects and logs in. A server that cannot be reached fails this first attempt at once; a line
   * that breaks once the server has shown its key is made again as the retry policy says, here and
   * from then on.
   */
  public static CatalystClient connect(ClientSettings settings) throws IOException {
    var connections = new Connections(settings);
    try {
      connections.first();
    } catch (IOException e) {
      connections.close();
      throw Connections.shown(e);
    }
    return new CatalystClient(connections, new Workers(settings.workers()));
  }

  /**
   * Returns the certificate a server shows, without trusting it or logging in, so that a human can
   * compare its key.
   *
   * @param settings host, port and times are used
   */
  public static X509Certificate serverCertificate(ClientSettings settings) throws IOException {
    return Connections.certificate(settings);
  }

  /** Returns the pin of a certificate's key: SHA-256 of its SubjectPublicKeyInfo, 64 hex digits. */
  public static String pinOf(X509Certificate certificate) {
    return PinningTrustManager.pinOf(certificate);
  }

  // ---- stores and items

  /** Returns the stores that the user may see, in order of name. */
  public List<StoreInfo> stores() throws IOException {
    var all = new ArrayList<StoreInfo>();
    while (true) {
      String after = all.isEmpty() ? "" : all.getLast().name();
      Message.Stores page = ask(new Message.ListStores(after), Message.Stores.class);
      all.addAll(page.stores());
      if (!page.more() || page.stores().isEmpty()) {
        return all;
      }
    }
  }

  /** Returns a store's figures. */
  public StoreUsage statistics(String store) throws IOException {
    return ask(new Message.StoreStatistics(store), Message.Statistics.class).usage();
  }

  /** Looks an item up. */
  public Optional<ItemInfo> findItem(String store, String item) throws IOException {
    try {
      return Optional.of(ask(new Message.FindItem(store, item), Message.Item.class).item());
    } catch (CatalystException e) {
      if (e.code() == ErrorCode.NOT_FOUND && storeExists(store)) {
        return Optional.empty();
      }
      throw e;
    }
  }

  private boolean storeExists(String store) throws IOException {
    for (StoreInfo there : stores()) {
      if (there.name().equals(store)) {
        return true;
      }
    }
    return false;
  }

  /**
   * Returns a page of items in order of the names' bytes.
   *
   * @param prefix of the names, may be empty
   * @param after the name after which it begins, empty for the start
   * @param limit 1 to 10,000; the page may be shorter
   */
  public Message.ItemPage listItems(String store, String prefix, String after, int limit)
      throws IOException {
    return ask(new Message.ListItems(store, prefix, after, limit), Message.ItemPage.class);
  }

  /**
   * Returns all items with this prefix, page by page as the iteration goes on; a failure is thrown
   * as {@link UncheckedIOException}.
   */
  public Iterable<ItemInfo> items(String store, String prefix) {
    return () -> new ItemIterator(store, prefix);
  }

  private final class ItemIterator implements Iterator<ItemInfo> {
    private final String store;
    private final String prefix;
    private List<ItemInfo> page = List.of();
    private int at;
    private String after = "";
    private boolean more = true;

    private ItemIterator(String store, String prefix) {
      this.store = store;
      this.prefix = prefix;
    }

    @Override
    public boolean hasNext() {
      while (at == page.size() && more) {
        try {
          Message.ItemPage next = listItems(store, prefix, after, PAGE_ITEMS);
          page = next.items();
          more = next.more() && !page.isEmpty();
          at = 0;
          after = page.isEmpty() ? after : page.getLast().name();
        } catch (IOException e) {
          throw new UncheckedIOException(e);
        }
      }
      return at < page.size();
    }

    @Override
    public ItemInfo next() {
      if (!hasNext()) {
        throw new NoSuchElementException();
      }
      return page.get(at++);
    }
  }

  /** Deletes an item; its space comes back with the appliance's housekeeping. */
  public void deleteItem(String store, String item) throws IOException {
    var _ = ask(new Message.DeleteItem(command(), store, item), Message.Done.class);
  }

  /**
   * Gives an item's content a second name in this or another store of its dedup domain; no data
   * moves.
   */
  public ItemInfo cloneItem(
      String store, String item, String targetStore, String targetItem, boolean replace)
      throws IOException {
    return ask(
            new Message.CloneItem(command(), store, item, targetStore, targetItem, replace),
            Message.Item.class)
        .item();
  }

  /** Replaces an item's tags. */
  public ItemInfo setTags(String store, String item, Map<String, String> tags) throws IOException {
    return update(store, item, Tags.checked(tags), Message.Hold.AS_IS, 0);
  }

  /** Holds an item, so that it cannot be deleted or replaced, or releases it. */
  public ItemInfo setHold(String store, String item, boolean held) throws IOException {
    return update(store, item, null, held ? Message.Hold.HOLD : Message.Hold.RELEASE, 0);
  }

  /** Locks an item for so many days of the appliance's time from now; a lock is never shortened. */
  public ItemInfo lock(String store, String item, int days) throws IOException {
    if (days < 1) {
      throw new IllegalArgumentException("days " + days);
    }
    return update(store, item, null, Message.Hold.AS_IS, days);
  }

  private ItemInfo update(
      String store,
      String item,
      @Nullable SortedMap<String, String> tags,
      Message.Hold hold,
      int lockDays)
      throws IOException {
    return ask(
            new Message.UpdateItem(command(), store, item, tags, hold, lockDays),
            Message.Item.class)
        .item();
  }

  /** Returns the uploads of a store that were neither committed nor aborted. */
  public List<UnfinishedInfo> unfinishedUploads(String store) throws IOException {
    return ask(new Message.ListUnfinished(store), Message.Unfinished.class).uploads();
  }

  /** Ends an unfinished upload. */
  public void abortUpload(String store, WireId upload) throws IOException {
    var _ = ask(new Message.AbortUpload(command(), store, upload), Message.Done.class);
  }

  private WireId command() {
    return WireId.random(random);
  }

  private <M extends Message> M ask(Message question, Class<M> expected) throws IOException {
    Message answer;
    try {
      answer = connections.request(question);
    } catch (IOException e) {
      throw Connections.shown(e);
    }
    if (!expected.isInstance(answer)) {
      throw new CatalystException(
          WireException.malformed(question.type() + " was answered by " + answer.type()));
    }
    return expected.cast(answer);
  }

  /**
   * Returns bytes of frames both ways, headers included, that single requests have cost so far:
   * everything but writers, readers and copies, which have figures of their own.
   */
  public long requestBytes() {
    return connections.requestBytes();
  }

  // ---- bytes

  /** Begins to write an item. */
  public ItemWriter openWriter(String store, String item, WriteOptions options) throws IOException {
    try {
      return switch (bandwidthFor(options)) {
        case HIGH -> new HighBandwidthWriter(connections, store, item, options);
        case LOW, AUTO -> lowOrRefused(store, item, options);
      };
    } catch (IOException e) {
      throw Connections.shown(e);
    }
  }

  private ItemWriter lowOrRefused(String store, String item, WriteOptions options)
      throws IOException {
    try {
      return new LowBandwidthWriter(connections, workers, store, item, options);
    } catch (WireException e) {
      if (e.code() != ErrorCode.BYTES_NEEDED || options.bandwidth() != Bandwidth.AUTO) {
        throw e;
      }
      return new HighBandwidthWriter(connections, store, item, options);
    }
  }

  /** Decides for {@link Bandwidth#AUTO} as its documentation says. */
  private Bandwidth bandwidthFor(WriteOptions options) throws IOException {
    if (options.bandwidth() != Bandwidth.AUTO) {
      return options.bandwidth();
    }
    if (options.expectedBytes() >= 0 && options.expectedBytes() <= Bandwidth.SMALL_ITEM_BYTES) {
      return Bandwidth.HIGH;
    }
    return connections.retrying(Connection::probe).isFasterThan(workers.count())
        ? Bandwidth.HIGH
        : Bandwidth.LOW;
  }

  /**
   * Begins to copy an object that is at hand in stored form, so that only what the appliance lacks
   * is sent. Connects; {@link ItemCopy#run} does it.
   *
   * @throws CatalystException {@code BYTES_NEEDED} if the dedup domain compares bytes before it
   *     shares, {@code INVALID_REQUEST} if it cuts by another parameter set: then the bytes have to
   *     be written
   */
  public ItemCopy openCopy(String store, String item, CopySource source, CopyOptions options)
      throws IOException {
    try {
      return new ItemCopy(connections, store, item, source, options);
    } catch (IOException e) {
      throw Connections.shown(e);
    }
  }

  /** Begins to read an item. */
  public ItemReader openReader(String store, String item) throws IOException {
    try {
      return new ItemReader(connections, workers, store, item);
    } catch (IOException e) {
      throw Connections.shown(e);
    }
  }

  /** Writes all of a stream as an item. */
  public CommittedItem put(String store, String item, InputStream source, WriteOptions options)
      throws IOException {
    try (ItemWriter writer = openWriter(store, item, options)) {
      writer.transferFrom(source);
      return writer.commit();
    }
  }

  /**
   * Reads all of an item.
   *
   * @return how many bytes were written to {@code target}
   */
  public long get(String store, String item, OutputStream target) throws IOException {
    try (ItemReader reader = openReader(store, item)) {
      return reader.transferTo(target);
    }
  }

  /** As {@link #put}, on a thread of its own; the source is read there. */
  public CompletableFuture<CommittedItem> putAsync(
      String store, String item, InputStream source, WriteOptions options) {
    return async(() -> put(store, item, source, options));
  }

  /** As {@link #get}, on a thread of its own; the target is written there. */
  public CompletableFuture<Long> getAsync(String store, String item, OutputStream target) {
    return async(() -> get(store, item, target));
  }

  /** Runs any use of this client on a virtual thread of its own. */
  public static <T> CompletableFuture<T> async(Callable<T> use) {
    var result = new CompletableFuture<T>();
    var _ =
        Thread.ofVirtual()
            .name("catalyst-async")
            .start(() -> {
              try {
                result.complete(use.call());
              } catch (Exception e) {
                result.completeExceptionally(e);
              }
            });
    return result;
  }

  @Override
  public void close() {
    connections.close();
    workers.close();
  }
}
