"""A stand-in for Clowder 1 behind mod_proxy: it answers as Clowder does (chunks, gzip, 303 to /login for pages, 401 for the
API, 206 for ranges, 505 for HTTP/1.0, 301 for a slash at the end, 404 for HEAD), and the documents are as Clowder writes
them. It looks into no database; who is signed in, and what there is, is written here, once for both.
"""

import gzip
import re
from datetime import datetime, timedelta, timezone
from http.server import BaseHTTPRequestHandler
from urllib.parse import parse_qs, urlsplit

from bson import ObjectId

from .backend import Application

ADA, BOB = "5aa000000000000000000001", "5aa000000000000000000002"
DATASET, PRIVATE = "5ab00000000000000000000d", "5ab0000000000000000000ee"
COLLECTION = "5ac00000000000000000000c"
SPACE = "5ad00000000000000000000a"
FILE_A, FILE_B, FILE_C = "5ae00000000000000000000a", "5ae00000000000000000000b", "5ae00000000000000000000c"
FOLDER = "5af00000000000000000000f"
LINK, DEAD_LINK = "5b0000000000000000000abc", "5b0000000000000000000def"
UNKNOWN = "5bf000000000000000000000"

# Session cookies have 256 digits.
COOKIE_ADA, COOKIE_IDLE, COOKIE_EXPIRED, COOKIE_WRONG = ("ada0" * 64, "1d1e" * 64, "dead" * 64, "bad0" * 64)
KEY_ADA, KEY_EXTRACTOR, KEY_WRONG = "6f1c1f0e-0001-4aaa-8bbb-ada000000000", "6f1c1f0e-0002-4aaa-8bbb-e00000000000", "no-such-key"
COMMKEY = "r1ek3rs-comm-key"
SECRETS = (COOKIE_ADA, COOKIE_IDLE, COOKIE_EXPIRED, COOKIE_WRONG, KEY_ADA, KEY_EXTRACTOR, KEY_WRONG, COMMKEY)

CONTENT = b"0123456789" * 1000
HEX = "([0-9a-fA-F]{24})"


def _author(user=ADA):
    return {"_typeHint": "models.MiniUser", "_id": ObjectId(user), "fullName": "Ada", "avatarURL": ""}


def _identity(user):
    return {"_typeHint": "securesocial.core.IdentityId", "userId": f"{user}@example.org", "providerId": "userpass"}


def _now():
    return datetime.now(timezone.utc)


def sign_in(db, cookie, user="ada", idle=timedelta(0), left=timedelta(hours=12)):
    """What SecureSocial's store writes when somebody signs in."""
    db["social.authenticator"].insert_one({
        "_typeHint": "services.mongodb.LocalAuthenticator", "authenticatorId": cookie, "identityId": _identity(user),
        "creationDate": _now() - idle, "lastUsed": _now() - idle, "expirationDate": _now() + left})


def fill(db):
    """The documents of a small Clowder."""
    for user, id_ in (("ada", ADA), ("bob", BOB)):
        db["social.users"].insert_one({
            "_id": ObjectId(id_), "_typeHint": "models.ClowderUser", "identityId": _identity(user), "fullName": user,
            "status": "Active", "passwordInfo": {"hasher": "bcrypt", "password": "$2a$10$x"}})
    for name, key in (("script", KEY_ADA), ("_extraction_key", KEY_EXTRACTOR)):
        db["users.apikey"].insert_one({"_typeHint": "models.UserApiKey", "name": name, "key": key,
                                       "identityId": _identity("ada")})
    sign_in(db, COOKIE_ADA)
    sign_in(db, COOKIE_IDLE, idle=timedelta(minutes=31))
    sign_in(db, COOKIE_EXPIRED, left=timedelta(seconds=-1))
    for id_, name in ((DATASET, "Soil"), (PRIVATE, "Secret soil")):
        db.datasets.insert_one({"_typeHint": "models.Dataset", "_id": ObjectId(id_), "name": name, "author": _author(),
                                "created": _now(), "status": "PUBLIC", "collections": [ObjectId(COLLECTION)],
                                "spaces": [ObjectId(SPACE)], "files": [ObjectId(FILE_A)] if id_ == DATASET else [],
                                "folders": [ObjectId(FOLDER)]})
    db.collections.insert_one({"_typeHint": "models.Collection", "_id": ObjectId(COLLECTION), "name": "Soils",
                               "author": _author(), "created": _now(), "parent_collection_ids": []})
    db["spaces.projects"].insert_one({"_typeHint": "models.ProjectSpace", "_id": ObjectId(SPACE), "name": "Space",
                                      "creator": ObjectId(ADA), "created": _now(), "status": "PUBLIC"})
    db.folders.insert_one({"_typeHint": "models.Folder", "_id": ObjectId(FOLDER), "name": "sub",
                           "files": [ObjectId(FILE_B), ObjectId(FILE_C)], "folders": [],
                           "parentType": "dataset", "parentId": ObjectId(DATASET), "parentDatasetId": ObjectId(DATASET)})
    for id_ in (FILE_A, FILE_B, FILE_C):
        db.uploads.insert_one({"_typeHint": "models.File", "_id": ObjectId(id_), "filename": f"{id_[-1]}.csv",
                               "author": _author(), "uploadDate": _now(), "length": len(CONTENT), "status": "PROCESSED"})
    db["downloads.links"].insert_one({"_typeHint": "models.FileLink", "_id": ObjectId(LINK), "fileId": ObjectId(FILE_A),
                                      "author": _author(), "expire": _now() + timedelta(days=1)})


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_HEAD(self):
        self._plain(404)

    def do_GET(self):
        url = urlsplit(self.path)
        self._query = parse_qs(url.query, keep_blank_values=True)
        context = self.server.context
        self.server.versions.add(self.request_version)
        if not url.path.startswith(context):
            return self._plain(404)
        path = url.path[len(context):]
        if path.endswith("/"):
            return self._plain(301, Location=url.path[:-1])
        for pattern, needs_sign_in, answer in self.ROUTES:
            match = re.fullmatch(pattern, path)
            if match:
                return self._answer(match, path.startswith("api/"), needs_sign_in, answer)
        return self._plain(404)

    do_POST = do_GET

    # --- who it is: section 4 of what was read of Clowder ---

    def _signed_in(self, is_api):
        cookies = dict(part.split("=", 1) for part in self.headers.get("Cookie", "").split("; ") if "=" in part)
        if cookies.get("id") == COOKIE_ADA:
            return True
        keys = [self.headers.get("X-API-Key")] + self._query.get("key", [])
        return is_api and (any(key in (KEY_ADA, KEY_EXTRACTOR) for key in keys) or COMMKEY in self._query.get("key", []))

    def _answer(self, match, is_api, needs_sign_in, answer):
        id_ = match.group(1).lower()
        if id_ == UNKNOWN:
            return self._plain(404 if is_api else 400)
        if (needs_sign_in or id_ == PRIVATE) and not self._signed_in(is_api):
            return self._plain(401) if is_api else self._plain(303, Location="/login")
        return answer(self)

    # --- answers ---

    def _plain(self, status, **headers):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _chunked(self, body, status=200, **headers):
        if self.request_version == "HTTP/1.0":
            return self._plain(505)
        zips = "gzip" in self.headers.get("Accept-Encoding", "") and status == 200
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        if zips:
            self.send_header("Content-Encoding", "gzip")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        data = gzip.compress(body) if zips else body
        for at in range(0, len(data), 4096):
            part = data[at:at + 4096]
            self.wfile.write(b"%x\r\n%s\r\n" % (len(part), part))
        self.wfile.write(b"0\r\n\r\n")

    def _page(self):
        self._chunked(b"<p>page</p>" * 100)

    def _zip(self):
        self._chunked(CONTENT)

    def _bytes(self):
        asked = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
        if not asked:
            return self._chunked(CONTENT, Accept_Ranges="bytes")
        first, last = int(asked.group(1)), int(asked.group(2) or len(CONTENT) - 1)
        return self._chunked(CONTENT[first:last + 1], 206, Content_Range=f"bytes {first}-{last}/{len(CONTENT)}")

    def _link(self):
        return self._plain(404) if self.path.lower().endswith(DEAD_LINK) else self._bytes()

    ROUTES = (
        (f"files/{HEX}", False, _page),
        (f"datasets/{HEX}", False, _page),
        (f"collection/{HEX}", False, _page),
        (f"spaces/{HEX}", False, _page),
        (f"files/{HEX}/blob", False, _bytes),
        (f"files/{HEX}/download/pdf", False, _bytes),
        (f"files/links/{HEX}", False, _link),
        (f"api/files/{HEX}/blob", False, _bytes),
        (f"api/files/{HEX}", False, _bytes),
        (f"api/datasets/{HEX}/download", False, _zip),
        (f"api/datasets/{HEX}/downloadPartial", False, _zip),
        (f"api/datasets/{HEX}/downloadFolder", False, _zip),
        # What Clowder does not count.
        (f"api/collections/{HEX}/download", False, _zip),
        (f"api/datasets/{HEX}", False, _page),
        (f"api/files/{HEX}/metadata", False, _page),
        (f"api/previews/{HEX}", False, _bytes),
        (f"fileThumbnail/{HEX}/blob", False, _bytes),
        (f"datasets/{HEX}/updatedFilesAndFolders", False, _page),
    )


class Clowder(Application):
    def __init__(self, context="/"):
        super().__init__(_Handler, context=context, versions=set())

    @property
    def versions(self):
        """The versions of HTTP that were spoken to it."""
        return self._server.versions
