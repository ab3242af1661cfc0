"""Chains of clicks whose uses are known beforehand, and the books by day.

A chain is one user's clicks on a thing that nobody else touches, of one kind of action and one class, with times that
the request tells. Its clicks are posted in any order, each pack of them with a marker of its own; the marker tells
whether the pack was recorded, whatever the client was answered. Of the clicks that were, those count that no other one follows
within the width: exactly, however many drainers died in between. (So the chains are at a site of their own, whose clock
is never put back or forth so far that the drainer is to forget them.)
"""

import json
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone

WIDTH = 30  # seconds; the site's MetricsDoubleClick
CLICKS = "clicks"
KINDS = ("views", "downloads", "unique_views", "unique_downloads", "unique_investigations")
COUNTERS = (*KINDS, *("machine_" + name for name in KINDS))
# Gaps between two clicks, on both sides of the width, and a second click in the same instant.
GAPS = (0, 1, 12, 29, 29.999, 30, 30.001, 31, 45)
BEFORE_NOW = 400  # a chain is over before it is posted: the future is refused
OPEN_AT_ONCE = 12
NAMES = ({"user": "clicker"}, {"session": "a session"}, {"address": "192.0.2.1", "agent": "Firefox"})


@dataclass
class Chain:
    user: str
    action: str
    machine: bool
    clicks: list = field(default_factory=list)  # (marker, time)

    def uses(self, totals):
        """Times of the uses, if the database's totals tell which clicks were recorded."""
        times = sorted({time for marker, time in self.clicks if totals[marker[0], marker[1], marker[3]] > 0})
        return [time for time, after in zip(times, [*times[1:], None])
                if after is None or after - time > timedelta(seconds=WIDTH)]

    def counters(self, totals):
        uses = self.uses(totals)
        hours = len({(time.date(), time.hour) for time in uses})
        counted = Counter({self.action: len(uses), "unique_" + self.action: hours, "unique_investigations": hours})
        if self.machine:
            counted.update({"machine_" + name: number for name, number in list(counted.items())})
        return counted


class Plan:
    """A chain on its way: what is to be posted yet."""

    def __init__(self, random, name, now=None):
        self.name = name
        self._who = random.choice(NAMES)
        machine = random.random() < 0.3
        self._class = {"class": "script" if machine else "regular"}
        self.chain = Chain(self._who.get("user", ""), random.choice(("views", "downloads")), machine)
        self._times = self._begin(random, now or datetime.now(timezone.utc))
        random.shuffle(self._times)

    @staticmethod
    def _begin(random, now):
        """Some chains lie across the hour, some across the midnight, that was last."""
        hour = now.replace(minute=0, second=0, microsecond=0)
        begin = random.choice((now - timedelta(seconds=BEFORE_NOW), hour, hour.replace(hour=0)))
        begin = min(begin, now - timedelta(seconds=BEFORE_NOW)) - timedelta(seconds=random.randint(0, 40))
        times = [begin]
        for _ in range(random.randint(1, 5)):
            times.append(times[-1] + timedelta(seconds=random.choice(GAPS)))
        return times

    def next(self, random, marker):
        """The next pack: its events as (key, line), without the marker's. None: the chain is over."""
        if not self._times:
            return None
        pack, self._times = self._times[:(n := random.randint(1, 2))], self._times[n:]
        self.chain.clicks += [(marker, time) for time in pack]
        line = {"type": CLICKS, "id": self.name, "action": self.chain.action[:-1], **self._who, **self._class}
        key = (CLICKS, self.name, self.chain.user, self.chain.action)
        return [(key, {**line, "time": time.isoformat(timespec="milliseconds")}) for time in pack]


def expect(book, totals):
    """(Counter by (type, id, user, action), Counter by (type, id, counter)) of all chains."""
    uses, counters = Counter(), Counter()
    for name, chain in book.chains.items():
        counted = chain.counters(totals)
        uses[CLICKS, name, chain.user, chain.action] += counted[chain.action]
        counters.update({(CLICKS, name, counter): number for counter, number in counted.items()})
    return uses, counters


def _number(value):
    return int(value["$numberLong"]) if isinstance(value, dict) and "$numberLong" in value else int(value or 0)


def read_counters(db, types, rejected):
    """(All counters of the resources by (type, id, counter), the same summed up over their days), with what the
    drainers set aside in the files `rejected`."""
    totals, days = Counter(), Counter()
    for type_ in types:
        for doc in db["metrics_" + type_].find({}, dict.fromkeys(COUNTERS, 1)):
            _add(totals, type_, doc["_id"], doc)
    for doc in db.metrics_days.find({}, dict.fromkeys(("type", "resource", *COUNTERS), 1)):
        _add(days, doc["type"], doc["resource"], doc)
    for path in rejected:
        for delta in _deltas(path):
            if delta.get("day") is not None:
                _add(days, delta["type"], delta["id"], delta)
            elif delta.get("user") is None:
                _add(totals, delta["type"], delta["id"], delta)
    return totals, days


def _add(sums, type_, id_, counts):
    for name in COUNTERS:
        if number := _number(counts.get(name, 0)):
            sums[type_, id_, name] += number


def _deltas(path):
    """Each once, though a line may be there twice."""
    seen = set()
    for line in path.read_text().splitlines() if path.exists() else ():
        line = json.loads(line)
        delta = line["delta"]
        key = json.dumps([line["spool"], line["seq"], *map(delta.get, ("type", "id", "user", "day"))], sort_keys=True)
        if key not in seen:
            seen.add(key)
            yield delta


def compare_counters(verdict, expected, totals, days):
    """Days add up to totals, and chains are what was expected."""
    verdict.by_day = len({key[:2] for key in days})
    verdict.uses = sum(number for key, number in expected.items() if key[2] in ("views", "downloads"))
    for key in sorted(set(totals) | set(days)):
        verdict.compare("days of " + " ".join(key), totals[key], days[key], totals[key])
    for key in sorted(set(expected) | {key for key in totals if key[0] == CLICKS}):
        verdict.compare(" ".join(key), expected[key], totals[key], expected[key])
