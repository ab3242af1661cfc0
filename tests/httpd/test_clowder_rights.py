"""`MetricsAuthz clowder` against an oracle: databases are made up from a seed, and for each requester what real reports
show is compared with what the rules say of each resource and person.

MM_ORACLE_SEED and MM_ORACLE_PAIRS make it another database, and a larger one (`make test-oracle`).
"""

import json
import os

import pytest
from bson import ObjectId
from bson.errors import InvalidId

from environment.clowder_oracle import Oracle, Requester
from environment.clowder_world import World
from environment.httpd import ROOT

SEED = int(os.environ.get("MM_ORACLE_SEED", "1"))
PAIRS = int(os.environ.get("MM_ORACLE_PAIRS", "2000"))

# Where, how the line reads, and what that means to the oracle.
SITES = {
    "public": ("server=public", {"public": True, "strict": False}),
    "private": ("server=private", {"public": False, "strict": False}),
    "public-strict": ("server=public strict=on people=api", {"public": True, "strict": True, "people": "api"}),
    "private-strict": ("server=private strict=on", {"public": False, "strict": True}),
    "private-api": ("server=private people=api", {"public": False, "strict": False, "people": "api"}),
}

CONF = """
Define CLOWDER_SPACES
Include {root}/conf/clowder.conf
""".format(root=ROOT) + "".join(f"""
<Location "/{name}">
    SetHandler metrics
    MetricsAuthz clowder {words}
    MetricsCapture Off
</Location>
""" for name, (words, _) in SITES.items())


def oid(text):
    try:
        return ObjectId(text)
    except InvalidId:
        return None


@pytest.fixture(scope="module")
def world():
    """Of a size that gives so many pairs, of each kind of site and of each kind of requester."""
    size = 8
    while PAIRS > 2000 and pairs_of(size) < PAIRS:
        size += 1
    return World(SEED, size)


def pairs_of(size):
    people, resources = size // 2 + 9, size * 6 + size // 4 + 3
    return (people + 2) * (resources + people) * len(SITES)


@pytest.fixture(scope="module")
def site(httpd_of_file, world):
    httpd = httpd_of_file(CONF, types="", markers=False).start()
    httpd.counts.wait_for_indexes()
    world.save(httpd.counts.db)
    return httpd


def requesters(world):
    """(what is sent, who that is): everybody, by session or by key in turn, and nobody, in several ways."""
    yield {}, Requester()
    yield {"Cookie": "id=" + "bad0" * 64, "superAdmin": "true"}, Requester()
    for number, user in enumerate(world.docs["social.users"]):
        cookie, key = f"id={world.sessions[user['_id']]}", world.keys[user["_id"]]
        yield ({"X-API-Key": key} if number % 3 == 1 else {"Cookie": cookie}), Requester(user)
        if user.get("status") in ("Admin", "ReadOnly") and (number < 8 or PAIRS > 2000):
            yield {"Cookie": cookie + "; superAdmin=true"}, Requester(user, superadmin=True)


def shown(answer):
    """{type: ids} of the rows, and all that is named as a parent."""
    rows = answer.rows
    head = rows[0]
    where = {name: head.index(name) for name in ("resource_type", "resource_id", "parent_type", "parent_id")}
    found, parents = {}, set()
    for row in rows[1:]:
        found.setdefault(row[where["resource_type"]], []).append(row[where["resource_id"]])
        if row[where["parent_id"]]:
            parents.add((row[where["parent_type"]], row[where["parent_id"]]))
    return found, parents


def compare_resources(site, path, headers, requester, oracle, world):
    answer = site.get(f"/{path}?parents=rows", headers=headers)
    if not requester.is_let_in:
        assert answer.status == 401
        return sum(map(len, world.used().values()))
    assert answer.status == 200, answer.text
    found, parents = shown(answer)
    pairs = 0
    for type_, ids in world.used().items():
        expected = {id_ for id_ in ids if oracle.sees(requester, type_, oid(id_))}
        assert set(found.get(type_, [])) == expected, (path, type_, requester.user, headers)
        pairs += len(ids)
    for type_, id_ in parents:
        assert oracle.sees(requester, type_, oid(id_)), (path, "as a parent", type_, id_, requester.user)
    return pairs


def compare_people(site, path, headers, requester, oracle, world):
    answer = site.get(f"/{path}/datasets/users", headers=headers)
    if not requester.is_let_in:
        assert answer.status == 401
        return len(world.people())
    assert answer.status == 200, answer.text
    head = answer.rows[0]
    found = {(row[head.index("resource_id")], row[head.index("user_id")]) for row in answer.rows[1:]}
    people = [user for user in world.people() if oracle.names(requester, oid(user))]
    seen = [id_ for id_ in world.watched() if oracle.sees(requester, "datasets", oid(id_))]
    assert found == {(id_, user) for id_ in seen for user in people}, (path, requester.user, headers)
    return len(world.people()) if seen else 0


@pytest.mark.parametrize("name", SITES)
def test_reports_show_what_the_oracle_says(site, world, name):
    oracle = Oracle(world, **SITES[name][1])
    pairs = 0
    for headers, requester in requesters(world):
        pairs += compare_resources(site, name, headers, requester, oracle, world)
        pairs += compare_people(site, name, headers, requester, oracle, world)
    print(f"{name}: {pairs} pairs, seed {SEED}")
    assert pairs >= PAIRS / len(SITES)


def test_a_world_has_both_answers_of_each_kind():
    """Databases in which everything is visible, or nothing, would prove nothing."""
    world = World(SEED, 20)
    oracle = Oracle(world, public=False, strict=False)
    members = [Requester(user) for user in world.docs["social.users"]]
    for is_known in (False, True):
        for type_ in ("datasets", "collections", "files", "spaces"):
            answers = {oracle.sees(requester, type_, id_) for id_ in world.ids[type_]
                       for requester in (members if is_known else [Requester()])}
            assert answers == {True, False}, type_
