"""Mistakes in the configuration: httpd does not start, and a sentence says what to write instead."""

import re

import pytest

from environment import StartError
from environment.httpd import ROOT, SETTINGS, TYPES

ONE_TYPE = '<MetricsType datasets>\nMetricsView "^/d/([^/]+)$"\n</MetricsType>\n'


def inside(type_section):
    return f"<MetricsType datasets>\n{type_section}\n</MetricsType>\n"


def at(lines, path="/metrics"):
    return f'<Location "{path}">\n{lines}\n</Location>\n'


# (conf, the directive or tag that speaks, words of the sentence)
MISTAKES = {
    "uri is none": ('MetricsMongoURI "localhost"', "MetricsMongoURI", "mongodb://"),
    "uri is of another kind": ('MetricsMongoURI "http://127.0.0.1/"', "MetricsMongoURI", "mongodb://"),
    "uri with a bad option": ('MetricsMongoURI "mongodb://127.0.0.1:port/"', "MetricsMongoURI", ""),
    "uri in a missing file": ('MetricsMongoURI "file:/no/such/file"', "MetricsMongoURI", "/no/such/file"),
    "catalogue uri is none": ('MetricsCatalogURI "x"', "MetricsCatalogURI", "mongodb://"),
    "interval is no number": ("MetricsFlushInterval soon", "MetricsFlushInterval", "number of seconds"),
    "interval of zero": ("MetricsFlushInterval 0", "MetricsFlushInterval", "0.05"),
    "interval is not finite": ("MetricsFlushInterval nan", "MetricsFlushInterval", "number of seconds"),
    "interval too long": ("MetricsFlushInterval 86400", "MetricsFlushInterval", "3600"),
    "prefix with a dollar": ('MetricsCollectionPrefix "$x"', "MetricsCollectionPrefix", "letter"),
    "prefix of system": ('MetricsCollectionPrefix "System."', "MetricsCollectionPrefix", "letter"),
    "double-click is no number": ("MetricsDoubleClick often", "MetricsDoubleClick", "number of seconds"),
    "double-click is negative": ("MetricsDoubleClick -1", "MetricsDoubleClick", "from 0"),
    "double-click is not finite": ("MetricsDoubleClick nan", "MetricsDoubleClick", "number of seconds"),
    "double-click too long": ("MetricsDoubleClick 65.1", "MetricsDoubleClick", "to 65"),
    "spool is empty": ('MetricsSpool ""', "MetricsSpool", "directory"),
    "spool with an unknown sync": ('MetricsSpool "${SPOOL}" sync=always', "MetricsSpool", "sync=none, sync=batch or"),
    "spool with a limit that is none": ('MetricsSpool "${SPOOL}" max=lots', "MetricsSpool", "max=4G"),
    "spool with a limit too low": ('MetricsSpool "${SPOOL}" sync=event max=8191K', "MetricsSpool", "at least 8M"),
    "spool with an unknown option": ('MetricsSpool "${SPOOL}" size=4G', "MetricsSpool", "size=4G"),
    "spool in a virtual host": ('<VirtualHost *>\nMetricsSpool "${SPOOL}"\n</VirtualHost>', "MetricsSpool", "VirtualHost"),
    "robots in a missing file": ('MetricsRobots "/no/such/robots.txt"', "MM0306", "/no/such/robots.txt"),
    "machines in a directory": ('MetricsMachines "${DIR}"', "MM0306", "no plain file"),
    "machines in no file": ("MetricsMachines", "MetricsMachines", "at least one"),
    "allowed agents that are no expression": ('MetricsAllowAgents "moto(rola"', "MetricsAllowAgents", "moto(rola"),
    "allowed agents that take too long": ('MetricsAllowAgents "(a+)+$"', "MetricsAllowAgents", "too long"),
    "no reports": ("MetricsMaxReports 0", "MetricsMaxReports", "from 1 to 4096"),
    "number of reports is none": ("MetricsMaxReports 3x", "MetricsMaxReports", "from 1 to 4096"),
    "temporary files in no directory": ('MetricsReportTemp "${DIR}/none"', "MetricsReportTemp", "no directory"),
    "temporary files without a limit": ('MetricsReportTemp "${DIR}" max=1', "MetricsReportTemp", "at least 1M"),
    "drainer is neither": ("MetricsDrainer maybe", "MetricsDrainer", "On or Off"),
    "type without a name": ("<MetricsType>\n</MetricsType>", "<MetricsType", "name"),
    "type with a bad name": ("<MetricsType Data-Sets>\n</MetricsType>", "<MetricsType", "a-z"),
    "type with a slash": ("<MetricsType a/b>\n</MetricsType>", "<MetricsType", "a-z"),
    "type named as an endpoint": ("<MetricsType events>\n</MetricsType>", "<MetricsType events>", "another"),
    "type named as the users": ("<MetricsType users>\n</MetricsType>", "<MetricsType users>", "another"),
    "type named as a report": ("<MetricsType datasets_by_user>\n</MetricsType>", "<MetricsType", "another"),
    "type that is not closed": ("<MetricsType datasets>", "<MetricsType>", ""),
    "rule outside a type": ('MetricsView "^/x/(.*)$"', "MetricsView", "<MetricsType>"),
    "catalogue outside a type": ("MetricsCatalog datasets name=name", "MetricsCatalog", "<MetricsType>"),
    "rule that is no expression": (inside('MetricsView "^/d/([^/]+$"'), "MetricsView", ""),
    "rule with an unknown option": (inside('MetricsView "^/d/(.+)$" id=x'), "MetricsView", "query=PARAMETER"),
    "rule with a case that is none": (inside('MetricsView "^/d/(.+)$" case=upper'), "MetricsView", "case=lower"),
    "rule with an empty query": (inside('MetricsView "^/d$" query='), "MetricsView", "query=fileList"),
    "rule by way of too little": (inside('MetricsView "^/d/(.+)$" via=links:_id'), "MetricsView", "IDPATH"),
    "rule by way of an operator": (inside('MetricsView "^/d/(.+)$" via=links:_id:$x'), "MetricsView", "$x"),
    "rule by way of system": (inside('MetricsView "^/d/(.+)$" via=system.users:_id:x'), "MetricsView", "system.users"),
    "rule without an expression": (inside("MetricsView"), "MetricsView", "expression"),
    "identity of nothing": ("MetricsIdentity", "MetricsIdentity", "cookie=id"),
    "identity of another application": ("MetricsIdentity dspace cookie=x", "MetricsIdentity", "clowder"),
    "identity with an unknown option": ("MetricsIdentity clowder body=x", "MetricsIdentity", "parameter=NAME"),
    "identity with a bad name": ('MetricsIdentity clowder "cookie=a b"', "MetricsIdentity", "no name"),
    "identity with an empty name": ("MetricsIdentity clowder header=", "MetricsIdentity", "no name"),
    "identity with a commKey that is not there": ("MetricsIdentity clowder parameter=key commkey-file=/no/such/file",
                                                  "MetricsIdentity", "/no/such/file"),
    "identity with an empty commKey": ("MetricsIdentity clowder parameter=key commkey-file=/dev/null", "MetricsIdentity",
                                       "first line of /dev/null"),
    "identity with a commKey nobody can send": ("MetricsIdentity clowder cookie=id commkey-file=/etc/hostname",
                                                "MetricsIdentity", "needs parameter="),
    "session cookie with a bad name": ('MetricsSessionCookie "a;b"', "MetricsSessionCookie", "name of a cookie"),
    "anonymous user without a name": ('MetricsAnonymousUser ""', "MetricsAnonymousUser", "at least one"),
    "anonymous user with too long a name": (f"MetricsAnonymousUser {'x' * 257}", "MetricsAnonymousUser", "1 to 256"),
    "anonymous user in a virtual host": ("<VirtualHost *>\nMetricsAnonymousUser guest\n</VirtualHost>",
                                         "MetricsAnonymousUser", "VirtualHost"),
    "rule without a capture": (inside('MetricsDownload "^/d/[^/]+$"'), "MetricsDownload", "capture"),
    "catalogue without a collection": (inside("MetricsCatalog"), "MetricsCatalog", ""),
    "catalogue with an unknown field": (inside("MetricsCatalog datasets titel=name"), "MetricsCatalog", "titel"),
    "catalogue without a path": (inside("MetricsCatalog datasets name="), "MetricsCatalog", "name"),
    "catalogue with an operator": (inside("MetricsCatalog datasets name=$where"), "MetricsCatalog", "$where"),
    "parents of an unknown type": (inside('MetricsView "^/d/(.+)$"\nMetricsCatalog datasets parents=albums:albums'),
                                   "MM0301", "albums"),
    "capture without a spool": (ONE_TYPE + at("MetricsCapture On", "/"), "MM0302", "MetricsSpool"),
    "record without a spool": (ONE_TYPE + at("MetricsRecord On"), "MM0302", "MetricsSpool"),
    "spool without a database": (ONE_TYPE + 'MetricsSpool "${SPOOL}"', "MM0303", "MetricsMongoURI"),
    "user that is no expression": (at('MetricsUser "%{HTTP:X"'), "MetricsUser", "expression"),
    "ignore that is no expression": (at('MetricsIgnore "a =="'), "MetricsIgnore", "expression"),
    "agent that is no expression": (at('MetricsAgent robot "=~"'), "MetricsAgent", "expression"),
    "agent of a bad class": (at('MetricsAgent "Robot!" "true"'), "MetricsAgent", "a-z"),
    "agent without a condition": (at("MetricsAgent robot"), "MetricsAgent", "two arguments"),
    "capture is neither": (at("MetricsCapture yes"), "MetricsCapture", "On or Off"),
    "authz without a provider": (at("MetricsAuthz"), "MetricsAuthz", "provider"),
    "authz outside a section": ("MetricsAuthz none", "MetricsAuthz", "not allowed here"),
    "authz expression is none": (at('MetricsAuthz expr "=="'), "MetricsAuthz expr", "expression"),
    "authz expression is missing": (at("MetricsAuthz expr"), "MetricsAuthz expr", "expression"),
    "authz none with arguments": (at("MetricsAuthz none please"), "MetricsAuthz none", "no arguments"),
}

SERVER_ONLY = [
    'MetricsMongoURI "mongodb://127.0.0.1/"', 'MetricsCatalogURI "mongodb://127.0.0.1/"', 'MetricsSpool "/tmp/x"',
    'MetricsRobots "/tmp/x"', 'MetricsMachines "/tmp/x"', 'MetricsAllowAgents "x"',
    "MetricsCollectionPrefix x_", "MetricsFlushInterval 1", "MetricsDoubleClick 30", "MetricsDrainer On",
    "MetricsMaxReports 3", 'MetricsReportTemp "/tmp"',
    '<MetricsType other>\nMetricsView "^/x/(.+)$"\n</MetricsType>',
]


def refused(httpd, conf, words):
    """httpd -t fails, and says all of the words in one line."""
    site = httpd(conf, settings="", types="", markers=False)
    status, said = site.check()
    assert status != 0, said
    assert [line for line in said.splitlines() if all(word in line for word in words)] != [], said
    site.allow_log("MM03")
    return site


@pytest.mark.parametrize("name", MISTAKES)
def test_mistake_and_its_sentence(httpd, name):
    conf, *words = MISTAKES[name]
    refused(httpd, conf + "\n", words)


@pytest.mark.parametrize("line", SERVER_ONLY, ids=lambda line: line.split()[0].strip("<"))
def test_server_settings_stand_outside_virtual_hosts(httpd, line):
    name = line.split()[0].strip("<")
    refused(httpd, f"<VirtualHost *:${{PORT}}>\n{line}\n</VirtualHost>\n", [name, "<VirtualHost>"])
    refused(httpd, at(line), [name, "not allowed in <Location>"])


def test_secret_of_the_uri_is_not_in_the_sentence(httpd):
    site = httpd('MetricsMongoURI "mongodb://admin:hunter2@127.0.0.1:port/"\n', settings="", types="", markers=False)
    status, said = site.check()
    assert status != 0
    assert "hunter2" not in said


def test_start_fails_as_the_check_does(httpd):
    site = httpd(at("MetricsCapture On", "/"), settings="", types="", markers=False)
    site.allow_log("MM0302|AH00016")
    with pytest.raises(StartError, match="MM0302"):
        site.start()


def test_spool_that_cannot_be_made(httpd):
    site = httpd(settings=SETTINGS.replace("${SPOOL}", "${DIR}/file/spool"), markers=False)
    (site.directory / "file").write_text("")
    site.allow_log("MM0707|AH00020|AH00016|AH00014")
    with pytest.raises(StartError, match="MM0707"):
        site.start()


def test_minimal_and_complete_configurations_pass(httpd):
    for settings, types, conf in (("", "", ""), (SETTINGS, TYPES, at("SetHandler metrics\nMetricsAuthz none")),
                                  (SETTINGS + "MetricsDrainer Off\n", TYPES, at("MetricsRecord On")),
                                  ('MetricsSpool "${SPOOL}"\nMetricsDrainer Off\n', TYPES, "")):
        site = httpd(conf, settings=settings, types=types, markers=False)
        site.mongo_uri = "mongodb://127.0.0.1/metrics"
        assert site.check() == (0, "Syntax OK\n")
        assert not site.spool.exists(), "a check makes nothing"


def test_nothing_to_record_is_a_warning(httpd):
    site = httpd(at("MetricsCapture On", "/"), types="", markers=False)
    site.expect_log("MM0304")
    site.start()


def test_virtual_hosts_share_the_server_settings(httpd):
    virtual = """
<VirtualHost *:${PORT}>
    ServerName one.example
    <Location "/">
        MetricsCapture On
    </Location>
</VirtualHost>
<VirtualHost *:${PORT}>
    ServerName two.example
    <Location "/metrics">
        SetHandler metrics
        MetricsAuthz expr true
    </Location>
</VirtualHost>
"""
    site = httpd(virtual, markers=False)
    site.file("datasets/one", "one")
    site.start()
    assert site.get("/datasets/one", headers={"Host": "one.example"}).status == 200
    assert site.get("/datasets/one", headers={"Host": "two.example"}).status == 200
    site.counts.wait("datasets", {"one": (1, 0)})
    assert site.get("/metrics/datasets", headers={"Host": "two.example"}).rows[1][:3] == ["one", "", "1"]
    assert site.get("/metrics/datasets", headers={"Host": "one.example"}).status == 404


def test_the_sample_of_the_readme_is_accepted(httpd):
    """As it stands, but for the module's path and the spool's."""
    sample = re.search(r"```apache\n(.*?)```", (ROOT / "README.md").read_text(), re.S).group(1)
    sample = re.sub(r"LoadModule metrics_module .*\n", "", sample)
    sample = re.sub(r"/var/lib/mod_metrics", "${SPOOL}", sample)
    site = httpd(sample, settings="", types="", markers=False,
                 modules=("auth_basic", "authn_core", "authn_file", "authz_user"))
    status, said = site.check()
    assert (status, "Syntax OK" in said) == (0, True), said
