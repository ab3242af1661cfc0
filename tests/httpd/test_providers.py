"""The small providers of permissions, alone and several as one: who sees which rows, and who is named in them."""

import pytest
from bson import ObjectId

MODULES = ("auth_basic", "authn_core", "authn_file", "authz_user", "authz_groupfile", "authz_host", "setenvif")

TYPES = """
<MetricsType datasets>
    MetricsView "^/datasets/([^/]+)$"
    MetricsCatalog datasets name=name owner=author.id parents=collections:in
</MetricsType>
<MetricsType collections>
    MetricsView "^/collections/([^/]+)$"
    MetricsCatalog collections name=name
</MetricsType>
"""

SECTION = """
<Location "/{name}">
    SetHandler metrics
    AuthType Basic
    AuthName "reports"
    AuthUserFile "${{DIR}}/passwords"
    AuthGroupFile "${{DIR}}/groups"
    Require valid-user
    MetricsAuthz {line}
</Location>
<Location "/nobody/{name}">
    SetHandler metrics
    MetricsAuthz {line}
</Location>
"""

LINES = {
    # expressions
    "plain": """expr "%{REMOTE_USER} in {'ada','bob'}" users "%{REMOTE_USER} == 'ada'" """,
    "named": """expr report="%{REMOTE_USER} != ''" resources="%{reqenv:METRICS_ID} =~ /^d[13]$/ && %{reqenv:METRICS_TYPE} == 'datasets'" people="%{reqenv:METRICS_PERSON} == %{REMOTE_USER} || %{reqenv:METRICS_ID} == 'd3'" """,
    "named-small": """expr report=true resources="%{ReqEnv:metrics_id} != 'd2'" people="reqenv('Metrics_Person') == 'eve'" """,
    "but-one": """expr report=true resources="%{reqenv:METRICS_ID} != '5c000000000000000000000a'" people=true""",
    "none-of-them": """expr report=true resources="%{REMOTE_USER} == 'bob'" people=true""",
    "broken": """expr report=true resources="%{reqenv:METRICS_ID} -in { file('/no/such/file') }" """,
    # httpd's own authorization
    "group": 'group report="readers hr" people=hr',
    "require": 'require report="user ada bob" people="ip 10.0.0.1"',
    "require-ip": 'require report="ip 127.0.0.1"',
    # owners
    "owner": "owner",
    "owner-used": "owner people=used",
    "owner-as": 'owner as="%{HTTP:X-As}" people=self',
    # several
    "any": 'any { owner people=used } { expr "%{REMOTE_USER} == \'bob\'" }',
    "all": 'all { owner people=used } { expr report=true resources="%{reqenv:METRICS_ID} != \'d3\'" people="%{reqenv:METRICS_PERSON} != \'eve\'" }',
    "nested": 'any { all { owner people=used } { group report=hr people=hr } } { expr "%{REMOTE_USER} == \'bob\' && \'}\' == \'}\'" }',
    "one-cannot": "any { expr true } { no-such-provider }",
    "one-fails": """any { expr report=true resources="%{reqenv:METRICS_ID} -in { file('/no/such/file') }" } { expr true }""",
    "narrowed": "all { example ada } { owner }",
    "not-narrowed": "any { example ada } { owner }",
    "all-of-one": "all { expr true users true }",
}

USERS = ("ada", "bob", "eve", "guest")


def document(type_, *words, views=1):
    names = dict(zip(("resource", "user"), words))
    return {"_id": ":".join((type_, *words)), "type": type_, "views": views, "downloads": 0, **names}


def fill(httpd):
    httpd.counts.wait_for_indexes()
    db = httpd.counts.db
    db.metrics_datasets.insert_many([{"_id": f"d{n}", "views": 10 - n, "downloads": 0} for n in range(1, 5)])
    db.metrics_collections.insert_one({"_id": "c1", "views": 1, "downloads": 0})
    db.metrics_users.insert_many([document("datasets", *words) for words in (
        ("d1", "ada"), ("d1", "bob"), ("d1", "eve"), ("d2", "ada"), ("d2", "eve"), ("d3", "eve"))])
    db.datasets.insert_many([
        {"_id": "d1", "name": "One", "author": {"id": "ada"}, "in": ["c1"]},
        {"_id": "d2", "name": "Two", "author": {"id": "bob"}},
        {"_id": "d3", "name": "Three", "author": {"id": "ada"}},
        {"_id": "d4", "name": "Four"}])
    db.collections.insert_one({"_id": "c1", "name": "Collected"})


@pytest.fixture(scope="module")
def site(httpd_of_file, example_module):
    conf = f"LoadModule {example_module}\nMetricsAnonymousUser guest\n" + "".join(SECTION.format(name=name, line=line)
                                                    for name, line in LINES.items())
    httpd = httpd_of_file(conf, types=TYPES, markers=False, modules=MODULES)
    httpd.allow_log("MM0502: MetricsAuthz no-such-provider")
    httpd.password_file(*((name, name) for name in USERS))
    (httpd.directory / "groups").write_text("readers: ada\nhr: bob\n")
    httpd.start()
    fill(httpd)
    return httpd


def rows_of(site, path, user=None, **options):
    """The rows of a report, or the status of another answer. Without a user it is that of a visitor whom httpd lets in."""
    path = path if user else "/nobody" + path
    answer = site.get(path, user=(user, user) if user else None, **options)
    return [row for row in answer.rows[1:]] if answer.status == 200 else answer.status


def resources(site, name, user=None, **options):
    rows = rows_of(site, f"/{name}/datasets?sort=resource_id", user, **options)
    return " ".join(row[0] for row in rows) if isinstance(rows, list) else rows


def uses(site, name, user=None):
    rows = rows_of(site, f"/{name}/datasets/users?sort=resource_id", user)
    return " ".join(f"{row[0]}:{row[2]}" for row in rows) if isinstance(rows, list) else rows


ALL = "d1 d2 d3 d4"
ALL_USES = "d1:ada d1:bob d1:eve d2:ada d2:eve d3:eve"


@pytest.mark.parametrize("name, user, seen, named", [
    ("plain", "ada", ALL, ALL_USES),
    ("plain", "bob", ALL, ""),
    ("plain", "eve", 403, 403),
    ("plain", None, 401, 401),
    ("named", "bob", "d1 d3", "d1:bob d3:eve"),
    ("named", "eve", "d1 d3", "d1:eve d3:eve"),
    ("named", None, 401, 401),
    ("named-small", "ada", "d1 d3 d4", "d1:eve d3:eve"),
    ("none-of-them", "ada", "", ""),
    ("none-of-them", "bob", ALL, ALL_USES),
    ("group", "ada", ALL, ""),
    ("group", "bob", ALL, ALL_USES),
    ("group", None, 401, 401),
    ("require", "bob", ALL, ""),
    ("require-ip", None, ALL, ""),
    ("owner", "ada", "d1 d3", "d1:ada"),
    ("owner", "bob", "d2", ""),
    ("owner", "eve", "", ""),
    ("owner", "guest", 403, 403),
    ("owner", None, 401, 401),
    ("owner-used", "ada", "d1 d3", "d1:ada d1:bob d1:eve d3:eve"),
    ("owner-used", "bob", "d2", "d2:ada d2:eve"),
    ("any", "ada", "d1 d3", "d1:ada d1:bob d1:eve d3:eve"),
    # Whoever may see all, and the people of their own: not the people of all.
    ("any", "bob", ALL, "d2:ada d2:eve"),
    ("all", "ada", "d1", "d1:ada d1:bob"),
    ("all", "bob", "d2", "d2:ada"),
    ("all", None, 401, 401),
    ("nested", "ada", 403, 403),
    ("nested", "bob", ALL, "d2:ada d2:eve"),
    ("all-of-one", "eve", ALL, ALL_USES),
])
def test_who_sees_what(site, name, user, seen, named):
    if (name, user) == ("group", "eve") or name in ("group", "nested"):
        site.allow_log("AH01666|AH01667")  # mod_authz_groupfile says whom it does not find
    assert (resources(site, name, user), uses(site, name, user)) == (seen, named)


def test_group_of_nobody_is_refused(site):
    site.expect_log("AH01666")
    assert resources(site, "group", "eve") == 403


def test_requester_as_the_application_knows_them(site):
    assert resources(site, "owner-as", headers={"X-As": "bob"}) == "d2"
    assert resources(site, "owner-as") == 401
    assert resources(site, "owner-as", "ada") == 403
    assert resources(site, "owner-as", "bob", headers={"X-As": "ada"}) == "d1 d3"
    # A value is compared, whatever it looks like.
    for odd in ("", '{"$ne": 1}', "ada' || 'a' == 'a", "*", "ADA", "guest"):
        assert resources(site, "owner-as", headers={"X-As": odd}) in ("", 401)


def test_what_two_documents_call_two_peoples_is_nobodys(site):
    """An id is text in the counts; in the application it may be an ObjectId here, and a name that somebody chose there."""
    db, id_ = site.counts.db, "5c0000000000000000000001"
    db.metrics_datasets.insert_one({"_id": id_, "views": 1, "downloads": 0})
    try:
        for theirs, chosen in ({"author": {"id": "bob"}}, {"author": {"id": "eve"}}), ({}, {"author": {"id": "eve"}}):
            db.datasets.insert_many([{"_id": ObjectId(id_), **theirs}, {"_id": id_, **chosen}])
            assert (resources(site, "owner", "eve"), resources(site, "owner", "bob")) == ("", "d2")
            db.datasets.delete_many({"_id": {"$in": [id_, ObjectId(id_)]}})
        db.datasets.insert_many([{"_id": _id, "author": {"id": "eve"}} for _id in (ObjectId(id_), id_)])
        assert resources(site, "owner", "eve") == id_
    finally:
        db.metrics_datasets.delete_one({"_id": id_})
        db.datasets.delete_many({"_id": {"$in": [id_, ObjectId(id_)]}})


def test_another_spelling_tells_nothing_of_what_is_hidden(site):
    db, id_, open_id = site.counts.db, "5c000000000000000000000a", "5c000000000000000000000b"
    try:
        db.metrics_datasets.insert_many([{"_id": one, "views": 1, "downloads": 0} for one in (id_, id_.upper(), open_id.upper())])
        db.datasets.insert_many([{"_id": ObjectId(one), "name": f"Name of {one[-1]}", "author": {"id": "eve"}, "in": ["c1"]}
                                 for one in (id_, open_id)])
        rows = {row[0]: row for row in rows_of(site, "/but-one/datasets?columns=owner,parent_collections", "ada")}
        assert id_ not in rows and [cell for cell in rows[id_.upper()][1:] if cell] == ["1", "0"]
        assert {"Name of b", "eve", "Collected"} <= set(rows[open_id.upper()])
    finally:
        db.metrics_datasets.delete_many({"_id": {"$regex": "^5[cC]0000"}})
        db.datasets.delete_many({"name": {"$regex": "^Name of"}})


def test_another_spelling_of_a_parent_tells_nothing_of_it(site):
    """Whoever writes a document may name any parent in it."""
    db, id_, open_id = site.counts.db, "5c000000000000000000000a", "5c000000000000000000000b"
    try:
        db.collections.insert_many([{"_id": ObjectId(one), "name": f"Name of {one[-1]}"} for one in (id_, open_id)])
        db.datasets.insert_one({"_id": "d9", "in": [id_.upper(), open_id.upper(), id_]})
        db.metrics_datasets.insert_one({"_id": "d9", "views": 1, "downloads": 0})
        for columns in ("", "?columns=parent_collections"):
            text = site.get("/but-one/datasets" + columns, user=("ada", "ada")).text
            assert ("Name of a" in text, "Name of b" in text) == (False, True)
        children = [site.get(f"/but-one/collections/{one.upper()}/datasets", user=("ada", "ada")).text for one in (id_, open_id)]
        assert ["d9" in text for text in children] == [False, True]
    finally:
        db.metrics_datasets.delete_one({"_id": "d9"})
        db.datasets.delete_one({"_id": "d9"})
        db.collections.delete_many({"name": {"$regex": "^Name of"}})


def test_what_is_not_theirs_is_not_even_read(site):
    """The example says how many rows it is asked about."""
    for name, seen, asked in (("narrowed", "d1 d3", 2), ("not-narrowed", ALL, 4)):
        offset = len(site.log_text())
        assert resources(site, name, headers={"X-Requester": "ada"}) == seen
        assert f"see type=datasets n={asked} " in site.log_text()[offset:]


def test_parents_and_owners_are_resources_and_people(site):
    assert [row[6:] for row in rows_of(site, "/owner/datasets/d1", "ada")] == [["", "", ""]]
    assert [row[6:] for row in rows_of(site, "/plain/datasets/d1", "ada")] == [["collections", "c1", "Collected"]]
    for name, user, owners in (("owner", "ada", ["ada", "ada"]), ("any", "bob", ["", "bob", "", ""]),
                               ("plain", "bob", ["", "", "", ""])):
        rows = rows_of(site, f"/{name}/datasets?sort=resource_id&columns=owner&parents=none", user)
        assert [row[-1] for row in rows] == owners


def test_totals_of_all_types_and_pages(site):
    assert [row[:2] for row in rows_of(site, "/owner", "ada")] == [["datasets", "d1"], ["datasets", "d3"]]
    assert [row[0] for row in rows_of(site, "/owner/datasets?limit=1&offset=1", "ada")] == ["d3"]
    assert rows_of(site, "/owner/datasets/d2", "ada") == []
    assert rows_of(site, "/owner/datasets/users?user=eve", "bob") == []


def test_status_is_nobodys_own(site):
    assert rows_of(site, "/owner/status", "ada") == 403
    assert site.get("/group/status", user=("ada", "ada")).status == 200


def test_what_is_left_of_ones_own(site):
    rows = rows_of(site, "/owner/datasets/users?others=1&sort=resource_id", "ada")
    assert [(row[0], row[2], row[4]) for row in rows] == [("d1", "ada", "1"), ("d1", "", "8"), ("d3", "", "7")]


@pytest.mark.parametrize("name", ["broken", "one-fails", "one-cannot"])
def test_what_fails_shows_nothing(site, name):
    site.allow_log("MM0504|MM0505|MM0509|MM0601|Evaluation of expression from MetricsAuthz:1 failed: Cannot open")
    answer = site.get(f"/nobody/{name}/datasets")
    assert answer.status == 503
    assert "d1" not in answer.text


def test_group_file_of_the_types_own_section(httpd):
    """Where a type has a section of its own, its group file counts under every address."""
    both = SECTION.format(name="metrics", line="group report=outer")
    inner = '<Location "/metrics/datasets">\nAuthGroupFile "${DIR}/inner"\nMetricsAuthz group report=inner\n</Location>'
    site = httpd(both + inner, types=TYPES, markers=False, modules=MODULES)
    site.allow_log("AH0166[67]")
    site.password_file(("ada", "ada"), ("bob", "bob"))
    (site.directory / "groups").write_text("outer: ada bob\ninner: bob\n")
    (site.directory / "inner").write_text("inner: ada\n")
    site.start()
    fill(site)
    for path in ("/metrics", "/metrics/datasets", "/metrics/datasets.csv"):
        assert ("d1" in site.get(path, user=("ada", "ada")).text) is True
        assert ("d1" in site.get(path, user=("bob", "bob")).text) is False


@pytest.mark.parametrize("line, says", [
    ("expr", "give one expression"),
    ("expr report=true what=ever", "\"what=ever\" is no argument; there are report=, resources=, people="),
    ("expr resources=true", "report= is missing"),
    ("expr report=true report=true", "report= stands twice"),
    ("expr report= people=true", "report= has no value"),
    ("""expr "%{reqenv:METRICS_TYPE} != 'files'" """, "report= is asked before there is a resource or a person"),
    ("""expr report="%{reqenv:metrics_id} != 'd2'" """, "report= is asked before there is a resource or a person"),
    ("""expr report=true resources="%{reqenv:METRICS_PERSON} != 'eve'" """, "resources= is not about a person"),
    ('expr report="%{REMOTE_USER" ', "cannot read the expression"),
    ("group", "say who may see reports with report="),
    ('group report="a" people=""', "say who may see reports"),
    ('require report="no-such-check x"', 'no loaded module knows "Require no-such-check"'),
    ('require report="not user ada"', 'there is no "not" here'),
    ('require report="ip 300.1.2.3.4"', '"ip 300.1.2.3.4"'),
    ("owner people=some", "people= is used"),
    ('owner as="%{REMOTE_USER"', "cannot read as="),
    ("any", "in braces"),
    ("any { }", "a pair of braces is empty"),
    ("any { expr true", "in braces"),
    ("all { expr true } expr true", "in braces"),
    ("any { expr }", "give one expression"),
    ("any " + "{ expr true } " * 17, "more than 16"),
    ("subrequest", "resources= is missing"),
    ("subrequest resources=/api/datasets", "that holds {id}"),
    ("subrequest resources=http://x/{id}", "is a path of this server"),
    ("subrequest resources=//x/{id}", "is a path of this server"),
    ("subrequest resources=/a/{id} people=/u", "that holds {user}"),
    ("subrequest resources=/a/{id} method=POST", "method= is GET or HEAD"),
    ("subrequest resources=/a/{id} cache=x", "cache=x is not a number"),
    ("subrequest resources=/a/{id} max=0", "max=0 is not a number"),
])
def test_lines_that_are_wrong(httpd, line, says):
    status, said = httpd(SECTION.format(name="metrics", line=line), types=TYPES, modules=MODULES).check()
    assert status != 0
    assert "MM0503: MetricsAuthz " in said and says in said, said


def test_owner_needs_a_catalogue_that_says_whose(httpd):
    types = TYPES.replace("owner=author.id ", "")
    status, said = httpd(SECTION.format(name="metrics", line="owner"), types=types, modules=MODULES).check()
    assert (status != 0, "no MetricsCatalog says with owner=" in said) == (True, True)
