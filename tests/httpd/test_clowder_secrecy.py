"""What one may not see leaves no trace. Two databases are the same to a requester and differ in what is hidden from them:
names, counts, days, what there is at all. Every answer must be the same, byte by byte, headers included.
"""

import io
import re
import zipfile
from datetime import datetime, timezone

import pytest
from bson import ObjectId

from environment.clowder_world import TERMS
from environment.httpd import ROOT

CONF = f"""
Define CLOWDER_SPACES
Include {ROOT}/conf/clowder.conf
MetricsCounter platform=Here publisher=Us publisher-id=grid:grid.1
<Location "/metrics">
    SetHandler metrics
    MetricsAuthz clowder server=private people=api
    MetricsCapture Off
</Location>
"""

BOB, EVE, MAX = "5a00000000000000000000b0", "5a00000000000000000000e0", "5a00000000000000000000f0"
OPEN_D, OPEN_C, OPEN_F, OPEN_S = (f"5b0000000000000000000{x}" for x in ("d01", "c01", "f01", "a01"))
HIDDEN_D, HIDDEN_C, HIDDEN_F, HIDDEN_S = (f"5b0000000000000000000{x}" for x in ("d02", "c02", "f02", "a02"))
NEW_D, GONE = "5b0000000000000000000d03", "5b0000000000000000000d99"
UNUSED_D, HIDDEN_UNUSED_D = "5b0000000000000000000d05", "5b0000000000000000000d04"
KEY = "6f1c1f0e-0000-4aaa-8bbb-b0b000000000"
BEGUN = datetime(2026, 1, 1, tzinfo=timezone.utc)


def oid(*ids):
    return [ObjectId(id_) for id_ in ids]


def author(user):
    return {"_id": ObjectId(user), "fullName": "x"}


def total(db, type_, id_, views, downloads=1):
    db["metrics_" + type_].replace_one({"_id": id_}, {"_id": id_, "views": views, "downloads": downloads,
                                                     "last_viewed": BEGUN}, upsert=True)


def use(db, type_, id_, user, views):
    key = f"{type_}:{len(id_)}:{id_}:{user}"
    db.metrics_users.replace_one({"_id": key}, {"_id": key, "type": type_, "resource": id_, "user": user, "views": views,
                                                "downloads": 0}, upsert=True)


def day(db, type_, id_, user, views):
    key = f"2026-01-02:{type_}:{len(id_)}:{id_}:{user}"
    db.metrics_days.replace_one({"_id": key}, {"_id": key, "type": type_, "resource": id_, "user": user, "views": views,
                                               "day": datetime(2026, 1, 2, tzinfo=timezone.utc)}, upsert=True)


def fill(db):
    db["app.configuration"].insert_one({"key": "tos.date", "value": TERMS})
    terms = {"accepted": True, "acceptedDate": BEGUN}
    login = {"userId": "bob@example.org", "providerId": "userpass"}
    db["social.users"].insert_one({"_id": ObjectId(BOB), "fullName": "Bob", "status": "Active", "termsOfServices": terms,
                                   "identityId": login})
    db["users.apikey"].insert_one({"name": "k", "key": KEY, "identityId": login})
    for user in (EVE, MAX):  # of no space, so nobody is shown them
        db["social.users"].insert_one({"_id": ObjectId(user), "fullName": "Hidden person"})
    db["spaces.projects"].insert_many([{"_id": ObjectId(OPEN_S), "name": "Open space", "status": "PUBLIC"},
                                       {"_id": ObjectId(HIDDEN_S), "name": "Hidden space", "status": "PRIVATE"}])
    db.collections.insert_many([
        {"_id": ObjectId(OPEN_C), "name": "Open collection", "spaces": oid(OPEN_S), "author": author(BOB)},
        {"_id": ObjectId(HIDDEN_C), "name": "Hidden collection", "spaces": oid(HIDDEN_S), "author": author(EVE)}])
    db.datasets.insert_many([
        {"_id": ObjectId(OPEN_D), "name": "Open dataset", "status": "PUBLIC", "collections": oid(OPEN_C, HIDDEN_C),
         "spaces": oid(OPEN_S), "files": oid(OPEN_F), "author": author(EVE), "created": BEGUN},
        {"_id": ObjectId(HIDDEN_D), "name": "Hidden dataset", "status": "PRIVATE", "collections": oid(OPEN_C),
         "spaces": oid(HIDDEN_S), "files": oid(HIDDEN_F, OPEN_F), "author": author(EVE), "created": BEGUN}])
    db.datasets.insert_one({"_id": ObjectId(UNUSED_D), "name": "Never used", "status": "PUBLIC", "created": BEGUN})
    db.uploads.insert_many([{"_id": ObjectId(OPEN_F), "filename": "open.csv", "author": author(EVE)},
                            {"_id": ObjectId(HIDDEN_F), "filename": "Hidden file", "author": author(EVE)}])
    for type_, open_, hidden in (("datasets", OPEN_D, HIDDEN_D), ("collections", OPEN_C, HIDDEN_C),
                                 ("files", OPEN_F, HIDDEN_F), ("spaces", OPEN_S, HIDDEN_S)):
        total(db, type_, open_, 10)
        total(db, type_, hidden, 20)
        for id_ in (open_, hidden):
            use(db, type_, id_, BOB, 2)
            use(db, type_, id_, EVE, 3)
            day(db, type_, id_, BOB, 2)
            day(db, type_, id_, EVE, 3)


def change(db):
    """Everything that bob may not see."""
    for name in ("datasets", "collections", "spaces.projects"):
        db[name].update_many({"name": {"$regex": "^Hidden"}}, {"$set": {"name": "Changed", "created": TERMS}})
    db.uploads.update_one({"_id": ObjectId(HIDDEN_F)}, {"$set": {"filename": "Changed", "length": 9}})
    db.datasets.insert_one({"_id": ObjectId(NEW_D), "name": "Hidden, new", "collections": oid(OPEN_C), "files": oid(OPEN_F),
                            "author": author(MAX)})
    db.datasets.insert_one({"_id": ObjectId(HIDDEN_UNUSED_D), "name": "Hidden, never used", "author": author(MAX),
                            "created": BEGUN})
    total(db, "datasets", HIDDEN_D, 1)
    total(db, "datasets", NEW_D, 3000)
    total(db, "collections", HIDDEN_C, 3000)
    db.metrics_files.delete_one({"_id": HIDDEN_F})
    use(db, "datasets", HIDDEN_D, BOB, 99)
    use(db, "datasets", NEW_D, BOB, 99)
    use(db, "collections", HIDDEN_C, MAX, 99)
    day(db, "datasets", HIDDEN_D, BOB, 99)
    day(db, "datasets", NEW_D, MAX, 99)
    # The same in sum, by others whom nobody is shown.
    use(db, "datasets", OPEN_D, EVE, 1)
    use(db, "datasets", OPEN_D, MAX, 2)
    db["social.users"].update_many({"fullName": "Hidden person"}, {"$set": {"fullName": "Changed"}})


PATHS = ["", "/datasets", "/collections", "/files", "/spaces", "/users", "/datasets/users", f"/datasets/{OPEN_D}",
         f"/datasets/{HIDDEN_D}", f"/datasets/{HIDDEN_D}/users", f"/datasets/{OPEN_D}/users", f"/datasets/{NEW_D}",
         f"/collections/{OPEN_C}/datasets", f"/collections/{HIDDEN_C}/datasets", f"/datasets/{HIDDEN_D}/files",
         "/days", "/datasets/days", f"/datasets/{HIDDEN_D}/days", f"/datasets/{OPEN_D}/days", "/datasets/days?per=month",
         "/counter/reports/dsr?begin_date=2026-01&end_date=2026-01", "/status"]
QUERIES = ["", "limit=1", "limit=1&offset=1", "offset=3", "sort=downloads&order=asc", "sort=resource_id", "parents=rows",
           "others=1", f"user={EVE}", f"user={BOB}", f"parent=collections:{OPEN_C}", f"parent=collections:{HIDDEN_C}",
           f"parent=datasets:{NEW_D}", "since=2026-01-01&until=2026-02-01", "not_accessed_since=2026-06-01",
           *(f"not_accessed_since=2026-06-01&never_used={which}" for which in ("1", "1&order=asc", "only&limit=1", "only&offset=1")),
           "sort=last_viewed&limit=1", "agent=regular", "since=2026-01-01&sort=resource_id&order=desc", "others=1&limit=1&offset=1",
           "parents=rows&columns=parent_collections_ids,parent_spaces_ids,parent_datasets,unique_views",
           "columns=owner,owner_name,size_bytes,created,status,location,parent_collections,parent_spaces", "no=such"]
FORMATS = ["json", "ndjson", "tsv", "xlsx"]
# Every path once, every query at the reports that take most of them, every format of a few.
ADDRESSES = [f"/metrics{path}" for path in PATHS] + \
            [f"/metrics{path}?{query}" for path in ("", "/datasets", "/datasets/users", f"/collections/{OPEN_C}/datasets")
             for query in QUERIES[1:]] + \
            [f"/metrics{path}?format={format_}" for path in ("", "/datasets/users") for format_ in FORMATS]
HIDDEN = ("Hidden", "Changed", HIDDEN_D, HIDDEN_C, HIDDEN_F, HIDDEN_S, NEW_D, HIDDEN_UNUSED_D, EVE, MAX)


def readable(answer):
    """The body; of a spreadsheet what is in it, without the time at which it was made."""
    if not answer.body.startswith(b"PK"):
        return answer.body
    with zipfile.ZipFile(io.BytesIO(answer.body)) as packed:
        return b"\n".join(packed.read(name) for name in sorted(packed.namelist()) if not name.startswith("docProps"))


def has_time(address):
    return any(word in address for word in ("json", "xlsx", "counter"))


def without_time(address, body):
    """When the report was made stands in JSON and on a sheet of a spreadsheet."""
    if has_time(address):
        return re.sub(rb"20\d\d-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?Z?|<v>4\d{4}\.\d+</v>", b"TIME", body)
    return body


def answers(site, headers):
    found = {}
    for address in ADDRESSES:
        answer = site.get(address, headers=headers)
        kept = {name: value for name, value in answer.headers.items()
                if name not in ("Date", "Expires") and not (name == "Content-Length" and has_time(address))}
        found[address] = (answer.status, kept, without_time(address, readable(answer)))
    return found


@pytest.fixture(scope="module")
def site(httpd_of_file):
    httpd = httpd_of_file(CONF, types="", markers=False).start()
    httpd.counts.wait_for_indexes()
    return httpd


@pytest.mark.parametrize("headers", [{"X-API-Key": KEY}, {}], ids=["bob", "nobody"])
def test_what_is_hidden_leaves_no_trace(site, headers):
    db = site.counts.db
    for name in db.list_collection_names():
        db[name].delete_many({})
    fill(db)
    before = answers(site, headers)
    change(db)
    after = answers(site, headers)
    for address in ADDRESSES:
        assert after[address] == before[address], address
        status, kept, body = before[address]
        for word in HIDDEN:
            assert word in address or (word.encode() not in body and word not in str(kept)), (address, word)
    rows = before["/metrics/datasets"][2]
    assert OPEN_D.encode() in rows and b"Open collection" in rows
    unused = [body for address, (_, _, body) in before.items()
              if address.startswith("/metrics/datasets?") and "never_used=only" in address]
    assert [b"Never used" in body for body in unused] == [True, False]  # there is one, and none behind it
    assert b"2026-01-02" in before["/metrics/datasets/days"][2]
    assert b"Open dataset" in next(body for address, (_, _, body) in before.items() if "dsr" in address)


def test_what_is_hidden_is_as_what_is_gone(site):
    """No address tells a resource that may not be seen from one that there never was."""
    db = site.counts.db
    for name in db.list_collection_names():
        db[name].delete_many({})
    fill(db)
    headers = {"X-API-Key": KEY}
    for path in ("/datasets/{}", "/datasets/{}/users", "/datasets/{}/files", "/collections/{}/datasets", "/datasets/{}.json",
                 "/datasets?parent=collections:{}", "/datasets/users?parent=collections:{}", "/datasets/users?user={}"):
        hidden = HIDDEN_C if "ollections" in path else EVE if "user=" in path else HIDDEN_D
        asked = [site.get("/metrics" + path.format(id_), headers=headers) for id_ in (hidden, GONE)]
        assert asked[0].status == asked[1].status, path
        bodies = [without_time("json", answer.body).replace(id_.encode(), b"ID")
                  for answer, id_ in zip(asked, (hidden, GONE))]
        assert bodies[0] == bodies[1], path
