package onefold.catalyst.server;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import onefold.catalyst.wire.ErrorCode;
import onefold.catalyst.wire.ItemInfo;
import onefold.catalyst.wire.Message;
import onefold.catalyst.wire.StoreInfo;
import onefold.catalyst.wire.StoreUsage;
import onefold.catalyst.wire.UnfinishedInfo;
import onefold.catalyst.wire.WireException;
import onefold.catalyst.wire.WireId;
import onefold.store.ItemPage;
import onefold.store.ItemRecord;
import onefold.store.Names;
import onefold.store.StoreRecord;
import onefold.store.StoreStatistics;
import onefold.store.UnfinishedUpload;

/** Answers single requests. */
final class Requests {
  /** Most stores of one answer. */
  private static final int STORES_PER_PAGE = 1000;

  /** A page of items ends when it has grown to this. */
  private static final int PAGE_BYTES = 512 << 10;

  private static final int MAX_ITEMS_PER_PAGE = 10_000;
  private static final long MILLIS_PER_DAY = 24L * 60 * 60 * 1000;

  /** Most unfinished uploads of one answer: their names may be 1 KiB long. */
  private static final int MAX_UNFINISHED = 900;

  private final Doors doors;
  private final OpenUploads uploads;

  Requests(Doors doors, OpenUploads uploads) {
    this.doors = doors;
    this.uploads = uploads;
  }

  /** Returns the answer; what cannot be done is thrown. */
  Message answer(Message request) throws IOException {
    return switch (request) {
      case Message.ListStores m -> stores(m);
      case Message.FindItem m -> {
        StoreRecord in = doors.open(m.store(), Right.READ);
        yield new Message.Item(
            Doors.info(doors.item(in, Names.checkItemName(m.item()), WireId.NONE)));
      }
      case Message.ListItems m -> items(m);
      case Message.DeleteItem m -> {
        StoreRecord in = doors.open(m.store(), Right.WRITE);
        doors.store().deleteItem(Doors.id(m.command()), in.id(), Names.checkItemName(m.item()));
        yield new Message.Done();
      }
      case Message.CloneItem m -> clone(m);
      case Message.UpdateItem m -> update(m);
      case Message.ListUnfinished m -> unfinished(m);
      case Message.AbortUpload m -> abort(m);
      case Message.StoreStatistics m -> {
        StoreRecord in = doors.open(m.store(), Right.READ);
        StoreStatistics figures = doors.store().statistics(in.id());
        yield new Message.Statistics(
            new StoreUsage(
                figures.itemCount(),
                figures.logicalBytes(),
                figures.unfinishedCount(),
                figures.unfinishedBytes()));
      }
      default -> throw WireException.malformed(request.type() + " is no request");
    };
  }

  private Message stores(Message.ListStores request) throws IOException {
    List<StoreRecord> all = new ArrayList<>(doors.store().stores());
    all.sort(Comparator.comparing(StoreRecord::name));
    var page = new ArrayList<StoreInfo>();
    for (StoreRecord record : all) {
      if (record.name().compareTo(request.after()) > 0 && doors.sees(record.name())) {
        if (page.size() == STORES_PER_PAGE) {
          return new Message.Stores(true, page);
        }
        page.add(doors.info(record));
      }
    }
    return new Message.Stores(false, page);
  }

  private Message items(Message.ListItems request) throws IOException {
    StoreRecord in = doors.open(request.store(), Right.READ);
    if (request.limit() < 1 || request.limit() > MAX_ITEMS_PER_PAGE) {
      throw new WireException(
          ErrorCode.INVALID_REQUEST, "limit " + request.limit() + ", must be 1 to 10,000");
    }
    ItemPage page =
        doors.store().listItems(in.id(), request.prefix(), request.after(), request.limit());
    var items = new ArrayList<ItemInfo>(page.items().size());
    int pageBytes = 0;
    for (ItemRecord record : page.items()) {
      pageBytes += estimatedBytes(record);
      if (pageBytes > PAGE_BYTES && !items.isEmpty()) {
        return new Message.ItemPage(true, items);
      }
      items.add(Doors.info(record));
    }
    return new Message.ItemPage(page.more(), items);
  }

  /** An upper bound: three bytes of UTF-8 for a char. */
  private static int estimatedBytes(ItemRecord record) {
    int bytes = 128 + 3 * record.name().length();
    for (Map.Entry<String, String> tag : record.tags().entrySet()) {
      bytes += 4 + 3 * (tag.getKey().length() + tag.getValue().length());
    }
    return bytes;
  }

  private Message clone(Message.CloneItem request) throws IOException {
    StoreRecord from = doors.open(request.store(), Right.READ);
    StoreRecord to =
        doors.open(request.targetStore(), request.replace() ? Right.WRITE : Right.APPEND);
    ItemRecord made =
        doors
            .store()
            .cloneItem(
                Doors.id(request.command()),
                from.id(),
                Names.checkItemName(request.item()),
                to.id(),
                Names.checkItemName(request.targetItem()),
                Doors.mode(request.replace()));
    return new Message.Item(Doors.info(made));
  }

  private Message update(Message.UpdateItem request) throws IOException {
    StoreRecord in = doors.open(request.store(), Right.WRITE);
    ItemRecord old = doors.item(in, Names.checkItemName(request.item()), WireId.NONE);
    if (old.held() && request.hold() == Message.Hold.RELEASE) {
      doors.open(request.store(), Right.RELEASE);
    }
    SortedMap<String, String> tags = request.tags();
    boolean held =
        switch (request.hold()) {
          case AS_IS -> old.held();
          case HOLD -> true;
          case RELEASE -> false;
        };
    long lockedUntil =
        request.lockDays() == 0
            ? 0
            : Math.max(
                old.lockedUntilMillis(),
                Math.addExact(
                    doors.store().storeTimeMillis(), request.lockDays() * MILLIS_PER_DAY));
    ItemRecord changed =
        doors
            .store()
            .updateItem(
                Doors.id(request.command()),
                in.id(),
                old.name(),
                tags == null ? old.tags() : tags,
                held,
                lockedUntil);
    return new Message.Item(Doors.info(changed));
  }

  private Message unfinished(Message.ListUnfinished request) throws IOException {
    StoreRecord in = doors.open(request.store(), Right.READ);
    var found = new ArrayList<UnfinishedInfo>();
    for (UnfinishedUpload upload : doors.store().unfinishedUploads(in.id())) {
      if (found.size() < MAX_UNFINISHED) {
        found.add(
            new UnfinishedInfo(
                Doors.wire(upload.checkpoint().uploadId()),
                upload.itemName(),
                upload.checkpoint().root().lengthBytes(),
                upload.createdAtMillis()));
      }
    }
    return new Message.Unfinished(found);
  }

  private Message abort(Message.AbortUpload request) throws IOException {
    StoreRecord in = doors.open(request.store(), Right.WRITE);
    boolean parked = uploads.dropParked(Doors.id(request.upload()));
    boolean known =
        doors.store().unfinishedUploads(in.id()).stream()
            .anyMatch(u -> u.checkpoint().uploadId().equals(Doors.id(request.upload())));
    if (known) {
      doors.store().abortUpload(Doors.id(request.command()), Doors.id(request.upload()));
    } else if (!parked) {
      throw new WireException(
          ErrorCode.NOT_FOUND,
          "there is no unfinished upload " + request.upload() + " in store '" + in.name() + "'");
    }
    return new Message.Done();
  }
}
