"""Robots, machines and people, by lists of agents: what counts as what, and lists that change or are missing."""

import os
import subprocess

import bson
import pytest

from environment import StartError, wait_for
from environment.httpd import BUILD, ROOT, SETTINGS

MOTOROLA = ("Mozilla/5.0 (Linux; Android 9; motorola one macro) AppleWebKit/537.36 (KHTML, like Gecko) "
            "Chrome/86.0.4240.99 Mobile Safari/537.36")
CAPTURE = '<Location "/">\nMetricsCapture On\n</Location>\n'
CONF = CAPTURE + """
<Location "/marked">
    MetricsAgent regular "%{HTTP:X-Known} == 'yes'"
    MetricsAgent robot   "%{HTTP:X-Known} == 'no'"
</Location>
"""
LISTS = SETTINGS + """
MetricsRobots "${DIR}/robots.txt" "${DIR}/more.json"
MetricsMachines "${DIR}/machines.txt"
MetricsAllowAgents "motorola one" "^Nice(?# the library's own)"
"""


def make(httpd, conf=CAPTURE, settings=LISTS, start=True, **options):
    site = httpd(conf, settings=settings, **options)
    (site.directory / "robots.txt").write_text("# robots\nbot\nmotor\ncurl\\/\n")
    (site.directory / "more.json").write_text('[{"pattern": "^spider"}]')
    (site.directory / "machines.txt").write_text("curl\\/\npython\n")
    for name in ("one", "two"):
        site.file(f"datasets/{name}", name)
    return site.start() if start else site


def visit(site, agent, path="/datasets/one", **headers):
    assert site.get(path, headers={"User-Agent": agent, **headers}).status == 200


def counters(site, name="one"):
    """(views, those of machines)"""
    site.markers.settle()
    views, _, machines, _ = site.counts.all_of("datasets").get(name, (0, 0, 0, 0))
    return views, machines


@pytest.mark.parametrize("agent, expected", [
    ("Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0", (1, 0)),
    ("Googlebot/2.1 (+http://www.google.com/bot.html)", (0, 0)),
    ("SPIDER of nobody", (0, 0)),
    ("a spider", (1, 0)),
    ("curl/8.5.0", (1, 1)),  # also on the list of robots, by the same pattern
    ("Python-urllib/3.9", (1, 1)),
    ("xbot (python)", (0, 0)),
    ("Motorboat", (0, 0)),
    (MOTOROLA, (1, 0)),
    ("nice bot (python)", (1, 0)),
    ("x" * 3000 + "bot", (1, 0)),  # behind what an event keeps of it
])
def test_lists_decide(agents_site, agent, expected):
    visit(agents_site, agent)
    assert counters(agents_site) == expected
    visit(agents_site, agent)
    assert counters(agents_site) == (2 * expected[0], 2 * expected[1]), "the same the second time"


def test_no_agent_is_a_machine(agents_site):
    answer = agents_site.raw(b"GET /datasets/one HTTP/1.0\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 200")
    answer = agents_site.raw(b"GET /datasets/one HTTP/1.0\r\nUser-Agent:\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 200")
    assert counters(agents_site) == (2, 2)


def test_mark_stands_above_the_lists(agents_site):
    for known, agent in (("yes", "Googlebot"), ("yes", "curl/8"), ("no", "Firefox"), ("no", MOTOROLA), ("", "curl/8")):
        visit(agents_site, agent, "/marked/datasets/two", **{"X-Known": known})
    assert counters(agents_site, "two") == (3, 1)


def test_posted_events_are_classified_alike(agents_site):
    lines = [{"type": "datasets", "id": "one", "action": "view", **more} for more in (
        {}, {"agent": "Googlebot"}, {"agent": "curl/8"}, {"agent": "curl/8", "class": "regular"}, {"class": "machine"})]
    assert agents_site.post_lines("/metrics/events", *lines).status == 202
    assert counters(agents_site) == (4, 2)


@pytest.fixture(scope="module")
def _agents_site(httpd_of_file):
    conf = CONF + 'Alias "/marked" "${DOCROOT}"\n<Location "/metrics">\nSetHandler metrics\nMetricsRecord On\n</Location>\n'
    types = '<MetricsType datasets>\nMetricsView "^(?:/marked)?/datasets/([^/]+)$"\n</MetricsType>\n'
    return make(httpd_of_file, conf, LISTS + "MetricsDoubleClick 0\n", types=types, modules=("alias",))


@pytest.fixture
def agents_site(_agents_site):
    _agents_site.markers.forget()
    return _agents_site


# --- lists that change ------------------------------------------------------------------------------------------------


@pytest.mark.parent
def test_reload_reads_the_lists_again(httpd):
    site = make(httpd, settings=LISTS + "MetricsDoubleClick 0\n")
    visit(site, "Harvester/1")
    assert counters(site) == (1, 0)
    drainer = site.drainer()
    (site.directory / "machines.txt").write_text("python\nharvester\n")
    (site.directory / "more.json").write_text('[{"pattern": "opera"}]')
    site.reload()
    assert site.drainer(other_than=drainer) != drainer
    visit(site, "Harvester/1")
    visit(site, "Opera/9")
    visit(site, "curl/8")  # the list of robots has it, that of machines no longer
    assert counters(site) == (2, 1)


@pytest.mark.parent
def test_reload_without_a_list_waits_for_it(httpd):
    site = make(httpd, settings=LISTS + "MetricsDoubleClick 0\n")
    visit(site, "Googlebot")
    visit(site, "Firefox")
    assert counters(site) == (1, 0)
    robots = site.directory / "robots.txt"
    text = robots.read_text()
    robots.unlink()
    site.expect_log("MM0306: .*robots.txt.*httpd goes on")
    site.expect_log("MM0712: .*robots.txt")
    site.reload()
    visit(site, "Googlebot")
    visit(site, "Firefox")
    wait_for(lambda: "MM0712" in site.log_text(), what="the drainer says what it waits for")
    assert site.counts.of("datasets") == {"one": (1, 0)}
    robots.write_text(text)
    site.counts.wait("datasets", {"one": (2, 0)})


def test_list_that_only_root_may_read_is_waited_for(httpd):
    """httpd's parent may read what the drainer, which is httpd's User, may not."""
    site = make(httpd, start=False)
    robots = site.directory / "robots.txt"
    robots.chmod(0)
    if os.geteuid() != 0:
        site.allow_log("MM0306|AH00016")
        with pytest.raises(StartError, match="robots.txt"):
            site.start()
        return
    site.expect_log("MM0712: .*robots.txt.*[Pp]ermission")
    site.start()
    visit(site, "Firefox")
    wait_for(lambda: "MM0712" in site.log_text(), what="the drainer says what it waits for")
    robots.chmod(0o644)
    site.counts.wait("datasets", {"one": (1, 0)})
    assert "MM0803: agents are classified by 3 patterns of robots" in site.log_text()


def test_start_without_a_list_is_refused(httpd):
    site = make(httpd, start=False)
    (site.directory / "machines.txt").unlink()
    site.allow_log("MM0306|AH00016")
    status, said = site.check()
    assert status != 0 and "MM0306" in said and "machines.txt" in said
    with pytest.raises(StartError, match="MM0306"):
        site.start()


def test_list_without_a_pattern_is_refused(httpd):
    site = make(httpd, start=False)
    (site.directory / "robots.txt").write_text("# none\n")
    site.allow_log("MM0306")
    status, said = site.check()
    assert status != 0 and "robots.txt holds no pattern" in said


def test_bad_patterns_are_named_and_left_out(httpd):
    site = make(httpd, start=False)
    (site.directory / "robots.txt").write_text("bot\n(unclosed\n.*\n(a+)+$\nspider\n")
    status, said = site.check()
    assert status == 0, said
    for line in (2, 3, 4):
        assert f"robots.txt line {line}:" in said
    for _ in range(3):  # by apache2 -t into the log, and by the drainer when it starts
        site.expect_log("MM0802: .*robots.txt line [234]:")
    site.start()
    visit(site, "spider")
    visit(site, "Firefox")
    assert counters(site) == (1, 0)


# --- the lists of the field, and the command line ----------------------------------------------------------------------


def test_the_preset(httpd):
    """conf/agents.conf as it is installed, with the lists that make has fetched."""
    share = f'Define METRICS_SHARE "{BUILD / "share"}"\n'
    site = make(httpd, settings=SETTINGS + "MetricsDoubleClick 0\n" + share + f'Include "{ROOT / "conf/agents.conf"}"\n')
    for agent in ("Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)", "CCBot/2.0", "GPTBot/1.0"):
        visit(site, agent)
    assert counters(site) == (0, 0)
    for agent in ("curl/8.5.0", "Wget/1.21", "python-requests/2.31.0", "Java/17.0.1"):
        visit(site, agent)
    assert counters(site) == (4, 4)
    for agent in (MOTOROLA, "MobileSafari/604.1 CFNetwork/1410.0.3 Darwin/22.6.0",
                  "Mozilla/5.0 (Linux; Android 10; HMSCore 6.3.0.332) AppleWebKit/537.36 (KHTML, like Gecko) "
                  "Chrome/92.0.4515.105 HuaweiBrowser/12.0.1.302 Mobile Safari/537.36"):
        visit(site, agent)
    assert counters(site) == (7, 4)


def drained(site, *options):
    """What metricsctl drain makes of the spool of a site whose httpd runs no drainer."""
    command = [BUILD / "metricsctl", "drain", "--once", "--spool", site.spool, "--uri", site.mongo_uri, *options]
    return subprocess.run(command, capture_output=True, text=True, timeout=60)


def test_metricsctl_drain_knows_the_lists(httpd):
    site = make(httpd, settings=LISTS + "MetricsDrainer Off\nMetricsDoubleClick 0\n")
    for agent in ("Googlebot", "curl/8", "Firefox", MOTOROLA):
        visit(site, agent)
    result = drained(site)
    assert result.returncode == 0, result.stderr
    assert site.counts.all_of("datasets") == {"one": (3, 0, 1, 0)}


def test_lists_on_the_command_line_take_the_place_of_the_sites(httpd):
    site = make(httpd, settings=LISTS + "MetricsDrainer Off\nMetricsDoubleClick 0\n")
    other = site.directory / "other.txt"
    other.write_text("firefox\n")
    for agent in ("Googlebot", "Googlebot", "curl/8", "Firefox", "firefox of mine"):
        visit(site, agent)
    result = drained(site, "--robots", other, "--allow", "of mine$")
    assert result.returncode == 0, result.stderr
    assert site.counts.all_of("datasets") == {"one": (4, 0, 1, 0)}
    result = drained(site, "--machines", "/no/such/list")
    assert result.returncode == 1 and "/no/such/list" in result.stderr
    result = drained(site, "--allow", "(")
    assert result.returncode == 1 and "MetricsAllowAgents" in result.stderr


# --- privacy ----------------------------------------------------------------------------------------------------------


def test_signals_of_the_browser_can_be_honoured(httpd):
    conf = CAPTURE.replace("On\n", """On
    MetricsIgnore "%{HTTP:Sec-GPC} == '1' || %{HTTP:DNT} == '1'"
    MetricsIgnore "%{QUERY_STRING} =~ /(^|&)tracking=(false|0)(&|$)/"
""")
    site = make(httpd, conf)
    for headers in ({"Sec-GPC": "1"}, {"DNT": "1"}, {"Sec-GPC": "1", "DNT": "0"}):
        visit(site, "Firefox", **headers)
    visit(site, "Firefox", "/datasets/one?tracking=false")
    assert counters(site) == (0, 0)
    for name, headers in (("one", {"DNT": "0"}), ("two", {"Sec-GPC": "0"})):
        visit(site, "Firefox", f"/datasets/{name}", **headers)
    assert counters(site) == (1, 0) and counters(site, "two") == (1, 0)
    # Nothing of the others went into the spool, either: no event, not even one that is not counted.
    seen = subprocess.run([BUILD / "metricsctl", "status", "--spool", site.spool], capture_output=True, text=True,
                          check=True).stdout
    assert "directive" in seen


def test_database_holds_no_address_and_no_agent(httpd):
    site = make(httpd)
    secret = "Agent-of-Ada/7.31"
    for agent in (secret, f"{secret} bot", f"{secret} python"):
        visit(site, agent)
    assert counters(site)[0] == 2
    held = b"".join(bson.encode(document) for name in site.counts.db.list_collection_names()
                    for document in site.counts.db[name].find())
    assert secret.encode() not in held and b"127.0.0.1" not in held


def test_names_can_be_kept_out_altogether(httpd):
    """As docs/counting.md says it is done."""
    conf = CAPTURE.replace("On\n", """On
    MetricsUser "%{reqenv:NOBODY}"
    AuthType Basic
    AuthName "demo"
    AuthUserFile "${DIR}/passwords"
    Require valid-user
""")
    site = httpd(conf, markers=False, modules=("auth_basic", "authn_core", "authn_file", "authz_user"))
    site.password_file(("ada", "secret"))
    site.file("datasets/one", "one")
    site.start()
    assert site.get("/datasets/one", user=("ada", "secret")).status == 200
    site.counts.wait("datasets", {"one": (1, 0)})
    assert site.counts.users() == {}
