"""Messages of MongoDB's protocol (OP_MSG), as far as the proxy needs them: where they end, whether one updates counts,
and one without some of its operations."""

import struct

import bson

OP_MSG = 2013
HEADER = struct.Struct("<iiii")
CHECKSUM = 1


class End(Exception):
    """The connection ended."""


def _exactly(line, size):
    data = bytearray()
    while len(data) < size:
        part = line.recv(size - len(data))
        if not part:
            raise End
        data += part
    return bytes(data)


def read(line):
    """One whole message."""
    head = _exactly(line, HEADER.size)
    return head + _exactly(line, HEADER.unpack(head)[0] - HEADER.size)


def is_update(message):
    """Whether it updates counts; the note of the spool in metrics_meta is none."""
    if HEADER.unpack_from(message)[3] != OP_MSG or b"\x02update\0" not in message[:64]:
        return False
    return not Update(message).collection.endswith("_meta")


def seq_of(operation):
    """The batch's number, and whose it is."""
    return next((str(key), int(value)) for key, value in operation["u"]["$set"].items() if key.startswith("seq."))


class Update:
    def __init__(self, message):
        _, self._id, _, _ = HEADER.unpack_from(message)
        self._flags = struct.unpack_from("<I", message, HEADER.size)[0]
        end = len(message) - (4 if self._flags & CHECKSUM else 0)
        at = HEADER.size + 4
        self._body, self.operations = None, None
        while at < end:
            kind, at = message[at], at + 1
            size = struct.unpack_from("<i", message, at)[0]
            if kind == 0:
                self._body = bson.decode(message[at:at + size])
            else:
                begin = message.index(b"\0", at + 4) + 1
                self.operations = bson.decode_all(message[begin:at + size])
            at += size
        self._inline = self.operations is None
        if self._inline:
            self.operations = self._body["updates"]
        self.collection = self._body["update"]

    def without(self, places):
        """The same message, without the operations at these places."""
        kept = [op for place, op in enumerate(self.operations) if place not in places]
        body = {**self._body, "updates": kept} if self._inline else self._body
        sections = b"\0" + bson.encode(body)
        if not self._inline:
            data = b"updates\0" + b"".join(map(bson.encode, kept))
            sections += b"\1" + struct.pack("<i", len(data) + 4) + data
        return _message(self._id, 0, struct.pack("<I", self._flags & ~CHECKSUM) + sections)

    def answer(self, refused, reply):
        """The reply to without(refused), or None, made into one that tells of the refusals ({place: code}), too."""
        kept = [place for place in range(len(self.operations)) if place not in refused]
        doc = bson.decode(reply[HEADER.size + 5:]) if reply else {"n": 0, "nModified": 0, "ok": 1.0}
        for entry in [*doc.get("upserted", ()), *doc.get("writeErrors", ())]:
            entry["index"] = kept[entry["index"]]
        errors = [{"index": place, "code": code, "errmsg": "refused by the test"} for place, code in refused.items()]
        doc["writeErrors"] = sorted([*doc.get("writeErrors", ()), *errors], key=lambda error: error["index"])
        return _message(0, self._id, struct.pack("<I", 0) + b"\0" + bson.encode(doc))


def _message(number, answers, payload):
    return HEADER.pack(HEADER.size + len(payload), number, answers, OP_MSG) + payload
