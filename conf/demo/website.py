"""The demo's web site on disk, made from the catalogue; conf/demo/httpd.conf.in maps the addresses to these files.

htdocs/index.html, htdocs/{datasets,collection,files,spaces}/ID.html   pages
htdocs/blobs/ID.SUFFIX, htdocs/zips/ID.zip                             downloads
blobs.map    ID -> ID.SUFFIX, names.map  ID -> percent-encoded name    for RewriteMap
examples.json   ids that scripts/run shows
"""

import io
import json
import os
import re
import shutil
import urllib.parse
import zipfile
from datetime import timezone

import contents
import pages

# mod_rewrite reads a map's lines into 1024 bytes; percent-encoded, a character may take 12.
NAME_MAX = 80


def write_site(catalogue, directory, version):
    """Puts the site in place in one step: a half-written one is never served."""
    fresh = directory + ".new"
    shutil.rmtree(fresh, ignore_errors=True)
    for place in ("datasets", "collection", "files", "spaces", "blobs", "zips"):
        os.makedirs(os.path.join(fresh, "htdocs", place))
    _write_pages(catalogue, fresh)
    _write_downloads(catalogue, fresh)
    _write_examples(catalogue, fresh)
    _write(fresh, "version", version)
    shutil.rmtree(directory, ignore_errors=True)
    os.rename(fresh, directory)


def is_current(directory, version):
    try:
        with open(os.path.join(directory, "version"), encoding="utf-8") as file:
            return file.read() == version
    except OSError:
        return False


def _write(directory, path, data):
    with open(os.path.join(directory, path), "wb") as file:
        file.write(data if isinstance(data, bytes) else data.encode())


def _write_pages(catalogue, directory):
    documents = catalogue.documents
    datasets, collections, spaces = documents["datasets"], documents["collections"], documents["spaces.projects"]

    def put(collection, document, html):
        _write(directory, f"htdocs/{pages.ADDRESS[collection]}/{document['_id']}.html", html)

    def among(candidates, ids):
        return [document for document in candidates if document["_id"] in ids]

    for dataset in datasets:
        put(
            "datasets",
            dataset,
            pages.dataset_page(
                dataset,
                catalogue.files_of_dataset(dataset),
                among(collections, dataset["collections"]),
                among(spaces, dataset["spaces"]),
            ),
        )
    for collection in collections:
        put(
            "collections",
            collection,
            pages.collection_page(
                collection,
                among(collections, collection["parent_collection_ids"]),
                among(collections, collection["child_collection_ids"]),
                [dataset for dataset in datasets if collection["_id"] in dataset["collections"]],
            ),
        )
    for file in documents["uploads"]:
        put("uploads", file, pages.file_page(file, catalogue.parents_of_file(file["_id"])))
    for space in spaces:
        put(
            "spaces.projects",
            space,
            pages.space_page(
                space,
                [c for c in collections if space["_id"] in c["spaces"]],
                [d for d in datasets if space["_id"] in d["spaces"]],
            ),
        )
    loose = [file for file in documents["uploads"] if not catalogue.parents_of_file(file["_id"])]
    _write(directory, "htdocs/index.html", pages.index_page(documents, loose))


def _suffix(file):
    return next(kind[0] for kind in contents.KINDS if file["filename"].endswith("." + kind[0]))


def _write_downloads(catalogue, directory):
    blobs, saved_as = [], []
    for file in catalogue.documents["uploads"]:
        path = f"{file['_id']}.{_suffix(file)}"
        _write(directory, f"htdocs/blobs/{path}", catalogue.contents[file["_id"]])
        # The same time at each seeding, so that a browser's copy stays valid.
        stamp = file["uploadDate"].replace(tzinfo=timezone.utc).timestamp()
        os.utime(os.path.join(directory, "htdocs/blobs", path), (stamp, stamp))
        blobs.append(f"{file['_id']} {path}\n")
        saved_as.append((file["_id"], file["filename"]))
    for dataset in catalogue.documents["datasets"]:
        _write(directory, f"htdocs/zips/{dataset['_id']}.zip", _zip(catalogue, dataset))
        saved_as.append((dataset["_id"], dataset["name"][: NAME_MAX - 4] + ".zip"))
    _write(directory, "blobs.map", "".join(blobs))
    _write(
        directory,
        "names.map",
        "".join(f"{identity} {urllib.parse.quote(_save_name(name), safe='')}\n" for identity, name in saved_as),
    )


def _save_name(name):
    """A name that a browser may save as: no path, no control characters; the suffix survives the cut."""
    name = re.sub(r"[\x00-\x1f\x7f/\\]", "_", name)
    return name if len(name) <= NAME_MAX else name[: NAME_MAX - 12] + "…" + name[-11:]


def _zip(catalogue, dataset):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, file in catalogue.files_of_dataset(dataset):
            name = "/".join(re.sub(r"[\x00-\x1f\x7f/\\]", "_", part) for part in (*path, file["filename"]))
            entry = zipfile.ZipInfo(name, date_time=file["uploadDate"].timetuple()[:6])
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, catalogue.contents[file["_id"]], zipfile.ZIP_DEFLATED, 1)
    return buffer.getvalue()


def _write_examples(catalogue, directory):
    documents = catalogue.documents
    examples = {
        "dataset": documents["datasets"][0],
        "collection": documents["collections"][0],
        "file": documents["uploads"][0],
    }
    _write(directory, "examples.json", json.dumps({name: str(document["_id"]) for name, document in examples.items()}))
