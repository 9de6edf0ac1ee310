#!/usr/bin/env python3
"""onefold_reader.py DATA ls [STORE]             stores, or the items of one
onefold_reader.py DATA get STORE/ITEM FILE     an item's bytes, - for standard output
onefold_reader.py DATA restore STORE/ITEM DIR  a backed-up tree into a folder
onefold_reader.py DATA verify                  reads every item, names what cannot be read

Reads a data directory of Onefold without Onefold: no server, no write, not even a lock (so let no server run on it). It was written
from the descriptions in docs/formats and shares nothing with the product, so that data can be had back as long as there is a Python.
Needs Python 3.9 and the commands lz4 and zstd. Every chunk is checked against its
SHA-256. What is damaged reads as zeros, is named on standard error, and ends the program with exit code 1; 2 means misuse.
"""
import collections, hashlib, io, os, pathlib, shutil, struct, subprocess, sys, tarfile

DATA, NODE = 1, 2


class Damaged(Exception):
    pass


# ---- CRC32C (Castagnoli), for what has no fingerprint

TABLE = []
for n in range(256):
    for _ in range(8):
        n = (n >> 1) ^ (0x82F63B78 if n & 1 else 0)
    TABLE.append(n)


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc = TABLE[(crc ^ byte) & 0xFF] ^ (crc >> 8)
    return crc ^ 0xFFFFFFFF


def require(condition, text):
    if not condition:
        raise Damaged(text)


class Fields:
    """Little-endian fields one behind another."""

    def __init__(self, data, at=0):
        self.data, self.at = data, at

    def take(self, count):
        require(count <= len(self.data) - self.at, "field of %d bytes with %d left" % (count, len(self.data) - self.at))
        self.at += count
        return self.data[self.at - count:self.at]

    def number(self, count):
        return int.from_bytes(self.take(count), "little")

    u8, u32, u64 = (lambda self, count=count: self.number(count) for count in (1, 4, 8))

    def varint(self):
        value = shift = 0
        while True:
            byte = self.u8()
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value

    def text(self):
        return self.take(self.u32()).decode("utf-8")

    def root(self):
        return Root(self.take(32), self.u8(), self.u64())

    def tags(self):
        return {self.text(): self.text() for _ in range(self.number(2))}

    def item(self):
        root, of, _, created = self.root(), self.take(16), self.u64(), self.u64()
        self.take(17)
        return Item(root, of, created, self.tags())


Root = collections.namedtuple("Root", "fingerprint level length")
Item = collections.namedtuple("Item", "root id created tags")


# ---- superblock and journal (superblock.md, journal.md, commit-record.md)

def content(folder, name):
    path = pathlib.Path(folder, name)
    return path.read_bytes() if path.exists() else b""


def superblock(folder):
    found = []
    for name in ("superblock.0", "superblock.1"):
        b = content(folder, name)
        if len(b) == 4096 and b[:8] == b"ONEFOLDS" and crc32c(b[:4092]) == int.from_bytes(b[4092:], "little"):
            version, flags, _, root_length, sequence = struct.unpack_from("<IIIIQ", b, 8)
            require(version == 1 and flags & ~1 == 0, name + " was written by a newer release")  # 1: there are shares
            found.append((sequence, int.from_bytes(b[56:64], "little"), b[72:72 + root_length], b[39:31:-1] + b[47:39:-1]))
    require(found, folder + " has no whole superblock")
    return max(found)


def journal(folder, start, owner):
    """Payloads of the commit records from position start on, in order."""
    records = {}
    for name, b in [(n, content(folder, n)) for n in sorted(os.listdir(folder)) if n.endswith(".journal")]:
        if len(b) < 128 or b[:8] != b"ONEFJRNL" or crc32c(b[:124]) != int.from_bytes(b[124:128], "little"):
            warn("journal/" + name + ": damaged header")
            continue
        version, flags = struct.unpack_from("<II", b, 8)
        require(version == 1 and flags == 0, name + " was written by a newer release")
        first, salt = struct.unpack_from("<Q", b, 56)[0], b[64:72]
        if struct.unpack_from("<I", b, 80)[0] >= 2:
            records = {p: r for p, r in records.items() if p < first}
        at, expected, index, group = 128, None, 0, None
        while at + 48 <= len(b) and b[at:at + 4] == b"OFJR":
            head_crc, crc, n = struct.unpack_from("<III", b, at + 4)
            position, _, of_group, kind, count = struct.unpack_from("<QQQII", b, at + 16)
            if head_crc != crc32c(salt + b[at + 8:at + 48]) or n > 1 << 24 or at + 48 + n > len(b):
                break
            payload = b[at + 48:at + 48 + n]
            if (expected not in (None, position) or count != index or of_group not in (group, position)
                    or crc != crc32c(payload)):
                break
            at += (48 + n + 7) & ~7
            if kind >= 0xFF00:
                expected = position
                continue
            records[position] = (kind, payload)
            expected, index, group = position + 1, index + 1, of_group
    wanted = sorted(p for p in records if p >= start)
    b = content(folder, "witness")
    whole = b[:12] + b[24:40] == b"ONEFJWIT\1\0\0\0" + owner and len(b) == 64 and crc32c(b[:60]) == int.from_bytes(b[60:], "little")
    for before, after in zip([start - 1] + wanted, wanted + ([int.from_bytes(b[40:48], "little")] if whole else [])):
        if after > before + 1:
            warn("journal: the records %d to %d are missing" % (before + 1, after - 1))
    return [(p, records[p][1]) for p in wanted if records[p][0] == 1]


class Domains:
    """What the commit records say about containers: for each domain the next number, ends, and bytes to lay over the files."""

    def __init__(self):
        self.next, self.ends, self.bytes, self.commands = {}, {}, collections.defaultdict(list), []

    def add(self, position, payload):
        f = Fields(payload)
        require(f.u32() == 1, "a commit record of a newer release")
        f.u32(), f.u64()
        parts, commands = f.u32(), f.u32()
        for _ in range(parts):
            domain = struct.pack(">QQ", f.u64(), f.u64()).hex()
            self.next[domain], ends, _ = f.u64(), f.u32(), f.u32()
            self.ends[domain] = {}
            for _ in range(ends):
                number, kind = f.u64(), f.u8()
                f.take(3)
                length, end = f.u32(), f.u64()
                self.ends[domain][number] = end
                if length:
                    self.bytes[domain, kind, number].append((end - length, f.take(length)))
        for _ in range(commands):
            self.commands.append((position, f.take(f.u32())))


# ---- blocks and containers (block.md, container.md)

def command(arguments, data):
    if not shutil.which(arguments[0]):
        raise SystemExit("onefold_reader: the %s command is needed; install it (Debian: apt install %s)" % (arguments[0], arguments[0]))
    p = subprocess.run(arguments, input=data, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    require(p.returncode == 0, arguments[0] + " cannot expand a block")
    return p.stdout


def expand(codec, payload):
    if codec == 0:
        return payload
    if codec == 1:
        # A frame of independent blocks of up to 4 MB around it; 0x73 is the checksum of these two bytes of descriptor.
        return command(["lz4", "-dc"], b"\x04\x22\x4d\x18\x60\x70\x73" + struct.pack("<I", len(payload)) + payload + bytes(4))
    require(codec == 2, "codec %d of a newer release" % codec)
    return command(["zstd", "-dcq"], payload)


def open_block(b):
    """Returns the plain bytes of a block's chunks and where each begins, and the end."""
    require(len(b) >= 32 and b[:4] == b"OFBK", "not a block")
    _, version, codec, _, flags, _, raw, length, chunks, key, _ = struct.unpack_from("<IHBBHHIIIII", b)
    require(version == 1 and flags == 0 and key == 0, "a block of a newer release")
    require(raw <= 1 << 20 and chunks <= 4096 and 32 + length + 4 * chunks <= len(b), "a block with lengths out of range")
    plain = expand(codec, b[32:32 + length])
    require(len(plain) == raw, "a block expands to %d bytes, expected %d" % (len(plain), raw))
    starts = [0]
    for n in struct.unpack_from("<%dI" % chunks, b, 32 + length):
        starts.append(starts[-1] + n)
    require(starts[-1] == raw, "the lengths of a block's chunks do not add up")
    return plain, starts


class Container:
    def __init__(self, path, over, end):
        self.path, self.over = path, over
        self.size = os.path.getsize(path) if end is None else end
        self.blocks = []  # (offset of the block, its length, first slot, chunks)
        self.fingerprints = []

    def read(self, offset, length):
        with open(self.path, "rb") as f:
            f.seek(offset)
            b = bytearray(f.read(length))
        b += bytes(length - len(b))
        for start, data in self.over:  # bytes that a commit carried count, whatever the file holds
            a, z = max(start, offset), min(start + len(data), offset + length)
            if a < z:
                b[a - offset:z - offset] = data[a - start:z - start]
        return bytes(b)

    def directory(self):
        """Reads the directory at the end; False if there is none that is whole."""
        if self.size < 320:
            return False
        b = self.read(self.size - 192, 192)
        if b[:8] != b"ONEFCEND" or crc32c(b[:188]) != int.from_bytes(b[188:], "little"):
            return False
        table, blocks, slots, count = struct.unpack_from("<QQII", b, 76)
        if table + 32 * slots > self.size or blocks + 16 * count > self.size:
            return False
        prints, rows = self.read(table, 32 * slots), self.read(blocks, 16 * count)
        if crc32c(rows) != struct.unpack_from("<I", b, 120)[0]:
            return False
        self.fingerprints = [prints[i:i + 32] for i in range(0, len(prints), 32)]
        at, slot = 128, 0
        for length, raw, chunks, _ in struct.iter_unpack("<IIII", rows):
            if raw:
                self.blocks.append((at + 24, length, slot, chunks))
            at += 24 + length
            slot += chunks
        return True

    def scan(self):
        """Finds the blocks by their frames and fingerprints what they hold."""
        at, b = 128, self.read(0, self.size)
        while True:
            at = b.find(b"OFFB", at)
            if at < 0 or at + 24 > len(b):
                return
            length, slot, chunks, _, _ = struct.unpack_from("<IIIII", b, at + 4)
            try:
                require(slot < 266240 and at + 24 + length <= len(b), "frame out of range")
                plain, starts = open_block(b[at + 24:at + 24 + length])
                require(len(starts) == chunks + 1, "frame and block differ")
            except (Damaged, IndexError):
                at += 1
                continue
            self.fingerprints += [b""] * (slot + chunks - len(self.fingerprints))
            for i in range(chunks):
                self.fingerprints[slot + i] = hashlib.sha256(plain[starts[i]:starts[i + 1]]).digest()
            self.blocks.append((at + 24, length, slot, chunks))
            at += 24 + length

    def block_of(self, slot):
        low, high = 0, len(self.blocks)
        while low < high:
            middle = (low + high) // 2
            if self.blocks[middle][2] + self.blocks[middle][3] <= slot:
                low = middle + 1
            else:
                high = middle
        require(low < len(self.blocks) and self.blocks[low][2] <= slot, "slot %d is lost" % slot)
        return low


class Chunks:
    """The chunks of one domain, found by the containers' directories alone."""

    def __init__(self, folder, domain, domains):
        self.places = {DATA: {}, NODE: {}}
        self.containers = []
        self.cache = collections.OrderedDict()
        for kind, name in ((DATA, "data"), (NODE, "node")):
            base = os.path.join(folder, "domains", domain, name)
            newest = {}
            for file in os.listdir(base) if os.path.isdir(base) else []:
                stem, dot, ending = file.partition(".")
                if ending in ("open", "container") and "-" in stem:
                    number, generation = (int(x, 16) for x in stem.split("-"))
                    newest.setdefault(number, []).append((generation, ending == "container", file))
            for number, files in sorted(newest.items()):
                end = domains.ends.get(domain, {}).get(number)
                if number >= domains.next.get(domain, 1 << 64) and end is None:
                    continue  # never committed
                for generation, sealed, file in sorted(files, key=lambda f: (f[1], f[0]), reverse=True):
                    container = Container(os.path.join(base, file), domains.bytes.get((domain, kind, number), []), end)
                    if container.directory() or not (sealed and generation > 1 and len(files) > 1):
                        break
                if not container.blocks:
                    container.scan()
                for slot, fingerprint in enumerate(container.fingerprints):
                    self.places[kind].setdefault(fingerprint, []).append((len(self.containers), slot))
                self.containers.append(container)

    def get(self, kind, fingerprint):
        """Returns a chunk's bytes, from the first place where they are whole."""
        why = "it is in no container"
        for where, slot in self.places[kind].get(fingerprint, []):
            try:
                container = self.containers[where]
                row = container.block_of(slot)
                opened = self.cache.get((where, row))
                if opened is None:
                    opened = open_block(container.read(*container.blocks[row][:2]))
                    self.cache[where, row] = opened
                    if len(self.cache) > 64:
                        self.cache.popitem(last=False)
                else:
                    self.cache.move_to_end((where, row))
                plain, starts = opened
                i = slot - container.blocks[row][2]
                chunk = plain[starts[i]:starts[i + 1]]
                require(hashlib.sha256(chunk).digest() == fingerprint, "its bytes have another fingerprint")
                return chunk
            except (Damaged, IndexError) as e:
                why = "%s: %s" % (os.path.basename(container.path), e)
        raise Damaged("chunk %s: %s" % (fingerprint.hex(), why))


# ---- catalog (catalog-page.md, catalog-command.md)

class Catalog:
    def __init__(self, folder):
        _, start, encoded, owner = superblock(folder)
        self.domains = Domains()
        for position, payload in journal(os.path.join(folder, "journal"), start, owner):
            self.domains.add(position, payload)
        self.pages = Chunks(folder, "0" * 32, self.domains)
        self.stores, self.items, self.domain_of = {}, collections.defaultdict(dict), {}
        done = 0
        if encoded:
            f = Fields(encoded)
            fingerprint, level, done = f.take(32), f.u8(), f.u64()
            self.load(fingerprint, level)
        for position, encoded in self.domains.commands:
            if position > done:
                self.apply(encoded)

    def walk(self, fingerprint, level):
        page = self.pages.get(NODE, fingerprint)
        require(page[:5] == b"\xc7OCP\x01" and page[6] == level, "a page of another level or a newer release")
        f = Fields(page, 8)
        entries, prefix = f.number(2), f.number(2)
        f.take(16)
        prefix = f.take(prefix)
        for _ in range(entries):
            key = prefix + f.take(f.varint())
            if level:
                yield from self.walk(f.take(32), level - 1)
            else:
                length = f.varint()
                value = f.take(length >> 1)
                if length & 1:
                    parts = Fields(value)
                    length = parts.u32()
                    value = b""
                    while len(value) < length:
                        value += self.pages.get(NODE, parts.take(32))[28:]
                yield key, value

    def load(self, fingerprint, level):
        trees = []
        for key, value in self.walk(fingerprint, level):
            if key[0] == 3:
                self.store(Fields(value))
            elif key[0] == 6 and key[1] == 3:
                trees.append((key[2:18], value))
        for store, value in trees:
            for name, item in self.walk(value[:32], value[32]):
                self.items[store][name.decode("utf-8")] = Fields(item).item()

    def store(self, f):
        store, name, domain = f.take(16), f.text(), f.take(16)
        self.stores[store], self.domain_of[store] = name, domain.hex()

    def apply(self, encoded):
        f = Fields(encoded)
        require(f.u8() <= 3, "a command of a newer release")  # those of version 3 are about shares
        kind = f.u8()
        f.take(18)
        now = f.u64()
        f.u64()
        if kind in (2, 3):
            self.store(f)
        elif kind == 4:
            store = f.take(16)
            self.stores.pop(store, None)
            self.items.pop(store, None)
        elif kind == 5:
            store, name, item, root, mode = f.take(16), f.text(), f.take(16), f.root(), f.u8()
            if mode == 2 or name not in self.items[store]:
                self.items[store][name] = Item(root, item, now, f.tags())
        elif kind == 6:
            store = f.take(16)
            self.items[store].pop(f.text(), None)
        elif kind == 7:
            store, name, target, new_name, item, mode = f.take(16), f.text(), f.take(16), f.text(), f.take(16), f.u8()
            source = self.items[store].get(name)
            if source and (mode == 2 or new_name not in self.items[target]):
                self.items[target][new_name] = source._replace(id=item, created=now)
        elif kind == 20:
            store, _, item, name, mode = f.take(16), f.text(), f.item(), f.text(), f.u8()
            if any(item.id) and (mode == 2 or name not in self.items[store]):
                self.items[store][name] = item
        elif kind == 23:
            source, copy, name, snapshot = f.take(16), f.take(16), f.text(), f.u8()
            name = self.stores.get(source, "") + "@" + name if snapshot else name
            if source in self.stores and name not in self.stores.values():
                self.stores[copy], self.domain_of[copy] = name, self.domain_of[source]
                self.items[copy] = dict(self.items[source])
        elif kind == 24:
            self.stores.pop(f.take(16), None)


# ---- items (recipe-node.md, backup-tree.md)

def pieces(chunks, root, gaps):
    """An item's bytes in order; what cannot be read comes as zeros and is named in gaps."""

    def zeros(length):
        while length > 0:
            yield bytes(min(length, 1 << 20))
            length -= 1 << 20

    def missing(length, why, at):
        gaps.append("%d bytes from %d on: %s" % (length, at, why))
        yield from zeros(length)

    def walk(fingerprint, level, length, at):
        try:
            f = Fields(chunks.get(NODE, fingerprint))
            require(f.u8() == 1 and f.u8() == level and f.number(2) == 1, "a node of another level or a newer release")
            entries = f.number(2)
        except Damaged as e:
            yield from missing(length, e, at)
            return
        for _ in range(entries):
            head = f.u8()
            covered = head >> 3 & 15
            if head & 0x80:
                covered += 16 * f.varint()
            kind = head & 7
            if kind == 0:
                yield from walk(f.take(32), level - 1, covered, at)
            elif kind in (1, 2):
                skipped = f.varint() if kind == 2 else 0
                if kind == 2:
                    f.varint()
                try:
                    yield chunks.get(DATA, f.take(32))[skipped:skipped + covered]
                except Damaged as e:
                    yield from missing(covered, e, at)
            else:
                require(kind in (3, 4), "an entry of a newer release")
                yield from zeros(covered)
            at += covered

    yield from walk(root.fingerprint, root.level, root.length, 0)


class Stream(io.RawIOBase):
    """Pieces as a file that is read from its beginning."""

    def __init__(self, source):
        self.source, self.rest = source, b""

    def readable(self):
        return True

    def readinto(self, target):
        while not self.rest:
            self.rest = next(self.source, None)
            if self.rest is None:
                self.rest = b""
                return 0
        n = min(len(target), len(self.rest))
        target[:n], self.rest = self.rest[:n], self.rest[n:]
        return n


def restore(source, folder):
    os.makedirs(folder, exist_ok=True)
    directories = []
    options = {"filter": "tar"} if hasattr(tarfile, "tar_filter") else {}
    with tarfile.open(fileobj=io.BufferedReader(Stream(source), 1 << 20), mode="r|", errors="surrogateescape") as archive:
        for member in archive:
            require(not member.name.startswith("/") and ".." not in member.name.split("/"), member.name + " leads out of the folder")
            mode = member.mode
            archive.extract(member, folder, numeric_owner=True, **options)
            path = os.path.join(folder, member.name)
            if not member.islnk() and not member.issym():
                for key, value in member.pax_headers.items():
                    if key.startswith("SCHILY.xattr."):
                        try:
                            os.setxattr(path, key[13:], value.encode("utf-8", "surrogateescape"))
                        except OSError as e:
                            warn("%s: %s: %s" % (member.name, key[13:], e.strerror))
                os.chmod(path, mode)
            if member.isdir():
                directories.append((path, float(member.pax_headers.get("mtime", member.mtime))))
        for path, mtime in reversed(directories):
            os.utime(path, (mtime, mtime))
    for _ in source:  # to the end, so that all of it has been checked
        pass


# ---- the command line

warnings = 0


def warn(text):
    global warnings
    warnings += 1
    print("onefold_reader: " + text, file=sys.stderr)


class Reader:
    def __init__(self, folder):
        self.folder, self.catalog, self.opened = folder, Catalog(folder), {}

    def chunks(self, store):
        domain = self.catalog.domain_of[store]
        if domain not in self.opened:
            self.opened[domain] = Chunks(self.folder, domain, self.catalog.domains)
        return self.opened[domain]

    def store(self, name):
        for store, found in self.catalog.stores.items():
            if found == name:
                return store
        raise SystemExit("onefold_reader: there is no store '%s'; ls shows them" % name)

    def item(self, reference):
        name, _, item = reference.partition("/")
        store = self.store(name)
        if item not in self.catalog.items[store]:
            raise SystemExit("onefold_reader: there is no item '%s'; ls %s shows them" % (reference, name))
        return self.chunks(store), self.catalog.items[store][item]

    def read(self, reference, use):
        chunks, item = self.item(reference)
        gaps = []
        use(pieces(chunks, item.root, gaps))
        for gap in gaps:
            warn("%s: %s" % (reference, gap))

    def verify(self):
        for store, name in sorted(self.catalog.stores.items(), key=lambda x: x[1]):
            for item, found in sorted(self.catalog.items[store].items()):
                before, length = warnings, 0

                def count(source):
                    nonlocal length
                    length = sum(len(piece) for piece in source)

                self.read(name + "/" + item, count)
                if length != found.root.length:
                    warn("%s/%s: %d bytes, expected %d" % (name, item, length, found.root.length))
                print("%s\t%s/%s\t%d" % ("whole" if warnings == before else "DAMAGED", name, item, length))


def main(arguments):
    if len(arguments) < 2 or (arguments[1], len(arguments)) not in (
            ("ls", 2), ("ls", 3), ("get", 4), ("restore", 4), ("verify", 2)):
        print(__doc__, file=sys.stderr)
        return 2
    reader, verb = Reader(arguments[0]), arguments[1]
    if verb == "ls" and len(arguments) == 2:
        for store, name in sorted(reader.catalog.stores.items(), key=lambda x: x[1]):
            print("%s\t%d items" % (name, len(reader.catalog.items[store])))
    elif verb == "ls":
        for name, item in sorted(reader.catalog.items[reader.store(arguments[2])].items()):
            print("%s\t%d" % (name, item.root.length))
    elif verb == "get":
        out = sys.stdout.buffer if arguments[3] == "-" else open(arguments[3], "xb")
        with out:
            reader.read(arguments[2], lambda source: collections.deque(map(out.write, source), 0))
    elif verb == "restore":
        reader.read(arguments[2], lambda source: restore(source, arguments[3]))
    else:
        reader.verify()
    return 1 if warnings else 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except Damaged as e:
        sys.exit("onefold_reader: " + str(e))
