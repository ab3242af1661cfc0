"""mod_cache's quick handler answers before sections are looked at: refused at the start, or made to do no harm."""

import os
import re

import pytest

from environment import StartError

CACHE = """
CacheRoot "${DIR}/cache"
CacheEnable disk /
CacheIgnoreNoLastMod On
CacheDefaultExpire 3600
"""
SECTION = '<Location "/">\nMetricsCapture On\n</Location>\n'
SECTION_ELSEWHERE = '<Directory "/nowhere">\nMetricsCapture On\n</Directory>\n'


def host(content):
    return f"<VirtualHost *>\n{content}\n</VirtualHost>\n"


REFUSED = {
    "a section": CACHE + SECTION,
    "another section": CACHE + SECTION_ELSEWHERE,
    "quick by name": CACHE + "CacheQuickHandler On\n" + SECTION,
    "off in another host": CACHE + SECTION + host("CacheQuickHandler Off"),
    "a host inherits the cache": CACHE + host(SECTION),
    "a host inherits the section": SECTION + host(CACHE),
    "a host turns it on": CACHE + SECTION + "CacheQuickHandler Off\n" + host("CacheQuickHandler On"),
    "a host turns capture off": CACHE + "MetricsCapture On\n" + host("MetricsCapture Off\n" + SECTION),
}
TAKEN = {
    "not quick": CACHE + "CacheQuickHandler Off\n" + SECTION,
    "capture at server level": CACHE + "MetricsCapture On\n" + SECTION,
    "nothing is captured": CACHE,
    "nothing is cached": SECTION + "CacheQuickHandler On\n",
    "only another host caches": host(SECTION) + host(CACHE),
    "capture in the host that caches": host(CACHE + "MetricsCapture On"),
}


def make(httpd, conf):
    site = httpd(conf, modules=("cache", "cache_disk"))
    (site.directory / "cache").mkdir()
    (site.directory / "cache").chmod(0o777)
    return site


@pytest.mark.parametrize("conf", REFUSED.values(), ids=REFUSED.keys())
def test_what_would_go_unseen_is_refused(httpd, conf):
    site = httpd(conf, modules=("cache", "cache_disk"), markers=False, mongo_uri="mongodb://127.0.0.1:9/x")
    status, said = site.check()
    assert status != 0
    assert re.search("MM0305: CacheEnable .*httpd.conf, line .*CacheQuickHandler Off", said)


@pytest.mark.parametrize("conf", TAKEN.values(), ids=TAKEN.keys())
def test_what_is_seen_is_not(httpd, conf):
    site = httpd(conf, modules=("cache", "cache_disk"), markers=False, mongo_uri="mongodb://127.0.0.1:9/x")
    status, said = site.check()
    assert status == 0, said


def test_httpd_does_not_start(httpd):
    site = httpd(CACHE + SECTION, modules=("cache", "cache_disk"), markers=False, mongo_uri="mongodb://127.0.0.1:9/x")
    with pytest.raises(StartError, match="MM0305"):
        site.start()


@pytest.mark.parametrize("conf", ["CacheQuickHandler Off\n" + SECTION, "MetricsCapture On\n"], ids=["not quick", "server"])
def test_what_the_cache_answers_counts(httpd, conf):
    site = make(httpd, CACHE + conf + "CacheHeader On\n")
    os.utime(site.file("datasets/a"), (0, 0))  # what was changed just now is not taken for lasting
    site.start()
    assert "MISS" in site.get("/datasets/a")["X-Cache"]
    assert "HIT" in site.get("/datasets/a")["X-Cache"]
    site.markers.settle()
    assert site.counts.of("datasets") == {"a": (2, 0)}
