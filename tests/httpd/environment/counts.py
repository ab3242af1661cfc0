"""What the database holds of one site, read as the data model says."""

import itertools
import os

import pymongo

from .waiting import wait_equal, wait_for

MARKERS = "markers"
COUNTERS = ("views", "downloads", "machine_views", "machine_downloads")


class Counts:
    """The metrics of one database. Ids are str, or bytes where they are no UTF-8."""

    def __init__(self, uri, name):
        # A server that hangs fails a test; it does not hang all of them.
        self.client = pymongo.MongoClient(uri, serverSelectionTimeoutMS=20000, socketTimeoutMS=60000)
        self.db = self.client[name]

    def close(self):
        self.client.close()

    def of(self, type_):
        """{id: (views, downloads)}"""
        return {id_: counters[:2] for id_, counters in self.all_of(type_).items()}

    def all_of(self, type_):
        """{id: (views, downloads, machine_views, machine_downloads)}"""
        return {doc["_id"]: tuple(doc.get(name, 0) for name in COUNTERS) for doc in self.db["metrics_" + type_].find()}

    def users(self):
        """{(type, resource, user): (views, downloads)}"""
        return {(doc["type"], doc["resource"], doc["user"]):
                (doc.get("views", 0), doc.get("downloads", 0))
                for doc in self.db.metrics_users.find({"type": {"$ne": MARKERS}})}

    def wait_for_indexes(self):
        """Waits until the site's drainer has made its collections. Before that nobody else may make one there: of two
        that make collections at once in a new database, secantusd-py leaves one spinning and the other waiting."""
        wait_for(lambda: "uses_by" in self.db.metrics_users.index_information(),
                 what="the drainer has made the last of its indexes")

    def wait(self, type_, expected):
        """Waits until the totals of a type are exactly these."""
        wait_equal(lambda: self.of(type_), expected)

    def empty(self):
        """Everything goes, the application's documents too; collections and their indexes stay."""
        for name in self.db.list_collection_names():
            self.db[name].delete_many({})

    def forget(self):
        for name in self.db.list_collection_names():
            if name.startswith("metrics_") and name != "metrics_meta":
                self.db[name].delete_many({})


class Markers:
    """Knows when all earlier requests are in the database. The site's one child appends to one segment, which is read
    in order: once a marker's visit is counted, everything before it has been looked at, counted or not."""

    _numbers = itertools.count(1)

    CONF = """
<MetricsType markers>
    MetricsView "^/markers/([^/]+)$"
</MetricsType>
<Location "/markers">
    MetricsCapture On
</Location>
"""

    def __init__(self, httpd, counts):
        self._httpd, self._counts = httpd, counts
        self._directory = os.path.join(httpd.docroot, MARKERS)
        os.makedirs(self._directory, exist_ok=True)

    def settle(self):
        name = f"m{next(self._numbers)}"
        with open(os.path.join(self._directory, name), "wb"):
            pass
        answer = self._httpd.get(f"/markers/{name}")
        assert answer.status == 200, answer.text
        wait_for(lambda: self._counts.db.metrics_markers.find_one({"_id": name}),
                 what=f"the visit of {name} is in the database")

    def counted(self, type_="datasets"):
        """The totals of a type, with all that was recorded until now."""
        self.settle()
        return self._counts.of(type_)

    def forget(self):
        """For a test that begins: nothing of earlier ones is counted, or will be."""
        self.settle()
        self._counts.forget()
