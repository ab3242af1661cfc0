"""Segments of a spool, read as src/spool/frame.h and src/event/event.h say, to know what a bit is about to destroy."""

import struct
from dataclasses import dataclass

from ledger import VISITS

MAGIC = 0x31464D4D
HEADER = struct.Struct("<III")
EVENT = struct.Struct("<BBBBHHqqq")
ACTIONS = {1: "views", 2: "downloads"}
TAGS = {1: "type", 2: "id", 3: "user"}


@dataclass
class Frame:
    at: int
    payload: bytes

    @property
    def size(self):
        return HEADER.size + len(self.payload)

    def keys(self):
        """(type, id, user, action) of each event in it."""
        keys, at = [], 0
        while at < len(self.payload):
            size = struct.unpack_from("<H", self.payload, at)[0]
            keys.append(_key(self.payload[at + 2:at + 2 + size]))
            at += 2 + size
        return keys


def _key(event):
    fields, at = dict.fromkeys(TAGS.values(), ""), EVENT.size
    while at < len(event):
        tag, size = struct.unpack_from("<BH", event, at)
        if tag in TAGS:
            fields[TAGS[tag]] = event[at + 3:at + 3 + size].decode()
        at += 3 + size
    return fields["type"], fields["id"], fields["user"], ACTIONS[event[1]]


def seed_of(path):
    return int(path.stem.rpartition("-")[2], 16)


def _behind_zeros(data, magic):
    """Where the first frame begins, whose own first bytes may be zeros, too."""
    at = len(data) - len(data.lstrip(bytes(1)))
    return max(0, at - (len(magic) - len(magic.lstrip(bytes(1)))))


def frames(path, start=0):
    """The whole frames of a segment, up to the first zeros or anything else that is none. What is counted is wiped: the
    first frame stands behind zeros."""
    data, magic = path.read_bytes(), struct.pack("<I", MAGIC ^ seed_of(path))
    at = start or _behind_zeros(data, magic)
    while data[at:at + len(magic)] == magic and at + HEADER.size <= len(data):
        _, size, _sum = HEADER.unpack_from(data, at)
        if at + HEADER.size + size > len(data):
            return
        yield Frame(at, data[at + HEADER.size:at + HEADER.size + size])
        at += HEADER.size + size


def end(path):
    """Where the next frame will begin; 0 when all are wiped, or there is none."""
    last = None
    for last in frames(path):
        pass
    return last.at + last.size if last else 0


def destroy(book, keys):
    """The events of one frame are gone: the books must not expect them any more."""
    if keys[0][0] == VISITS:
        book.lost_visits.update([keys[0][1]])
        return
    marker = next(key for key in keys if key[0] in ("markers", "singles"))
    book.taken[marker] = keys
