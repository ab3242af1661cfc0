"""Who sees what in a Clowder, said a second time: from Clowder's source (app/api/Permissions.scala, ApiController.scala,
SecuredController.scala, Profile.scala) and its documents in Python, one resource at a time, without a thought for speed.
It shares nothing with mod_metrics but the documents."""

from .clowder_world import TERMS

READONLY = {"ViewDataset", "ViewCollection", "ViewFile", "ViewSpace", "ViewUser"}
NEEDS = {"datasets": "ViewDataset", "collections": "ViewCollection", "files": "ViewFile", "spaces": "ViewSpace"}
KEPT_IN = {"datasets": "datasets", "collections": "collections", "files": "uploads", "spaces": "spaces.projects"}


class Requester:
    """user: the document, or None for an anonymous one; superadmin: whether everything was asked for."""

    def __init__(self, user=None, superadmin=False):
        self.user = user
        self.id = user["_id"] if user else None
        self.superadmin = bool(user) and user.get("status") == "Admin" and superadmin

    @property
    def is_let_in(self):
        if self.user is None:
            return True
        terms = self.user.get("termsOfServices")
        if not terms or terms.get("accepted") is not True or "acceptedDate" not in terms:
            return False
        return terms["acceptedDate"] > TERMS and self.user.get("status") in ("Admin", "Active", "ReadOnly")

    def role_in(self, space):
        """Permissions of the first of the user's roles there."""
        for entry in self.user.get("spaceandrole", []) if self.user else []:
            if isinstance(entry, dict) and entry.get("spaceId") == space:
                return permissions(entry)
        return set()


def permissions(entry):
    role = entry.get("role")
    names = role.get("permissions") if isinstance(role, dict) else None
    return {name for name in names if isinstance(name, str)} if isinstance(names, list) else set()


class Oracle:
    def __init__(self, world, public, strict, people="page"):
        self.public, self.strict, self.people = public, strict, people
        self.by_id = {name: {doc["_id"]: doc for doc in docs if "_id" in doc} for name, docs in world.docs.items()}
        self.by_id["folders"] = {doc["_id"]: doc for doc in world.docs["folders"]}

    # --- resources ---

    def sees(self, requester, type_, id_):
        """Whether there is a row for it; id_ as an ObjectId, or None for what can be no id of Clowder's."""
        if id_ is None or not requester.is_let_in:
            return False
        if requester.superadmin:
            return True
        doc = self.by_id[KEPT_IN[type_]].get(id_)
        if self.strict and not self.is_kept(requester, type_, doc, id_):
            return False
        if self.public:
            return True
        if requester.user is None:
            return self.anonymous(type_, doc, id_)
        return self.owns(requester, type_, doc) or self.signed_in(requester, type_, doc, id_)

    def owns(self, requester, type_, doc):
        if doc is None or requester.user is None:
            return False
        author = doc.get("creator") if type_ == "spaces" else doc.get("author", {}).get("_id")
        return author == requester.id

    def is_kept(self, requester, type_, doc, id_):
        """strict: it exists, and is not in the trash, but for its owner."""
        if doc is None:
            return False
        if type_ == "files":
            datasets = self.datasets_of(id_)
            in_trash = bool(datasets) and all(dataset.get("trash") is True for dataset in datasets)
        else:
            in_trash = type_ != "spaces" and doc.get("trash") is True
        return not in_trash or self.owns(requester, type_, doc)

    def is_public_space(self, id_):
        return self.by_id["spaces.projects"].get(id_, {}).get("status") == "PUBLIC"

    def in_public_space(self, doc):
        return any(self.is_public_space(space) for space in doc.get("spaces", []))

    def is_open(self, dataset):
        status = dataset.get("status")
        return status == "PUBLIC" or (status == "DEFAULT" and self.in_public_space(dataset))

    def datasets_of(self, file):
        """In Clowder's order: those of its folders, by id, then those that it is directly in."""
        parents = {folder.get("parentDatasetId") for folder in self.by_id["folders"].values()
                   if file in folder.get("files", [])}
        datasets = self.by_id["datasets"]
        direct = [id_ for id_, dataset in datasets.items() if file in dataset.get("files", [])]
        return [datasets[id_] for id_ in sorted(parent for parent in parents if parent in datasets)] + \
               [datasets[id_] for id_ in sorted(direct)]

    def anonymous(self, type_, doc, id_):
        if type_ == "files":
            datasets = self.datasets_of(id_)
            if self.strict:
                return bool(datasets) and all(self.is_open(d) and d.get("trash") is not True for d in datasets)
            return bool(datasets) and self.is_open(datasets[0])
        if doc is None:
            return False
        if type_ == "datasets":
            return self.is_open(doc)
        if type_ == "collections":
            return self.in_public_space(doc)
        holds_public = any(id_ in dataset.get("spaces", []) and dataset.get("status") == "PUBLIC"
                           for dataset in self.by_id["datasets"].values())
        return self.is_public_space(id_) or (holds_public and not self.strict)

    def has_role(self, requester, doc, permission):
        return any(permission in requester.role_in(space) for space in doc.get("spaces", []))

    def signed_in(self, requester, type_, doc, id_):
        permission = NEEDS[type_]
        if type_ == "files":
            return any(self.is_open(dataset) or self.has_role(requester, dataset, permission)
                       for dataset in self.datasets_of(id_)
                       if not (self.strict and dataset.get("trash") is True))
        if doc is None:
            return False
        if type_ == "spaces":
            return self.is_public_space(id_) or permission in requester.role_in(id_)
        if doc.get("trash") is True:
            return False
        is_open = self.is_open(doc) if type_ == "datasets" else self.in_public_space(doc)
        return is_open or self.has_role(requester, doc, permission)

    # --- people ---

    def names(self, requester, id_):
        """Whether this person may be named."""
        if id_ is None or not requester.is_let_in or self.people == "none":
            return False
        person = self.by_id["social.users"].get(id_)
        if self.people == "self":
            return person is not None and id_ == requester.id
        if requester.superadmin:
            return True
        if person is None:
            return False
        page = requester.user is not None
        if self.public:
            api = True
        elif requester.user is None:
            api = False
        else:
            api = id_ == requester.id or any("ViewUser" in permissions(entry) for entry in person.get("spaceandrole", [])
                                             if isinstance(entry, dict))
        if self.strict:
            return page and api
        return page if self.people == "page" else api
