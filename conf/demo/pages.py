"""The demo's web pages, one function each: from documents of the catalogue to HTML.

Every text from the catalogue goes through text(); addresses are made of ids only. Pages have Clowder's addresses:
/datasets/ID, /collection/ID (singular), /files/ID, /spaces/ID.
"""

from html import escape

STYLE = """body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#222}
h1{white-space:pre-wrap;overflow-wrap:anywhere}a{color:#0b57a4;overflow-wrap:anywhere}
td,th{text-align:left;padding:.1rem 1rem .1rem 0}
nav{border-bottom:1px solid #ccc;padding-bottom:.5rem}dt{color:#666}"""
ADDRESS = {"datasets": "datasets", "collections": "collection", "uploads": "files", "spaces.projects": "spaces"}


def text(value):
    return escape(str(value), quote=True)


def link(collection, document):
    """A link to a document's page. dir=auto: names may run from right to left."""
    name = document.get("name", document.get("filename"))
    return f'<a dir="auto" href="/{ADDRESS[collection]}/{document["_id"]}">{text(name)}</a>'


def page(title, *parts):
    return (
        f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>{text(title)}</title>'
        '<meta name="viewport" content="width=device-width"><link rel="icon" href="data:,">'
        f'<style>{STYLE}</style></head>\n'
        f'<body><nav><a href="/">Demo repository</a></nav>\n<h1 dir="auto">{text(title)}</h1>\n'
        + "\n".join(part for part in parts if part)
        + "\n</body></html>\n"
    )


def link_list(title, collection, documents):
    if not documents:
        return ""
    return f"<h2>{title}</h2>\n<ul>\n" + "\n".join(f"<li>{link(collection, d)}</li>" for d in documents) + "\n</ul>"


def facts(**values):
    return (
        "<dl>"
        + "".join(f'<dt>{name}</dt><dd dir="auto">{text(value)}</dd>' for name, value in values.items())
        + "</dl>"
    )


def file_table(entries):
    """entries: (path of folder names, file)."""
    if not entries:
        return "<p>No files.</p>"
    rows = "\n".join(
        f'<tr><td dir="auto">{text(" / ".join(path))}</td><td>{link("uploads", file)}</td><td>{file["length"]}</td>'
        f'<td><a href="/files/{file["_id"]}/blob">download</a></td></tr>'
        for path, file in entries
    )
    return f"<h2>Files</h2>\n<table><tr><th>Folder</th><th>Name</th><th>Bytes</th><th></th></tr>\n{rows}\n</table>"


def dataset_page(dataset, files, collections, spaces):
    download = f'<p><a href="/api/datasets/{dataset["_id"]}/download">Download all files (zip)</a></p>'
    return page(
        dataset["name"],
        facts(Author=dataset["author"]["fullName"], Created=dataset["created"].date(), About=dataset["description"]),
        download,
        file_table(files),
        link_list("In collections", "collections", collections),
        link_list("In spaces", "spaces.projects", spaces),
    )


def collection_page(collection, parents, children, datasets):
    return page(
        collection["name"],
        facts(Author=collection["author"]["fullName"], Created=collection["created"].date()),
        link_list("Datasets", "datasets", datasets),
        link_list("Holds collections", "collections", children),
        link_list("Part of", "collections", parents),
    )


def file_page(file, datasets):
    identity = file["_id"]
    return page(
        file["filename"],
        facts(
            Author=file["author"]["fullName"],
            Uploaded=file["uploadDate"].date(),
            Type=file["contentType"],
            Bytes=file["length"],
        ),
        f'<p><a href="/files/{identity}/blob">Download</a>, or '
        f'<a href="/api/files/{identity}/blob">as programs do</a></p>',
        link_list("In datasets", "datasets", datasets),
    )


def space_page(space, collections, datasets):
    return page(
        space["name"],
        facts(About=space["description"]),
        link_list("Collections", "collections", collections),
        link_list("Datasets", "datasets", datasets),
    )


def index_page(documents, loose_files):
    reports = "".join(
        f'<li><a href="/metrics{path}">/metrics{path}</a></li>'
        for path in ("", "/datasets.csv", "/collections.csv", "/files.csv")
    )
    return page(
        "Demo repository",
        "<p>A small research-data repository whose use mod_metrics counts. Pages are open to everyone; "
        f"who logs in is counted by name.</p>\n<h2>Reports (for admin)</h2>\n<ul>{reports}</ul>",
        link_list("Spaces", "spaces.projects", documents["spaces.projects"]),
        link_list("Collections", "collections", documents["collections"]),
        link_list("Datasets", "datasets", documents["datasets"]),
        link_list("Files in no dataset", "uploads", loose_files),
    )
