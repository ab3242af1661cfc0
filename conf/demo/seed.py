#!/usr/bin/env python3
"""Makes the demo repository: its catalogue in the database that $MONGODB_URI names, its web site in a directory.

    seed.py SITE_DIR     what is there already and of this version is left alone
    seed.py --forget     drops from the database what the demo put there, usage counts included

A database that holds a catalogue or usage counts which are not the demo's is not touched; the demo marks its own.
"""

import argparse
import functools
import glob
import hashlib
import os
import sys

from pymongo import MongoClient
from pymongo.errors import PyMongoError

import catalogue
import website

MARK = "demo_seed"  # a collection with one document {_id: "demo", version, counts}
CATALOGUE = ("roles", "social.users", "spaces.projects", "collections", "datasets", "folders", "uploads")
# Of Clowder's indexes those that looking up parents needs.
INDEXES = (("datasets", "files"), ("datasets", "collections"), ("folders", "files"), ("folders", "parentDatasetId"))


class SeedError(RuntimeError):
    pass


def seed_version():
    """Changes when anything changes that decides what is seeded."""
    digest = hashlib.sha256()
    for path in sorted(glob.glob(os.path.join(os.path.dirname(os.path.abspath(__file__)), "*.py"))):
        with open(path, "rb") as file:
            digest.update(file.read())
    return digest.hexdigest()


def is_seeded(database, version):
    mark = database[MARK].find_one({"_id": "demo"})
    return (
        mark is not None
        and mark["version"] == version
        and all(
            database[name].estimated_document_count() >= mark["counts"][number] for number, name in enumerate(CATALOGUE)
        )
    )


def check_is_ours(database):
    """The mark is set before the first document: whatever stands without it is somebody else's."""
    if database[MARK].find_one({"_id": "demo"}):
        return
    foreign = [name for name in database.list_collection_names() if name in CATALOGUE or name.startswith("metrics_")]
    if any(database[name].find_one() for name in foreign):
        raise SeedError(
            f"the database “{database.name}” holds data that the demo did not make ({', '.join(sorted(foreign))}). "
            "Give MONGODB_URI another database name, such as mongodb://HOST/metrics_demo"
        )


def seed_database(database, documents, version):
    check_is_ours(database)
    database[MARK].replace_one({"_id": "demo"}, {"version": "incomplete"}, upsert=True)
    for name in CATALOGUE:
        database[name].drop()
        database[name].insert_many(documents[name])
    for name, field in INDEXES:
        database[name].create_index(field)
    database[MARK].replace_one(
        {"_id": "demo"}, {"version": version, "counts": [len(documents[name]) for name in CATALOGUE]}
    )


def forget_database(database):
    if not database[MARK].find_one({"_id": "demo"}):
        return
    for name in database.list_collection_names():
        if name in CATALOGUE or name.startswith("metrics_"):
            database[name].drop()
    database[MARK].drop()


def main(argv):
    parser = argparse.ArgumentParser(description="Makes the demo repository in the database $MONGODB_URI and on disk.")
    parser.add_argument("site", nargs="?", metavar="SITE_DIR")
    parser.add_argument("--forget", action="store_true")
    options = parser.parse_args(argv)
    if bool(options.site) == options.forget:
        parser.error("give either SITE_DIR or --forget")
    os.umask(0o022)  # httpd's children read the site under another account
    version, made = seed_version(), functools.cache(catalogue.build)
    try:
        database = MongoClient(os.environ["MONGODB_URI"], serverSelectionTimeoutMS=10000).get_default_database()
        if options.forget:
            forget_database(database)
        elif not is_seeded(database, version):
            seed_database(database, made().documents, version)
    except (PyMongoError, SeedError) as error:
        print(f"demo: {error}", file=sys.stderr)
        return 1
    if options.site and not website.is_current(options.site, version):
        website.write_site(made(), options.site, version)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
