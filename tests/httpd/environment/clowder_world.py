"""A Clowder database made up from a seed: people, roles, spaces, nested collections, datasets, folders and files, as
Clowder 1 writes them, as its older versions did, and as they are left behind by what was deleted since.

Nothing here decides anything; clowder_oracle.py does, from the same documents.
"""

import random
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone

from bson import ObjectId

TERMS = datetime(2020, 5, 1, tzinfo=timezone.utc)
VIEWS = ["ViewDataset", "ViewCollection", "ViewFile", "ViewSpace", "ViewUser"]
OTHERS = ["DownloadFiles", "EditDataset", "CreateSpace", "ViewTags", "viewdataset"]
COLLECTIONS = ("datasets", "collections", "uploads", "folders", "spaces.projects", "social.users",
               "social.authenticator", "users.apikey", "app.configuration")


def now():
    return datetime.now(timezone.utc).replace(microsecond=0)


@dataclass
class World:
    """Documents by collection, and what was used of them."""

    seed: int
    size: int
    docs: dict = field(default_factory=lambda: {name: [] for name in COLLECTIONS})
    gone: dict = field(default_factory=dict)  # ids that are counted and no longer there, by type
    sessions: dict = field(default_factory=dict)  # user -> cookie
    keys: dict = field(default_factory=dict)  # user -> key

    def __post_init__(self):
        self.random = random.Random(self.seed)
        self._numbers = 0
        counts = {"spaces": self.size // 4 + 3, "users": self.size // 2 + 9, "collections": self.size,
                  "datasets": self.size * 2, "folders": self.size, "files": self.size * 3}
        self.ids = {what: [self.oid() for _ in range(n)] for what, n in counts.items()}
        self.gone = {type_: [self.oid() for _ in range(3)] for type_ in ("datasets", "collections", "files", "spaces", "users")}
        self._spaces()
        self._users()
        self._collections()
        self._datasets()
        self._folders()
        self._files()
        self.docs["app.configuration"] += [{"key": "tos.date", "value": TERMS}, {"key": "tos.text", "value": ""}]

    # --- small things ---

    def oid(self):
        self._numbers += 1
        return ObjectId(f"{self.random.getrandbits(72):018x}{self._numbers:06x}")

    def chance(self, share):
        return self.random.random() < share

    def some(self, what, most, gone=0.1):
        """Up to so many ids of a kind, some of which lead nowhere, some twice."""
        picked = self.random.choices(self.ids[what], k=self.random.randint(0, most))
        return [self.oid() if self.chance(gone) else id_ for id_ in picked]

    def author(self):
        if self.chance(0.05):
            return {"_id": self.oid(), "fullName": "deleted"}
        hint = {"_typeHint": "models.MiniUser"} if self.chance(0.7) else {}
        # Half of everything is of the few who are one of each kind.
        users = self.ids["users"][:8] if self.chance(0.5) else self.ids["users"]
        return {**hint, "_id": self.random.choice(users), "fullName": "somebody", "email": ""}

    def with_fields(self, doc, **optional):
        """Each field is there, or is not, as in documents of older versions."""
        for name, (value, share) in optional.items():
            if self.chance(share):
                doc[name] = value
        return doc

    # --- people ---

    def role(self):
        kind = self.random.choice(["Admin", "Viewer", "some", "some", "none", "odd"])
        if kind == "odd":
            return self.random.choice([None, {}, {"permissions": "ViewDataset"}, {"permissions": [None, 3]}])
        wanted = {"Admin": VIEWS + OTHERS, "Viewer": VIEWS, "none": self.random.sample(OTHERS, 2)}.get(kind)
        return {"_typeHint": "models.Role", "_id": self.oid(), "name": kind,
                "permissions": wanted or self.random.sample(VIEWS, self.random.randint(1, 3)) + OTHERS[:1]}

    def roles(self):
        entries = []
        for space in self.some("spaces", 4):
            entry = {"_typeHint": "models.UserSpaceAndRole", "spaceId": space, "role": self.role()}
            if self.chance(0.05):
                entry["spaceId"] = str(space)
            entries.append("nothing" if self.chance(0.03) else entry)
        if entries and self.chance(0.3):  # twice in one space: the first counts
            again = self.random.choice([e for e in entries if e != "nothing"] or [{"spaceId": self.oid()}])
            entries.append({"spaceId": again["spaceId"], "role": self.role()})
        return entries

    def terms(self):
        day = timedelta(days=1)
        return self.random.choices([
            {"accepted": True, "acceptedDate": TERMS + day, "acceptedVersion": "1"},
            {"accepted": True, "acceptedDate": TERMS - day},
            {"accepted": True, "acceptedDate": TERMS},
            {"accepted": False, "acceptedDate": TERMS + day},
            {"accepted": True},
            None], weights=[14, 1, 1, 1, 1, 1])[0]

    def _users(self):
        # There is always one of each kind.
        kinds = ["Admin", "Active", "Active", "Inactive", "ReadOnly", None, "Strange", "Admin"]
        for number, id_ in enumerate(self.ids["users"]):
            first = number < len(kinds)
            status = kinds[number] if first else self.random.choices(
                ["Active", "Admin", "ReadOnly", "Inactive"], weights=[12, 1, 2, 1])[0]
            login = {"userId": f"u{number}@example.org", "providerId": self.random.choice(["userpass", "orcid"])}
            user = {"_typeHint": "models.ClowderUser", "_id": id_, "identityId": login, "fullName": f"Person {id_}",
                    "email": f"u{number}@example.org"}
            terms = {"accepted": True, "acceptedDate": TERMS + timedelta(days=9)} if first else self.terms()
            if number == len(kinds):  # to the millisecond when they came into force, which is too early
                status, terms = "Active", {"accepted": True, "acceptedDate": TERMS}
            self.with_fields(user, status=(status, 1 if status else 0), termsOfServices=(terms, 1 if terms else 0),
                             spaceandrole=(self.roles(), 0.9), serverAdmin=(True, 0.2), superAdminMode=(True, 0.1))
            self.docs["social.users"].append(user)
            self._credentials(id_, login, number)

    def _credentials(self, id_, login, number):
        self.sessions[id_] = f"{number:04x}" * 64
        self.keys[id_] = f"6f1c1f0e-{number:04x}-4aaa-8bbb-000000000000"
        hint = {"_typeHint": "securesocial.core.IdentityId"} if self.chance(0.5) else {}
        self.docs["social.authenticator"].append({
            "_typeHint": "services.mongodb.LocalAuthenticator", "authenticatorId": self.sessions[id_],
            "identityId": {**hint, **login}, "creationDate": now(), "lastUsed": now(),
            "expirationDate": now() + timedelta(hours=12)})
        self.docs["users.apikey"].append({"_typeHint": "models.UserApiKey", "name": "script", "key": self.keys[id_],
                                          "identityId": {**hint, **login}})

    # --- resources ---

    def _spaces(self):
        for number, id_ in enumerate(self.ids["spaces"]):
            space = {"_typeHint": "models.ProjectSpace", "_id": id_, "name": f"Name-{id_}"}
            status = self.random.choice(["PUBLIC", "PRIVATE", "PRIVATE", "TRIAL"])
            self.with_fields(space, creator=(self.random.choice(self.ids["users"]), 0.9), status=(status, 0.95))
            self.docs["spaces.projects"].append({**space, "status": "PUBLIC"} if number == 0 else space)

    def _collections(self):
        for id_ in self.ids["collections"]:
            collection = {"_typeHint": "models.Collection", "_id": id_, "name": f"Name-{id_}", "created": now()}
            self.docs["collections"].append(self.with_fields(
                collection, author=(self.author(), 0.95), spaces=(self.some("spaces", 3), 0.85),
                trash=(self.chance(0.2), 0.8), parent_collection_ids=(self.some("collections", 2), 0.7)))

    def _datasets(self):
        statuses = ["PUBLIC", "PRIVATE", "DEFAULT", "DEFAULT", "TRIAL", "public", "odd"]
        for number, id_ in enumerate(self.ids["datasets"]):
            dataset = {"_id": id_, "name": f"Name-{id_}", "created": now()}
            self.with_fields(
                dataset, _typeHint=("models.Dataset", 0.8), author=(self.author(), 0.95),
                status=(self.random.choice(statuses), 0.85), trash=(self.chance(0.2), 0.8),
                dateMovedToTrash=(None, 0.3), spaces=(self.some("spaces", 3), 0.8),
                collections=(self.some("collections", 2), 0.8), files=(self.some("files", 6), 0.9))
            if number == 0:  # one that everybody may see, to name people with
                dataset.update(status="PUBLIC", trash=False)
            self.docs["datasets"].append(dataset)

    def _folders(self):
        for id_ in self.ids["folders"]:
            dataset = self.oid() if self.chance(0.1) else self.random.choice(self.ids["datasets"])
            parent = self.random.choice(self.ids["folders"] + [dataset])
            folder = {"_typeHint": "models.Folder", "_id": id_, "name": "f", "parentId": parent,
                      "parentType": "dataset" if parent == dataset else "folder"}
            self.docs["folders"].append(self.with_fields(
                folder, files=(self.some("files", 4), 0.95), parentDatasetId=(dataset, 0.95)))

    def _files(self):
        for id_ in self.ids["files"]:
            if self.chance(0.03):  # left by a count of something that did not exist
                self.docs["uploads"].append({"_id": id_, "stats": {"views": 1}})
            elif self.chance(0.95):
                self.docs["uploads"].append(self.with_fields(
                    {"_typeHint": "models.File", "_id": id_, "filename": f"Name-{id_}", "status": "PUBLIC", "length": 1},
                    author=(self.author(), 0.95)))

    # --- into a database ---

    def used(self):
        """{type: ids} of what has counts."""
        used = {type_: [str(id_) for id_ in self.ids[type_] + self.gone[type_]] for type_ in
                ("datasets", "collections", "files", "spaces")}
        for ids in used.values():
            ids.append("not-an-id")
        return used

    def people(self):
        return [str(id_) for id_ in self.ids["users"] + self.gone["users"]] + ["000000000000000000000000", "nobody@example.org"]

    def watched(self):
        """Datasets that were used by everybody."""
        return [str(id_) for id_ in self.ids["datasets"][:4]]

    def save(self, db):
        for name, docs in self.docs.items():
            db[name].insert_many(docs)
        for type_, ids in self.used().items():
            db["metrics_" + type_].insert_many([{"_id": id_, "views": 1000 - n % 7, "downloads": n % 3}
                                                for n, id_ in enumerate(ids)])
        db.metrics_users.insert_many([
            {"_id": f"datasets:{len(id_)}:{id_}:{user}", "type": "datasets", "resource": id_, "user": user, "views": 2,
             "downloads": 1} for id_ in self.watched() for user in self.people()])
