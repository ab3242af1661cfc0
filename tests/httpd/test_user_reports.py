"""Reports of who used what: both rights, what is left of a resource, one resource, one user, children, orders."""

import pytest
from bson import ObjectId

from environment.client import rows

CONF = """
LoadModule %s
<Location "/metrics">
    SetHandler metrics
    MetricsAuthz expr "true" users "true"
</Location>
<Location "/guarded">
    SetHandler metrics
    MetricsAuthz example ada
</Location>
<Location "/nameless">
    SetHandler metrics
    MetricsAuthz expr "true"
</Location>
<Location "/half">
    SetHandler metrics
    MetricsAuthz expr "true" users "true"
</Location>
<Location "/half/datasets/users">
    MetricsAuthz none
</Location>
MetricsCatalogUsers people id=login name=full.name
"""

TYPES = """
<MetricsType datasets>
    MetricsView "^/datasets/([^/]+)$"
    MetricsCatalog datasets name=name owner=author._id created=created size=bytes status=state location=place parents=collections:collections
</MetricsType>
<MetricsType collections>
    MetricsView "^/collections/([^/]+)$"
    MetricsCatalog collections name=name
</MetricsType>
<MetricsType files>
    MetricsView "^/files/([^/]+)$"
    MetricsCatalog uploads name=filename parents=datasets:datasets:files parents=collections:folders:files:set
</MetricsType>
"""

USERS = ["resource_id", "resource_name", "user_id", "user_name", "views", "downloads", "last_viewed", "last_downloaded"]
ADA = {"X-Requester": "ada"}


@pytest.fixture(scope="module")
def server(httpd_of_file, example_module):
    started = httpd_of_file(CONF % example_module, types=TYPES, markers=False).start()
    started.counts.wait_for_indexes()
    return started


@pytest.fixture
def site(server):
    server.counts.empty()
    return server


def total(site, type_, id_, views, downloads=0, **fields):
    site.counts.db["metrics_" + type_].insert_one({"_id": id_, "views": views, "downloads": downloads, **fields})


def use(site, type_, id_, user, views, downloads=0, **fields):
    site.counts.db.metrics_users.insert_one(
        {"_id": f"{type_}:{len(id_)}:{id_}:{user}", "type": type_, "resource": id_, "user": user, "views": views,
         "downloads": downloads, **fields})


def fill(site):
    """d1 and d2 with users, one of them secret, and visitors that are nobody; a secret dataset; a file."""
    total(site, "datasets", "d1", 10, 4)
    total(site, "datasets", "d2", 5, 1)
    total(site, "datasets", "secret-d", 9, 9)
    total(site, "files", "f1", 3)
    total(site, "collections", "c1", 1)
    use(site, "datasets", "d1", "ann", 3, 1)
    use(site, "datasets", "d1", "secret-bob", 4, 2)
    use(site, "datasets", "d1", "cleo", 1, 1)
    use(site, "datasets", "d2", "ann", 5, 1)
    use(site, "datasets", "secret-d", "ann", 9, 9)
    use(site, "files", "f1", "secret-bob", 2)
    use(site, "collections", "c1", "ann", 1)
    db = site.counts.db
    db.datasets.insert_many([{"_id": "d1", "name": "One", "collections": ["c1"], "author": {"_id": "ann"}},
                             {"_id": "d2", "name": "Two", "collections": ["c1", "secret-c"],
                              "author": {"_id": "secret-bob"}, "files": ["f1"]},
                             {"_id": "secret-d", "name": "Hidden", "collections": ["c1"]}])
    db.collections.insert_one({"_id": "c1", "name": "Maps"})
    db.people.insert_many([{"login": "ann", "full": {"name": "Ann Ames"}}, {"login": "secret-bob", "full": {"name": "Bob"}}])


def report(site, path, **options):
    answer = site.get(path, **options)
    assert answer.status == 200, answer.text
    return answer.rows


def uses(site, path, **options):
    """[(resource, user, views, downloads)]"""
    found = [dict(zip(table[0], row)) for table in [report(site, path, **options)] for row in table[1:]]
    return [(row["resource_id"], row["user_id"], int(row["views"]), int(row["downloads"])) for row in found]


# --- who may see what ---

def test_columns_and_names(site):
    fill(site)
    assert report(site, "/metrics/datasets/users?parents=none&limit=2") == [
        USERS, ["secret-d", "Hidden", "ann", "Ann Ames", "9", "9", "", ""], ["d2", "Two", "ann", "Ann Ames", "5", "1", "", ""]]
    assert report(site, "/metrics/datasets/users?limit=1")[0] == USERS + ["parent_type", "parent_id", "parent_name"]
    answer = site.get("/metrics/datasets/users")
    assert "metrics-datasets-users-" in answer["Content-Disposition"]


ALL = [("secret-d", "ann", 9, 9), ("d2", "ann", 5, 1), ("d1", "secret-bob", 4, 2), ("d1", "ann", 3, 1), ("d1", "cleo", 1, 1)]


def test_every_spelling_is_the_same_report(site):
    fill(site)
    assert uses(site, "/metrics/datasets/users") == ALL
    assert site.get("/metrics/datasets_by_user").body == site.get("/metrics/datasets/users").body
    assert site.get("/metrics/datasets_by_user.csv").body == site.get("/metrics/datasets/users.csv").body
    everything = report(site, "/metrics/users")
    assert everything[0][0] == "resource_type"
    assert [(row[0], row[1], row[3]) for row in everything[1:]] == (
        [("datasets", id_, user) for id_, user, _, _ in ALL] +
        [("collections", "c1", "ann"), ("files", "f1", "secret-bob")])


def test_both_rights(site):
    """The example provider hides whatever and whoever begins with secret."""
    fill(site)
    visible = [("d2", "ann", 5, 1), ("d1", "ann", 3, 1), ("d1", "cleo", 1, 1)]
    assert uses(site, "/guarded/datasets/users", headers=ADA) == visible
    assert uses(site, "/guarded/datasets/users?limit=1&offset=1", headers=ADA) == visible[1:2]
    assert uses(site, "/guarded/datasets/d1/users", headers=ADA) == visible[1:]
    assert "secret" not in site.get("/guarded/users", headers=ADA).text
    assert site.get("/guarded/datasets/users").status == 401


def test_nothing_tells_of_what_is_hidden(site):
    """What is hidden is answered as what is not there, in every byte but the date."""
    fill(site)
    for hidden, absent in (("/datasets/secret-d", "/datasets/none"), ("/datasets/secret-d/users", "/datasets/none/users"),
                           ("/users?user=secret-bob", "/users?user=nobody"),
                           ("/datasets/d1/users?user=secret-bob", "/datasets/d1/users?user=nobody"),
                           ("/collections/secret-c/datasets", "/collections/none/datasets"),
                           ("/datasets?parent=collections:secret-c", "/datasets?parent=collections:none")):
        one, other = site.get("/guarded" + hidden, headers=ADA), site.get("/guarded" + absent, headers=ADA)
        assert (one.status, one.body) == (other.status, other.body)
        assert one.status == 200 and len(one.rows) == 1
        assert {name: value for name, value in one.headers.items() if name != "Date"} == {
            name: value for name, value in other.headers.items() if name != "Date"}


def test_expression_for_reports_is_none_for_people(site):
    fill(site)
    assert report(site, "/nameless/datasets")[1:] != []
    assert report(site, "/nameless/datasets/users")[1:] == []
    assert [row[-1] for row in report(site, "/nameless/datasets?columns=owner")[1:]] == ["", "", ""]
    assert uses(site, "/nameless/datasets/users?others=1") == [("d1", "", 10, 4), ("d2", "", 5, 1), ("secret-d", "", 9, 9)]


@pytest.mark.parametrize("path", ["/datasets/users", "/datasets_by_user", "/datasets_by_user.csv", "/datasets/d1/users",
                                  "/datasets/users.csv", "/datasets/users?id=d1"])
def test_section_for_users_holds_for_every_spelling(site, path):
    fill(site)
    assert site.get("/half" + path).status == 401
    assert site.get("/half/datasets").status == 200


def test_section_for_users_holds_in_the_report_of_all_types(site):
    fill(site)
    assert {row[0] for row in report(site, "/half/users")[1:]} == {"collections", "files"}


def test_owners_only_where_they_may_be_seen(site):
    fill(site)
    shown = report(site, "/guarded/datasets?parents=none&columns=owner,owner_name", headers=ADA)
    assert shown[0][-2:] == ["owner", "owner_name"]
    assert [(row[0], *row[-2:]) for row in shown[1:]] == [("d1", "ann", "Ann Ames"), ("d2", "", "")]
    assert [row[-1] for row in report(site, "/metrics/datasets?parents=none&columns=owner")[1:]] == ["ann", "", "secret-bob"]


# --- what is left ---

def test_others_make_the_sums_whole(site):
    fill(site)
    total(site, "datasets", "d3", 2)
    found = uses(site, "/guarded/datasets/users?others=1", headers=ADA)
    assert found == [("d1", "ann", 3, 1), ("d1", "cleo", 1, 1), ("d1", "", 6, 2), ("d2", "ann", 5, 1), ("d3", "", 2, 0)]
    for id_, views, downloads in (("d1", 10, 4), ("d2", 5, 1), ("d3", 2, 0)):
        assert sum(row[2] for row in found if row[0] == id_) == views
        assert sum(row[3] for row in found if row[0] == id_) == downloads
    assert [row[3] for row in report(site, "/guarded/datasets/users?others=1", headers=ADA)[1:]] == [
        "Ann Ames", "", "others", "Ann Ames", "others"]
    assert uses(site, "/guarded/datasets/d1/users?others=1", headers=ADA) == found[:3]
    assert uses(site, "/guarded/datasets/users?others=1&limit=2&offset=2", headers=ADA) == found[2:4]
    backwards = uses(site, "/guarded/datasets/users?others=1&sort=resource_id&order=desc", headers=ADA)
    assert backwards == [("d3", "", 2, 0), ("d2", "ann", 5, 1), ("d1", "cleo", 1, 1), ("d1", "ann", 3, 1), ("d1", "", 6, 2)]


def test_others_of_many_resources_and_users(site):
    """More than a batch of each; ids whose order by bytes is not that of their length."""
    db = site.counts.db
    ids = [f"d{n}" for n in range(700)]
    db.metrics_datasets.insert_many([{"_id": id_, "views": 10, "downloads": 0} for id_ in ids])
    db.metrics_users.insert_many([{"_id": f"{id_}:{user}", "type": "datasets", "resource": id_, "user": user, "views": 3,
                                   "downloads": 0} for id_ in ids for user in ("a", "b", "secret")])
    db.metrics_users.insert_many([{"_id": f"d5:{n}", "type": "datasets", "resource": "d5", "user": f"u{n:04}", "views": 0,
                                   "downloads": 1} for n in range(1200)])
    db.metrics_datasets.update_one({"_id": "d5"}, {"$set": {"downloads": 1201}})
    expected = []
    for id_ in sorted(ids):
        expected += [(id_, "a", 3, 0), (id_, "b", 3, 0)]
        expected += [(id_, f"u{n:04}", 0, 1) for n in range(1200) if id_ == "d5"]
        expected += [(id_, "", 4, 1 if id_ == "d5" else 0)]
    assert uses(site, "/guarded/datasets/users?others=1", headers=ADA) == expected


# --- selections ---

def test_one_resource(site):
    fill(site)
    one = report(site, "/metrics/datasets/d1?parents=none")
    assert one == [["resource_id", "resource_name", "views", "downloads", "last_viewed", "last_downloaded"],
                   ["d1", "One", "10", "4", "", ""]]
    assert report(site, "/metrics/datasets?id=d1&parents=none") == one
    assert uses(site, "/metrics/datasets/d1/users") == ALL[2:]
    assert uses(site, "/metrics/datasets/users?id=d1") == ALL[2:]
    total(site, "datasets", "10.5072/FK2=x y", 1)
    total(site, "datasets", "users", 2)
    assert [row[0] for row in report(site, "/metrics/datasets?id=10.5072%2FFK2%3Dx+y")[1:]] == ["10.5072/FK2=x y"]
    assert [row[0] for row in report(site, "/metrics/datasets?id=users")[1:]] == ["users"]


def test_one_user(site):
    fill(site)
    assert uses(site, "/metrics/datasets/users?user=ann") == [ALL[0], ALL[1], ALL[3]]
    assert [row[1] for row in report(site, "/metrics/users?user=secret-bob")[1:]] == ["d1", "f1"]
    assert uses(site, "/metrics/datasets/users?user=ann&sort=downloads&order=asc") == [ALL[1], ALL[3], ALL[0]]


def test_children_by_both_forms(site):
    fill(site)
    total(site, "files", "f2", 8)
    total(site, "files", "f3", 9)
    site.counts.db.folders.insert_one({"_id": 1, "set": "c1", "files": ["f2"]})
    assert [row[0] for row in report(site, "/metrics/collections/c1/datasets")[1:]] == ["d1", "secret-d", "d2"]
    assert site.get("/metrics/datasets?parent=collections:c1").body == site.get("/metrics/collections/c1/datasets").body
    assert [row[0] for row in report(site, "/metrics/datasets/d2/files")[1:]] == ["f1"]
    assert [row[0] for row in report(site, "/metrics/collections/c1/files.csv")[1:]] == ["f2"]
    assert report(site, "/metrics/datasets/d1/files")[1:] == []
    assert [row[0] for row in report(site, "/guarded/collections/c1/datasets", headers=ADA)[1:]] == ["d1", "d2"]
    assert uses(site, "/metrics/datasets/users?parent=collections:c1&sort=downloads")[0] == ALL[0]
    assert [row[0] for row in report(site, "/metrics/collections/c1/datasets?id=d2")[1:]] == ["d2"]
    assert report(site, "/metrics/collections/c1/files?id=f1")[1:] == []
    assert [row[0] for row in report(site, "/metrics/collections/c1/datasets?limit=1&offset=1")[1:]] == ["secret-d"]


def test_children_that_may_not_be_seen_are_not_too_many(site):
    """The provider hides ids that begin with "secret". Who may see all of them is told that they are too many."""
    hidden = [f"secret{n}" for n in range(50_000)]
    site.counts.db.datasets.insert_one({"_id": "d1", "files": ["f1", *hidden, "f2"]})
    total(site, "files", "f1", 1)
    total(site, "files", "secret1", 7)
    assert [row[0] for row in report(site, "/guarded/datasets/d1/files", headers=ADA)[1:]] == ["f1"]
    assert site.get("/metrics/datasets/d1/files").status == 400


def test_children_of_a_type_that_is_closed(site):
    fill(site)
    assert report(site, "/half/collections/c1/datasets")[1:] != []
    assert site.get("/half/datasets/users?parent=collections:c1").status == 401


# --- orders, agents, columns ---

def test_sort_and_order(site):
    total(site, "datasets", "a", 3, 1)
    total(site, "datasets", "b", 2, 5)
    total(site, "datasets", "c", 1, 3)

    def ids(query):
        return "".join(row[0] for row in report(site, f"/metrics/datasets?{query}")[1:])

    assert ids("sort=views") == ids("") == ids("order=desc") == "abc"
    assert ids("order=asc") == "cba"
    assert ids("sort=downloads") == "bca"
    assert ids("sort=downloads&order=asc") == "acb"
    assert ids("sort=resource_id") == "abc"
    assert ids("sort=resource_id&order=desc") == "cba"


@pytest.mark.parametrize("path, query, word", [
    ("/datasets", "sort=user_id", "resource_id"), ("/datasets", "sort=name", "last_viewed"),
    ("/datasets/users", "sort=downloads", "user_id"), ("/users", "sort=last_viewed", "user_id"),
    ("/users", "others=1&sort=views", "resource_id"), ("/users", "others=1&user=ann", "user"),
    ("/datasets", "user=ann", "not_accessed_since"), ("/datasets", "others=1", "columns"), ("/users", "id=d1", "others"),
    ("/datasets", "columns=color", "size_bytes"), ("/datasets", "columns=", "machine_views"),
    ("/datasets", "columns=owner,,status", "owner"), ("/datasets", "agent=robot", "machine"),
    ("/datasets", "order=up", "desc"), ("/datasets", "parent=c1", "TYPE:ID"), ("/datasets", "parent=:c1", "TYPE:ID"),
    ("/datasets", "parent=spaces:s1", "not configured"), ("/collections/c1/datasets", "parent=collections:c2", "parent"),
    ("/datasets", "not_accessed_since=yesterday", "2026-01-31"), ("/datasets", "not_accessed_since=2026-02-30", "date"),
])
def test_what_is_not_there_is_refused_with_what_is(site, path, query, word):
    answer = site.get(f"/metrics{path}?{query}")
    assert answer.status == 400
    assert word in answer.text


def test_agents(site):
    total(site, "datasets", "a", 10, 4, machine_views=9, machine_downloads=4)
    total(site, "datasets", "b", 6, 3, machine_views=1, machine_downloads=0)
    total(site, "datasets", "c", 4, 0, machine_views=4, machine_downloads=0)
    use(site, "datasets", "b", "ann", 2, 0, machine_views=1, machine_downloads=0)

    def counts(query):
        return [tuple(row[0:1] + row[2:4]) for row in report(site, f"/metrics/datasets?{query}")[1:]]

    assert counts("agent=all") == [("a", "10", "4"), ("b", "6", "3"), ("c", "4", "0")]
    assert counts("agent=regular") == [("b", "5", "3"), ("a", "1", "0")]
    assert counts("agent=regular&order=asc") == [("a", "1", "0"), ("b", "5", "3")]
    assert counts("agent=machine") == [("a", "9", "4"), ("c", "4", "0"), ("b", "1", "0")]
    assert counts("agent=machine&sort=downloads&limit=1") == [("a", "9", "4")]
    assert uses(site, "/metrics/datasets/users?agent=machine") == [("b", "ann", 1, 0)]
    assert uses(site, "/metrics/datasets/users?agent=regular&others=1") == [
        ("a", "", 1, 0), ("b", "ann", 1, 0), ("b", "", 4, 3)]
    columns = "columns=machine_views,machine_downloads,regular_views,regular_downloads"
    table = report(site, f"/metrics/datasets?parents=none&{columns}")
    assert table[0][-4:] == ["machine_views", "machine_downloads", "regular_views", "regular_downloads"]
    assert [row[-4:] for row in table[1:]] == [["9", "4", "1", "0"], ["1", "0", "5", "3"], ["4", "0", "0", "0"]]


def test_unique_uses(site):
    total(site, "datasets", "a", 10, 4, unique_views=7, unique_investigations=8, machine_unique_views=2)
    total(site, "datasets", "b", 1)
    use(site, "datasets", "a", "ann", 5, 1, unique_views=3, unique_downloads=1, unique_investigations=3)
    day(site, "datasets", "a", "2026-01-01", views=3, unique_views=2)
    day(site, "datasets", "a", "2026-01-02", "ann", views=3, unique_views=1, machine_unique_views=1)
    columns = "parents=none&columns=unique_views,unique_downloads,unique_investigations"

    def uniques(path, query=""):
        return [tuple(row[-3:]) for row in report(site, f"{path}?{columns}{query}")[1:]]

    assert report(site, f"/metrics/datasets?{columns}")[0][-3:] == ["unique_views", "unique_downloads", "unique_investigations"]
    assert uniques("/metrics/datasets") == [("7", "0", "8"), ("0", "0", "0")]
    assert uniques("/metrics/datasets", "&agent=regular")[0] == ("5", "0", "8")
    assert uniques("/metrics/datasets/users", "&others=1") == [("3", "1", "3"), ("4", "0", "5"), ("0", "0", "0")]
    assert uniques("/metrics/datasets", "&since=2026-01-01") == [("3", "0", "0")]


def test_columns_from_the_catalogue(site):
    from datetime import datetime
    for id_ in "abc":
        total(site, "datasets", id_, 1)
    site.allow_log("MM0610: ")
    site.counts.db.datasets.insert_many([
        {"_id": "a", "name": "A", "created": datetime(2026, 1, 31, 12), "bytes": 2**40, "state": "open", "place": "/t/1"},
        {"_id": "b", "name": "B", "created": "yesterday", "bytes": "many", "state": ["", "odd"], "place": {"x": 1}}])
    table = report(site, "/metrics/datasets?parents=none&columns=status,size_bytes,created,location,status")
    assert table[0][6:] == ["status", "size_bytes", "created", "location"]
    assert [row[6:] for row in table[1:]] == [["open", str(2**40), "2026-01-31 12:00:00", "/t/1"], ["odd", "", "", ""], [""] * 4]


def test_not_accessed_since(site):
    from datetime import datetime
    total(site, "datasets", "old", 9, 1, last_viewed=datetime(2024, 12, 31, 23, 59, 59), last_downloaded=datetime(2024, 1, 1))
    total(site, "datasets", "read", 5, 1, last_viewed=datetime(2025, 1, 1), last_downloaded=datetime(2024, 1, 1))
    total(site, "datasets", "loaded", 4, 1, last_downloaded=datetime(2026, 1, 1))
    total(site, "datasets", "timeless", 3)
    site.counts.db.datasets.insert_one({"_id": "old", "name": "Old", "bytes": 77, "place": "tape"})
    table = report(site, "/metrics/datasets?parents=none&not_accessed_since=2025-01-01")
    assert table[0][-2:] == ["size_bytes", "location"]
    assert [(row[0], *row[-2:]) for row in table[1:]] == [("old", "77", "tape"), ("timeless", "", "")]
    assert len(report(site, "/metrics/datasets?not_accessed_since=2025-01-01T00:00:01Z")) == 4
    assert len(report(site, "/metrics/datasets?not_accessed_since=2025-01-01T01:00:01%2B01:00")) == 4
    assert len(report(site, "/metrics/datasets?not_accessed_since=2025-01-01T01:01%2B01:00")) == 4
    assert len(report(site, "/metrics/datasets?not_accessed_since=2025-01-01T01:00%2B01:00")) == 3
    assert len(report(site, "/metrics?not_accessed_since=2027-01-01T00:00")) == 5


def test_never_used(site):
    from datetime import datetime
    total(site, "datasets", "old", 9, 1, last_viewed=datetime(2024, 12, 31))
    total(site, "datasets", "fresh", 9, 1, last_viewed=datetime(2026, 12, 31))
    total(site, "files", "f1", 1, last_viewed=datetime(2024, 12, 31))
    site.counts.db.datasets.insert_many(
        [{"_id": "old", "name": "Old", "bytes": 77}, {"_id": "fresh"}, {"_id": "young", "created": datetime(2025, 1, 1)},
         {"_id": "n1", "name": "Never", "bytes": 5, "place": "tape", "created": datetime(2024, 1, 1), "collections": ["c1"]},
         {"_id": "n2"}, {"_id": "secret-n", "name": "Hidden"}])
    site.counts.db.uploads.insert_one({"_id": "f2", "filename": "x"})
    stale = "not_accessed_since=2025-01-01"
    table = report(site, f"/metrics/datasets?parents=none&never_used=1&{stale}")
    assert table[0][-3:] == ["created", "size_bytes", "location"]
    assert table[1:] == [["old", "Old", "9", "1", "2024-12-31 00:00:00", "", "", "77", ""],
                         ["n1", "Never", "0", "0", "", "", "2024-01-01 00:00:00", "5", "tape"],
                         ["n2", "", "0", "0", "", "", "", "", ""], ["secret-n", "Hidden", "0", "0", "", "", "", "", ""]]

    def ids(query, path="/metrics/datasets", **options):
        return [row[0] for row in report(site, f"{path}?{stale}&{query}", **options)[1:]]
    whole = ["old", "n1", "n2", "secret-n"]
    assert ids("never_used=1&order=asc") == whole[::-1] == ids("never_used=1&sort=resource_id&order=desc")
    assert [ids(f"never_used=1&limit=2&offset={n}") for n in range(5)] == [whole[n:n + 2] for n in range(5)]
    assert ids("never_used=only&agent=regular") == whole[1:]
    assert ids("never_used=0") == ids("") == ["old"]
    assert ids("never_used=only", "/guarded/datasets", headers=ADA) == ["n1", "n2"]
    assert ids("never_used=only", "/metrics/collections/c1/datasets") == ids("never_used=1&id=n1") == ["n1"]
    assert ids("never_used=only&id=young") == []
    assert [row[1] for row in report(site, f"/metrics?never_used=1&{stale}")[1:]] == whole + ["f1", "f2"]
    assert site.get(f"/metrics/datasets.json?never_used=only&{stale}&limit=1").json["next"] == (
        "?never_used=only&not_accessed_since=2025-01-01&limit=1&offset=1")
    for query in ("never_used=1", f"never_used=2&{stale}", "never_used=only&since=2025-01-01"):
        assert site.get(f"/metrics/datasets?{query}").status == 400


def test_never_used_names_an_id_once(site):
    """600 ids as strings, and then as ObjectIds: the two are in different batches."""
    ids = [f"{n:024x}" for n in range(600)]
    site.counts.db.datasets.insert_many([{"_id": id_, "name": "n"} for id_ in ids])
    site.counts.db.datasets.insert_many([{"_id": ObjectId(id_), "name": "n"} for id_ in ids])
    for order in ("asc", "desc"):
        table = report(site, f"/metrics/datasets?not_accessed_since=2025-01-01&never_used=only&order={order}")
        assert sorted(row[0] for row in table[1:]) == ids


def day(site, type_, id_, date, user=None, **counters):
    from datetime import datetime
    document = {"type": type_, "resource": id_, "day": datetime.fromisoformat(date), **counters}
    site.counts.db.metrics_days.insert_one({**document, **({"user": user} if user else {})})


def test_periods(site):
    fill(site)
    day(site, "datasets", "d1", "2025-12-31", "ann", views=9)
    day(site, "datasets", "d1", "2026-01-01", "ann", views=1)
    day(site, "datasets", "d1", "2026-01-31", "secret-bob", views=2, downloads=2)
    day(site, "datasets", "d1", "2026-01-31", views=4, machine_views=3)
    day(site, "datasets", "d2", "2026-01-15", views=1, downloads=1)
    day(site, "datasets", "secret-d", "2026-01-15", "ann", views=8)
    day(site, "datasets", "d1", "2026-02-01", "ann", views=9)
    january = "since=2026-01-01&until=2026-02-01"
    assert report(site, f"/metrics/datasets?parents=none&{january}")[1:] == [
        ["secret-d", "Hidden", "8", "0", "", ""], ["d1", "One", "7", "2", "", ""], ["d2", "Two", "1", "1", "", ""]]
    assert [row[0] for row in report(site, f"/guarded/datasets?{january}&sort=downloads", headers=ADA)[1:]] == ["d1", "d2"]
    assert [row[2] for row in report(site, f"/metrics/datasets/d1?agent=regular&{january}")[1:]] == ["4"]
    assert uses(site, f"/guarded/datasets/users?{january}", headers=ADA) == [("d1", "ann", 1, 0)]
    assert uses(site, f"/guarded/datasets/users?others=1&{january}", headers=ADA) == [
        ("d1", "ann", 1, 0), ("d1", "", 6, 2), ("d2", "", 1, 1)]
    assert [row[2] for row in report(site, "/metrics/datasets/d1?since=2026-01-31T23:59:59")[1:]] == ["15"]
    assert [row[2] for row in report(site, "/metrics/datasets/d1?until=2026-01-01")[1:]] == ["9"]
    assert report(site, "/metrics/collections/c1/datasets?since=2026-03-01")[1:] == []
    assert [row[0] for row in report(site, f"/metrics/collections/c1/datasets?{january}&limit=1")[1:]] == ["secret-d"]
    assert site.get("/metrics/datasets.json?since=2026-01-01T10:00&until=2026-01-31T01:00").json["period"] == {
        "since": "2026-01-01T00:00:00Z", "until": "2026-02-01T00:00:00Z"}
    for query in ("since=2026-01-01&until=2026-01-01", "since=2026-01-01&sort=last_viewed",
                  "since=2026-01-01&not_accessed_since=2026-01-01", "until=soon"):
        assert site.get(f"/metrics/datasets?{query}").status == 400


def test_reports_are_read_only(site):
    for path in ("/metrics/users", "/metrics/datasets/users", "/metrics/datasets/d1", "/metrics/collections/c1/datasets"):
        answer = site.post(path)
        assert (answer.status, answer.allowed) == (405, {"GET", "HEAD"})
    assert rows(site.get("/metrics/datasets/a.csv").body)[1:] == []
