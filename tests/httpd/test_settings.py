"""SPOOL/settings.json: what metricsctl is told of the site by httpd itself."""

import json
import os
import subprocess

import pytest

from environment import wait_for
from environment.httpd import BUILD, SETTINGS

CONF = """
<Location "/">
    MetricsCapture On
</Location>
"""


@pytest.fixture
def site(httpd):
    made = httpd(CONF)
    made.file("datasets/one", "one")
    return made


def settings_of(site):
    return json.loads((site.spool / "settings.json").read_text())


def test_says_how_the_site_counts_and_no_secret(site):
    site.settings = SETTINGS + "\nMetricsCollectionPrefix usage_\n"
    site.start()
    settings = settings_of(site)
    assert settings["version"] == 1
    assert settings["prefix"] == "usage_"
    assert settings["double_click_ms"] == 0
    assert settings["types"][:3] == ["datasets", "collections", "files"]
    assert settings["rules"][0] == {"type": "datasets", "action": "view", "pattern": "^/datasets/([^/]+)$"}
    assert settings["rules"][1]["action"] == "download"
    assert "mongodb" not in (site.spool / "settings.json").read_text()
    state = (site.spool / "settings.json").stat()
    assert (state.st_uid, state.st_mode & 0o777) == (site.user_id, 0o640)
    assert site.spool.stat().st_ctime - 60 <= settings["recording_since_ms"] / 1000 <= site.spool.stat().st_ctime + 60


def test_names_the_file_of_the_uri(site):
    uri = site.directory / "uri"
    uri.write_text(site.mongo_uri + "\n")
    site.settings = SETTINGS.replace("${MONGO_URI}", f"file:{uri}")
    site.start()
    assert settings_of(site)["mongo_uri_file"] == str(uri)


@pytest.mark.parent
def test_a_reload_writes_it_anew_and_keeps_since_when_it_records(site):
    site.start()
    before = settings_of(site)
    site.settings += '\n<MetricsType papers>\nMetricsView "^/papers/(.+)$"\n</MetricsType>\n'
    site.reload()
    wait_for(lambda: "papers" in settings_of(site)["types"], what="the settings are written anew")
    assert settings_of(site)["recording_since_ms"] == before["recording_since_ms"]


def test_a_drainer_by_hand_needs_nothing_more(site):
    uri = site.directory / "uri"
    uri.write_text(site.mongo_uri + "\n")
    uri.chmod(0o644)
    site.settings = SETTINGS.replace("${MONGO_URI}", f"file:{uri}") + (
        "MetricsDrainer Off\nMetricsCollectionPrefix usage_\n")
    site.start()
    assert site.get("/datasets/one").status == 200
    environ = {name: value for name, value in os.environ.items() if name != "MONGODB_URI"}
    result = subprocess.run([BUILD / "metricsctl", "drain", "--once", "--spool", site.spool], capture_output=True,
                            text=True, timeout=60, env=environ)
    assert result.returncode == 0, result.stderr
    assert site.counts.db.usage_datasets.find_one({"_id": "one"})["views"] == 1
