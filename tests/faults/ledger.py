"""Books of what clients were answered, and the comparison with what the database holds.

A key is (type, id, user, action). A POST carries many events and one marker, whose id no other request has; all of them
are one frame in the spool, so the marker tells of a request without an answer whether it was recorded as a whole. A
visit by GET is recorded behind its answer: of a connection that a kill broke, the last answered visit and the one under
way may be recorded or not. Each connection has an id of its own, so that the doubt is about it alone.
"""

import json
from collections import Counter
from dataclasses import dataclass, field

from clicks import CLICKS, expect

VISITS = "visits"
ACTIONS = ("views", "downloads")


@dataclass
class Visit:
    """One connection: how many visits were answered; when the last was, and when the end of the connection was seen."""

    user: str
    answered: int = 0
    answered_at: float = 0.0
    ended_at: float = 0.0
    broken: bool = False

    def bounds(self, kills, lost=0):
        """(least, most) that may be counted. kills: when processes were killed; lost: taken by a flipped bit."""
        killed = any(begin <= self.ended_at and self.answered_at <= end for begin, end in kills)
        least = self.answered - (1 if killed and self.answered else 0)
        most = self.answered + (1 if self.broken else 0)
        return max(least - lost, 0), max(most - lost, 0)


@dataclass
class Book:
    """Of one client; books are added up."""

    certain: Counter = field(default_factory=Counter)
    unknown: dict = field(default_factory=dict)  # marker: keys of the request
    refused: dict = field(default_factory=dict)
    taken: dict = field(default_factory=dict)  # marker: keys, destroyed in the spool by a fault
    visits: dict = field(default_factory=dict)  # id: Visit
    lost_visits: Counter = field(default_factory=Counter)  # by id, destroyed likewise
    chains: dict = field(default_factory=dict)  # id: Chain (clicks.py)
    answers: Counter = field(default_factory=Counter)  # by status; 0 is none

    def add(self, other):
        self.certain.update(other.certain)
        for name in ("unknown", "refused", "taken", "visits", "chains"):
            getattr(self, name).update(getattr(other, name))
        self.lost_visits.update(other.lost_visits)
        self.answers.update(other.answers)

    def note(self, marker, keys, status):
        """A POST with the marker (a key) and all keys, the marker among them, was answered so; 0: it was not."""
        self.answers[status] += 1
        if status == 202:
            self.certain.update(keys)
        elif status == 0:
            self.unknown[marker] = Counter(keys)
        else:
            self.refused[marker] = Counter(keys)


def read_database(db, types):
    """(Counter by (type, id, action), Counter by key of those with a user)."""
    totals, users = Counter(), Counter()
    for type_ in types:
        for doc in db["metrics_" + type_].find({}, dict.fromkeys(ACTIONS, 1)):
            totals.update({(type_, doc["_id"], action): doc[action] for action in ACTIONS if doc[action]})
    for doc in db.metrics_users.find({}, dict.fromkeys(("type", "resource", "user", *ACTIONS), 1)):
        users.update({(doc["type"], doc["resource"], doc["user"], action): doc[action]
                      for action in ACTIONS if doc[action]})
    return totals, users


def number(value):
    return int(value["$numberLong"]) if isinstance(value, dict) and "$numberLong" in value else int(value)


def read_rejected(path):
    """The same of what the drainer set aside; a line that is there twice counts once."""
    totals, users, seen = Counter(), Counter(), set()
    lines = path.read_text().splitlines() if path.exists() else []
    for line in map(json.loads, lines):
        delta = line["delta"]
        if delta.get("day") is not None:
            continue  # the same uses once more, by day
        key = (line["spool"], str(line["seq"]), delta["type"], delta["id"], delta.get("user"))
        if key in seen:
            continue
        seen.add(key)
        for action in ACTIONS:
            if number(delta.get(action, 0)):
                if delta.get("user") is None:
                    totals[delta["type"], delta["id"], action] += number(delta[action])
                else:
                    users[delta["type"], delta["id"], delta["user"], action] += number(delta[action])
    return totals, users


@dataclass
class Verdict:
    events: int = 0
    lost: int = 0
    doubled: int = 0
    uncertain: int = 0
    uses: int = 0  # of chains of clicks
    by_day: int = 0  # resources whose days were added up
    lines: list = field(default_factory=list)

    def compare(self, what, least, found, most):
        if found < least:
            self.lost += least - found
            self.lines.append(f"LOST {what}: {found} instead of {least}")
        elif found > most:
            self.doubled += found - most
            self.lines.append(f"DOUBLED {what}: {found} instead of {most}")


def expected_of(book, totals):
    """What must be counted, exactly: certain, and those without an answer whose marker was recorded; and the uses of
    chains of clicks, which are in none of these."""
    expected = Counter(book.certain)
    for marker, keys in book.unknown.items():
        if totals[marker[0], marker[1], marker[3]] > 0:
            expected.update(keys)
    for marker, keys in book.taken.items():
        if marker not in book.unknown:
            expected.subtract(key for key in keys if key[0] != CLICKS)
    expected.update(expect(book, totals)[0])
    return expected


def compare(book, kills, totals, users):
    """The verdict on the whole run."""
    verdict = Verdict()
    least, most = expected_of(book, totals), None
    verdict.events = sum(least.values())
    most = Counter(least)
    for id_, visit in book.visits.items():
        low, high = visit.bounds(kills, book.lost_visits[id_])
        least[VISITS, id_, visit.user, "views"] = low
        most[VISITS, id_, visit.user, "views"] = high
        verdict.uncertain += high - low
        verdict.events += low
    _compare_users(verdict, least, users, most)
    _compare_totals(verdict, least, totals, most)
    return verdict


def _compare_users(verdict, least, users, most):
    with_user = {key for key in most if key[2]} | set(users)
    for key in sorted(with_user):
        verdict.compare("user " + " ".join(key), least[key], users[key], most[key])


def _compare_totals(verdict, least, totals, most):
    low, high = Counter(), Counter()
    for key, count in most.items():
        low[key[0], key[1], key[3]] += least[key]
        high[key[0], key[1], key[3]] += count
    for key in sorted(set(high) | set(totals)):
        verdict.compare(" ".join(key), low[key], totals[key], high[key])
