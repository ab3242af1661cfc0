"""The demo repository's catalogue: documents in the shapes that NCSA Clowder 1.23 keeps in MongoDB.

build() gives the same documents and file contents each time. Of what Clowder writes the demo leaves out only what
nothing here reads (licences' wording, previews, most permissions).
"""

import random
from datetime import datetime, timedelta

from bson import Int64, ObjectId

import contents
import names

SEED = 20240601
EPOCH = datetime(2024, 1, 8, 9, 0)
N_FILES = 200
N_IN_FOLDERS = 60
READONLY = [
    f"View{what}"
    for what in (
        "Collection",
        "Dataset",
        "File",
        "Space",
        "User",
        "Comments",
        "Tags",
        "Metadata",
        "Section",
        "Sensor",
        "GeoStream",
        "Vocabulary",
        "VocabularyTerm",
    )
]
EDITING = ["DownloadFiles", "CreateDataset", "EditDataset", "CreateCollection", "EditCollection", "AddFile", "EditFile"]
ROLES = (
    ("Admin", READONLY + EDITING + ["EditSpace", "DeleteSpace", "DeleteDataset", "DeleteCollection", "DeleteFile"]),
    ("Editor", READONLY + EDITING),
    ("Viewer", READONLY),
)


class Catalogue:
    """documents: MongoDB collection -> list of documents. contents: file id -> bytes."""

    def __init__(self):
        self.documents = {
            name: []
            for name in ("roles", "social.users", "spaces.projects", "collections", "datasets", "folders", "uploads")
        }
        self.contents = {}
        self._rng = random.Random(SEED)

    def add(self, collection, moment, /, **fields):
        """Appends a document and returns it. An ObjectId begins with the second it was made in."""
        model = {
            "roles": "Role",
            "social.users": "ClowderUser",
            "spaces.projects": "ProjectSpace",
            "collections": "Collection",
            "datasets": "Dataset",
            "folders": "Folder",
            "uploads": "File",
        }[collection]
        seconds = int((moment - datetime(1970, 1, 1)).total_seconds())
        document = {
            "_typeHint": f"models.{model}",
            "_id": ObjectId(seconds.to_bytes(4, "big") + self._rng.randbytes(8)),
            **fields,
        }
        self.documents[collection].append(document)
        return document

    def parents_of_file(self, file_id):
        """The datasets that hold a file, directly or in a folder."""
        in_folders = {folder["parentDatasetId"] for folder in self.documents["folders"] if file_id in folder["files"]}
        return [d for d in self.documents["datasets"] if file_id in d["files"] or d["_id"] in in_folders]

    def files_of_dataset(self, dataset):
        """(path of folder names, file) of all files of a dataset, in folders too."""
        by_id = {file["_id"]: file for file in self.documents["uploads"]}
        found = [((), by_id[file_id]) for file_id in dataset["files"]]
        folders = {
            folder["_id"]: folder for folder in self.documents["folders"] if folder["parentDatasetId"] == dataset["_id"]
        }
        for folder in folders.values():
            path, above = (folder["displayName"],), folders.get(folder["parentId"])
            while above:
                path, above = (above["displayName"],) + path, folders.get(above["parentId"])
            found += [(path, by_id[file_id]) for file_id in folder["files"]]
        return found


def build():
    catalogue = Catalogue()
    rng = random.Random(SEED + 1)
    roles = _add_roles(catalogue)
    users = _add_users(catalogue, rng)
    spaces = _add_spaces(catalogue, rng, users)
    _add_members(rng, users, spaces, roles)
    collections = _add_collections(catalogue, rng, users, spaces)
    datasets = _add_datasets(catalogue, rng, users, spaces, collections)
    folders = _add_folders(catalogue, rng, datasets)
    files = _add_files(catalogue, rng, users)
    _place_files(rng, files, datasets, folders)
    _count_children(collections, datasets, spaces)
    return catalogue


def _day(rng, number):
    return EPOCH + timedelta(days=number, seconds=rng.randrange(8 * 3600), milliseconds=rng.randrange(1000))


def _stats():
    return {"_typeHint": "models.Statistics", "views": 0, "downloads": 0}


def _mini_user(user):
    return {
        "_typeHint": "models.MiniUser",
        "_id": user["_id"],
        "fullName": user["fullName"],
        "avatarURL": user["avatarUrl"],
        "email": user["email"],
    }


def _license(rng, user):
    return {
        "_typeHint": "models.LicenseData",
        "_id": ObjectId(rng.randbytes(12)),
        "m_licenseType": "license2",
        "m_licenseUrl": "",
        "m_licenseText": "CC BY 4.0",
        "m_rightsHolder": user["fullName"],
        "m_ccAllowCommercial": True,
        "m_ccAllowDerivative": True,
        "m_ccRequireShareAlike": False,
        "m_allowDownload": True,
    }


def _add_roles(catalogue):
    return {
        name: catalogue.add("roles", EPOCH, name=name, description=f"{name} role", permissions=permissions)
        for name, permissions in ROLES
    }


def _add_users(catalogue, rng):
    users = []
    for number, (login, full_name, status) in enumerate(names.USERS):
        first, _, last = full_name.partition(" ")
        users.append(
            catalogue.add(
                "social.users",
                _day(rng, number),
                identityId={"_typeHint": "securesocial.core.IdentityId", "userId": login, "providerId": "ldap"},
                firstName=first,
                lastName=last,
                fullName=full_name,
                email=f"{login}@example.org",
                avatarUrl=f"https://www.gravatar.com/avatar/{rng.randbytes(16).hex()}?d=404",
                authMethod={"_typeHint": "securesocial.core.AuthenticationMethod", "method": "userPassword"},
                status=status,
                termsOfServices={"accepted": True, "acceptedDate": _day(rng, number), "acceptedVersion": ""},
                lastLogin=_day(rng, 150 + number),
            )
        )
    del users[-1]["lastLogin"]  # the inactive one was never let in
    return users


def _add_spaces(catalogue, rng, users):
    spaces = []
    for number, (name, status) in enumerate(names.SPACES):
        spaces.append(
            catalogue.add(
                "spaces.projects",
                _day(rng, 20 + number),
                name=name,
                description=f"The space “{name}” of the demo.",
                created=_day(rng, 20 + number),
                creator=users[number]["_id"],
                homePage=[],
                collectionCount=0,
                datasetCount=0,
                fileCount=0,
                userCount=0,
                spaceBytes=Int64(0),
                metadata=[],
                resourceTimeToLive=Int64(2592000000),
                isTimeToLiveEnabled=False,
                followers=[],
                curationObjects=[],
                invitations=[],
                requests=[],
                status=status,
                affiliatedSpaces=[],
            )
        )
    return spaces


def _add_members(rng, users, spaces, roles):
    for number, space in enumerate(spaces):
        members = {
            number: "Admin",
            (number + 4) % 11: "Editor",
            (number + 7) % 11: "Viewer",
            rng.randrange(4, 11): "Viewer",
        }
        for place, role in members.items():
            users[place].setdefault("spaceandrole", []).append(
                {"_typeHint": "models.UserSpaceAndRole", "spaceId": space["_id"], "role": roles[role]}
            )
        space["userCount"] = len(members)


def _add_collections(catalogue, rng, users, spaces):
    collections = []
    for number, (name, parents) in enumerate(names.COLLECTIONS):
        created, space = _day(rng, 30 + number), spaces[number % 4]
        collections.append(
            catalogue.add(
                "collections",
                created,
                name=name,
                author=_mini_user(rng.choice(users[:11])),
                description="A collection of the demo.",
                created=created,
                datasetCount=0,
                previews=[],
                spaces=[space["_id"]],
                lastModifiedDate=created,
                followers=[],
                parent_collection_ids=[collections[place]["_id"] for place in parents],
                child_collection_ids=[],
                root_spaces=[] if parents else [space["_id"]],
                metadataCount=Int64(0),
                trash=False,
                childCollectionsCount=0,
                stats=_stats(),
                jsonldMetadata=[],
            )
        )
        for place in parents:
            collections[place]["child_collection_ids"].append(collections[-1]["_id"])
    return collections


def _add_datasets(catalogue, rng, users, spaces, collections):
    datasets = []
    for number, (name, parents) in enumerate(names.DATASETS):
        created, author = _day(rng, 40 + 3 * number), rng.choice(users[:11])
        datasets.append(
            catalogue.add(
                "datasets",
                created,
                name=name,
                author=_mini_user(author),
                description=f"Dataset {number + 1} of the demo.",
                created=created,
                files=[],
                folders=[],
                streams_id=[],
                tags=[],
                metadataCount=Int64(0),
                collections=[collections[place]["_id"] for place in parents],
                licenseData=_license(rng, author),
                spaces=[space["_id"] for space in rng.sample(spaces, number % 3)],
                lastModifiedDate=created,
                trash=False,
                followers=[],
                stats=_stats(),
                status=("PUBLIC", "DEFAULT", "PRIVATE")[number % 3],
                creators=[],
            )
        )
    return datasets


def _add_folders(catalogue, rng, datasets):
    """Six datasets have folders: each two at the top, the second of which holds one more."""
    folders = []
    for number, dataset in enumerate(datasets[:12:2]):
        above, above_type = dataset, "dataset"
        for depth, name in enumerate(
            (names.FOLDERS[number], names.FOLDERS[(number + 1) % 6], names.FOLDERS[(number + 2) % 6])
        ):
            created = dataset["created"] + timedelta(hours=1 + depth)
            folder = catalogue.add(
                "folders",
                created,
                created=created,
                author=dataset["author"],
                name=name,
                displayName=name,
                files=[],
                folders=[],
                parentId=above["_id"],
                parentType=above_type,
                parentDatasetId=dataset["_id"],
            )
            above["folders"].append(folder["_id"])
            folders.append(folder)
            if depth == 1:
                above, above_type = folder, "folder"
    return folders


def _add_files(catalogue, rng, users):
    files = []
    for number in range(N_FILES):
        suffix, media_type, make, (least, most) = contents.KINDS[number % len(contents.KINDS)]
        stem = (
            names.AWKWARD_FILES[number // 3]
            if number % 3 == 0 and number // 3 < len(names.AWKWARD_FILES)
            else f"{rng.choice(contents.WORDS)}-{rng.choice(contents.WORDS)}-{number:03d}"
        )
        # Small files are the most; the cube keeps the few large ones.
        data = make(rng, int(least + (most - least) * rng.random() ** 3))
        created = _day(rng, 50 + number // 2)
        user, name = rng.choice(users[:11]), f"{stem}.{suffix}"
        file = catalogue.add("uploads", created)
        identity = str(file["_id"])
        file.update(
            loader_id=f"uploads/{identity[-2:]}/{identity[-4:-2]}/{identity[-6:-4]}/{identity}",
            filename=name,
            originalname=name,
            author=_mini_user(user),
            uploadDate=created,
            contentType=media_type,
            length=Int64(len(data)),
            loader="services.filesystem.DiskByteStorageService",
            showPreviews="DatasetLevel",
            sections=[],
            previews=[],
            tags=[],
            metadataCount=Int64(0),
            description="",
            isIntermediate=False,
            xmlMetadata={},
            licenseData=_license(rng, user),
            followers=[],
            stats=_stats(),
            status="PROCESSED",
        )
        catalogue.contents[file["_id"]] = data
        files.append(file)
    return files


def _place_files(rng, files, datasets, folders):
    """The first file belongs to two datasets, the second to none; the last dataset stays empty."""
    first, _, *others = files
    datasets[0]["files"].append(first["_id"])
    datasets[3]["files"].append(first["_id"])
    for number, file in enumerate(others):
        place = folders[number % len(folders)] if number < N_IN_FOLDERS else rng.choice(datasets[:-1])
        place["files"].append(file["_id"])


def _count_children(collections, datasets, spaces):
    for collection in collections:
        collection["datasetCount"] = sum(collection["_id"] in dataset["collections"] for dataset in datasets)
        collection["childCollectionsCount"] = len(collection["child_collection_ids"])
    for space in spaces:
        inside = [dataset for dataset in datasets if space["_id"] in dataset["spaces"]]
        space["datasetCount"] = len(inside)
        space["collectionCount"] = sum(space["_id"] in collection["spaces"] for collection in collections)
        space["fileCount"] = sum(len(dataset["files"]) for dataset in inside)
