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


def _first(data, magic):
    """Where the first frame that is not wiped begins: the frame at the beginning says so (spool_wipe.c)."""
    head, payload = data[:HEADER.size], data[HEADER.size:HEADER.size + 16]
    if head.startswith(magic) and HEADER.unpack(head)[1] == 16 and payload.startswith(b"MMwiped\0"):
        return int.from_bytes(payload[8:], "little")
    return 0


def frames(path, start=0):
    """The whole frames of a segment, up to the first zeros or anything else that is none."""
    data, magic = path.read_bytes(), struct.pack("<I", MAGIC ^ seed_of(path))
    at = start or _first(data, magic)
    while data[at:at + len(magic)] == magic and at + HEADER.size <= len(data):
        _, size, _sum = HEADER.unpack_from(data, at)
        if at + HEADER.size + size > len(data):
            return
        yield Frame(at, data[at + HEADER.size:at + HEADER.size + size])
        at += HEADER.size + size


def end(path):
    """Where the next frame will begin; 0 when there was none."""
    last = None
    for last in frames(path):
        pass
    return last.at + last.size if last else _first(path.read_bytes(), struct.pack("<I", MAGIC ^ seed_of(path)))


def destroy(book, keys):
    """The events of one frame are gone: the books must not expect them any more."""
    if keys[0][0] == VISITS:
        book.lost_visits.update([keys[0][1]])
        return
    marker = next(key for key in keys if key[0] in ("markers", "singles"))
    book.taken[marker] = keys
