"""Settings of sections: what an outer section says stays in force inside one that says something else."""

import itertools

import pytest

# Each setting, and the directive that makes it visible.
SETTINGS = {
    "capture": "MetricsCapture On",
    "user": 'MetricsUser "%{HTTP:X-User}"',
    "agent": "MetricsAgent machine \"%{HTTP_USER_AGENT} == 'probe'\"",
    "ignore": "MetricsIgnore \"%{QUERY_STRING} == 'skip'\"",
    "record": "MetricsRecord On",
    "authz": 'MetricsAuthz expr "true"',
}
OF_VISITS = ("capture", "user", "agent", "ignore")
OF_HANDLER = ("user", "agent", "record", "authz")


def pairs(names):
    return list(itertools.permutations(names, 2))


def section(path, *lines):
    return f'<Location "{path}">\n' + "\n".join(lines) + "\n</Location>\n"


def conf():
    parts = []
    for outer, inner in pairs(OF_VISITS):
        base = f"/visit/{outer}-{inner}"
        if "capture" not in (outer, inner):
            parts.append(section(base, SETTINGS["capture"]))
        parts += [section(base, SETTINGS[outer]), section(base + "/in", SETTINGS[inner])]
    for outer, inner in pairs(OF_HANDLER):
        base = f"/metrics/{outer}-{inner}"
        parts.append(section(base, "SetHandler metrics", SETTINGS[outer]))
        parts.append(section(base + "/datasets", SETTINGS[inner]))
    for outer, inner in (("On", "Off"), ("Off", "On")):
        parts += [section(f"/visit/{outer}", f"MetricsCapture {outer}"),
                  section(f"/visit/{outer}/in", f"MetricsCapture {inner}")]
    parts += [section("/replaced", "MetricsCapture On", "MetricsUser outer",
                      'MetricsAgent machine "true"', 'MetricsIgnore "true"'),
              section("/replaced/in", "MetricsUser inner", 'MetricsAgent extractor "false"',
                      'MetricsIgnore "false"')]
    return "".join(parts)


TYPES = """
<MetricsType datasets>
    MetricsView "^/visit/.*/in/([^/]+)$"
    MetricsView "^/visit/(.*)/page$"
    MetricsView "^/replaced/in/([^/]+)$"
</MetricsType>
"""


@pytest.fixture(scope="module")
def server(httpd_of_file):
    httpd = httpd_of_file(conf(), types=TYPES)
    for outer, inner in pairs(OF_VISITS):
        httpd.file(f"visit/{outer}-{inner}/in/{outer}-{inner}")
    for state in ("On", "Off"):
        httpd.file(f"visit/{state}/page")
        httpd.file(f"visit/{state}/in/page")
    httpd.file("replaced/in/replaced")
    return httpd.start()


@pytest.fixture
def site(server):
    server.markers.forget()
    return server


@pytest.mark.parametrize("outer, inner", pairs(OF_VISITS))
def test_settings_of_visits_are_inherited_one_by_one(site, outer, inner):
    name = f"{outer}-{inner}"
    page = f"/visit/{name}/in/{name}"
    seen = {"X-User": "ada", "User-Agent": "probe"}
    assert site.get(page, headers=seen).status == 200
    assert site.get(page + "?skip", headers=seen).status == 200
    site.markers.settle()
    used = {outer, inner}
    views = 1 if "ignore" in used else 2
    machines = views if "agent" in used else 0
    assert site.counts.all_of("datasets") == {name: (views, 0, machines, 0)}
    assert site.counts.users() == ({("datasets", name, "ada"): (views, 0)} if "user" in used else {})


@pytest.mark.parametrize("outer, inner", pairs(OF_HANDLER))
def test_settings_of_the_handler_are_inherited_one_by_one(site, outer, inner):
    used = {outer, inner}
    base = f"/metrics/{outer}-{inner}/datasets"
    id_ = f"{outer}-{inner}"
    posted = site.post(f"{base}/{id_}/views", headers={"X-User": "ada", "User-Agent": "probe"})
    assert posted.status == (202 if "record" in used else 403)
    assert site.get(base).status == (200 if "authz" in used else 401)
    site.markers.settle()
    recorded = "record" in used
    machines = 1 if "agent" in used else 0
    assert site.counts.all_of("datasets") == ({id_: (1, 0, machines, 0)} if recorded else {})
    assert site.counts.users() == ({("datasets", id_, "ada"): (1, 0)} if recorded and "user" in used else {})


def test_inner_capture_overrules_outer(site):
    for path in ("/visit/On/page", "/visit/On/in/page", "/visit/Off/page", "/visit/Off/in/page"):
        assert site.get(path).status == 200
    site.markers.settle()
    assert site.counts.of("datasets") == {"On": (1, 0), "page": (1, 0)}


def test_inner_expressions_replace_outer(site):
    assert site.get("/replaced/in/replaced").status == 200
    site.markers.settle()
    assert site.counts.all_of("datasets") == {"replaced": (1, 0, 0, 0)}
    assert site.counts.users() == {("datasets", "replaced", "inner"): (1, 0)}
