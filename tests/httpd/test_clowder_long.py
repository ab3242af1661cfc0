"""`MetricsAuthz clowder` on a report of so many files that what holds them is read whole on the way: it shows the same."""

from datetime import datetime

import pytest
from bson import ObjectId

from environment.httpd import ROOT

FILES, OF_A_DATASET, SPACES = 1200, 20, 4
MEMBER, OWNER, STRANGER = (digit * 24 for digit in "abc")

CONF = f"""
Include {ROOT}/conf/clowder.conf
""" + "".join(f"""
<Location "/{name}">
    SetHandler metrics
    MetricsAuthz clowder server=private user=id as="%{{req:X-User}}" {words}
    MetricsCapture Off
</Location>
""" for name, words in (("metrics", ""), ("strict", "strict=on")))


def oid(kind, n):
    return ObjectId(f"{kind:02x}{n:022x}")


def user(id_, spaces):
    role = {"name": "Viewer", "permissions": ["ViewFile"]}
    return {"_id": ObjectId(id_), "status": "Active", "identityId": {"userId": id_, "providerId": "userpass"},
            "termsOfServices": {"accepted": True, "acceptedDate": datetime(2026, 1, 2)},
            "spaceandrole": [{"spaceId": oid(1, space), "role": role} for space in spaces]}


def dataset(n):
    """Of each space in turn, a quarter with its files in a folder, the tenth dataset open, the twentieth in the trash, too."""
    return {"_id": oid(2, n), "author": {"_id": oid(9, 0)}, "status": "PUBLIC" if n % 10 == 0 else "PRIVATE",
            "trash": n % 20 == 0, "spaces": [oid(1, n % SPACES)], "files": [] if n % 4 == 3 else files_of(n)}


def files_of(n):
    return [oid(3, file) for file in range(n * OF_A_DATASET, (n + 1) * OF_A_DATASET)]


def owner_of(file):
    return OWNER if file % 7 == 0 else str(oid(9, 0))


GONE = {file for file in range(FILES) if file % 11 == 0}


@pytest.fixture(scope="module")
def site(httpd_of_file):
    httpd = httpd_of_file(CONF, types="", markers=False).start()
    httpd.counts.wait_for_indexes()
    db = httpd.counts.db
    for holders in (db.datasets, db.folders):
        holders.create_index("files")
    datasets = [dataset(n) for n in range(FILES // OF_A_DATASET)]
    db.datasets.insert_many(datasets)
    db.folders.insert_many({"parentDatasetId": oid(2, n), "files": files_of(n)} for n in range(3, len(datasets), 4))
    db.uploads.insert_many({"_id": oid(3, file), "author": {"_id": ObjectId(owner_of(file))}}
                           for file in range(FILES) if file not in GONE)
    db["spaces.projects"].insert_many({"_id": oid(1, n), "status": "PRIVATE"} for n in range(SPACES))
    db["social.users"].insert_many([user(MEMBER, (0, 3)), user(OWNER, ()), user(STRANGER, ())])
    db["app.configuration"].insert_one({"key": "tos.date", "value": datetime(2026, 1, 1)})
    db.metrics_files.insert_many({"_id": str(oid(3, file)), "views": file * 7919 % FILES + 1, "downloads": 0}
                                 for file in range(FILES))
    return httpd


def expected(who, strict):
    shown = set()
    for file in range(FILES):
        n = file // OF_A_DATASET
        is_open, in_trash = n % 10 == 0, n % 20 == 0
        owned = who and owner_of(file) == who and file not in GONE
        by_dataset = is_open or (who == MEMBER and n % SPACES in (0, 3))
        if strict:
            by_dataset = by_dataset and not in_trash and file not in GONE
        if owned or by_dataset:
            shown.add(str(oid(3, file)))
    return shown


@pytest.mark.parametrize("strict", (False, True), ids=("usual", "strict"))
@pytest.mark.parametrize("who", (MEMBER, OWNER, STRANGER, ""), ids=("member", "owner", "stranger", "anonymous"))
def test_a_long_report_shows_what_a_short_one_would(site, who, strict):
    answer = site.get(f"/{'strict' if strict else 'metrics'}/files?parents=none", headers={"X-User": who} if who else {})
    assert answer.status == 200, answer.text
    rows = answer.rows[1:]
    column = answer.rows[0].index("resource_id")
    assert {row[column] for row in rows} == expected(who, strict)
    assert len(rows) == len(expected(who, strict))
