"""What is in the demo's files: small honest examples of the kinds that research repositories hold.

Each kind is a function from a random generator and a size in bytes (a wish, met roughly) to bytes. The same generator
state gives the same bytes, so every seeding of the demo serves the same files.
"""

import gzip
import json
import math
import struct
import zlib

WORDS = (
    "plot soil canopy sensor height leaf yield moisture river gauge sample station survey orthophoto nitrogen "
    "carbon transect season replicate calibration drone radiance"
).split()


def make_csv(rng, size):
    lines, length = ["time,plot,temperature_c,humidity_pct,remark"], 0
    while length < size:
        minute = len(lines)
        remark = '"checked, ok"' if minute % 50 == 0 else ""
        lines.append(
            f"2024-06-{1 + minute // 1440 % 30:02d}T{minute // 60 % 24:02d}:{minute % 60:02d}:00Z,{rng.randint(1, 40)},"
            f"{rng.gauss(21, 4):.2f},{rng.uniform(30, 95):.1f},{remark}"
        )
        length += len(lines[-1]) + 2
    return ("\r\n".join(lines) + "\r\n").encode()


def make_text(rng, size):
    text = ["Field notes.\n"]
    while sum(map(len, text)) < size:
        text.append(" ".join(rng.choices(WORDS, k=12)).capitalize() + ".\n")
    return "".join(text).encode()


def make_json(rng, size):
    readings = [{"sensor": rng.choice(WORDS), "value": round(rng.gauss(0, 1), 4)} for _ in range(max(1, size // 48))]
    return json.dumps({"unit": "standardised", "readings": readings}, indent=1).encode()


def make_geojson(rng, size):
    features = [
        {
            "type": "Feature",
            "properties": {"plot": number},
            "geometry": {
                "type": "Point",
                "coordinates": [round(rng.uniform(-180, 180), 5), round(rng.uniform(-60, 70), 5)],
            },
        }
        for number in range(max(1, size // 130))
    ]
    return json.dumps({"type": "FeatureCollection", "features": features}).encode()


def make_png(rng, size):
    """A grey-scale picture of two interfering waves, with a side that gives about `size` bytes."""
    side = max(16, min(512, math.isqrt(2 * size)))
    ax, ay, bx, by = (rng.uniform(0.02, 0.2) for _ in range(4))
    rows = b"".join(
        b"\0" + bytes(int(127 + 60 * (math.sin(x * ax + y * ay) + math.sin(x * bx - y * by))) for x in range(side))
        for y in range(side)
    )

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows, 9)) + chunk(b"IEND", b"")


def make_wav(rng, size):
    """A tone at 8 kHz, 16 bit, mono."""
    pitch = rng.uniform(200, 900)
    samples = b"".join(
        struct.pack("<h", int(9000 * math.sin(2 * math.pi * pitch * i / 8000))) for i in range(size // 2)
    )
    header = struct.pack("<4sIHHIIHH4sI", b"fmt ", 16, 1, 1, 8000, 16000, 2, 16, b"data", len(samples))
    return b"RIFF" + struct.pack("<I", 4 + len(header) + len(samples)) + b"WAVE" + header + samples


def make_binary(rng, size):
    return rng.randbytes(size)


def make_gzip(rng, size):
    return gzip.compress(make_csv(rng, size * 3), mtime=0)


# Suffix, media type, maker, and the range of sizes in bytes.
KINDS = (
    ("csv", "text/csv", make_csv, (2_000, 60_000)),
    ("txt", "text/plain", make_text, (300, 8_000)),
    ("json", "application/json", make_json, (500, 20_000)),
    ("geojson", "application/geo+json", make_geojson, (800, 30_000)),
    ("png", "image/png", make_png, (3_000, 40_000)),
    ("wav", "audio/wav", make_wav, (16_000, 48_000)),
    ("dat", "application/octet-stream", make_binary, (20_000, 1_000_000)),
    ("csv.gz", "application/gzip", make_gzip, (5_000, 40_000)),
)
