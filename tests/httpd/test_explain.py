"""metricsctl explain: the answer to "why"."""

import json
import subprocess

import pytest

from environment.httpd import BUILD
from test_import import settings_file

LINE = '192.0.2.1 - %s [31/Jan/2026:12:00:%02d +0000] "%s %s HTTP/1.1" %d 5 "-" "Mozilla/5.0 Firefox/133.0"'


def line(path="/datasets/d", second=0, method="GET", status=200, user="-"):
    return LINE % (user, second, method, path, status)


@pytest.fixture
def explain(tmp_path):
    settings_file(tmp_path)

    def run(*lines, stdin=None, expect=0, options=("--json",)):
        result = subprocess.run([BUILD / "metricsctl", "explain", "--spool", tmp_path, *options, *lines],
                                input=stdin, capture_output=True, text=True, timeout=60)
        assert result.returncode == expect, result.stderr
        if "--json" not in options:
            return result.stdout
        return [json.loads(text) for text in result.stdout.splitlines()]

    return run


def test_names_the_rule_that_matched(explain):
    told, = explain(line("/api//datasets/%64/download?x", user="ada"))
    assert told["counted"] and told["verdict"] == "counted"
    assert (told["type"], told["id"], told["action"], told["user"]) == ("datasets", "d", "download", "ada")
    assert told["rule"] == {"number": 2, "type": "datasets", "action": "download",
                            "pattern": "^/api/datasets/([^/]+)/download$"}
    assert told["class"] == "regular"


@pytest.mark.parametrize("text, verdict", [
    (line("/elsewhere"), "no rule"),
    (line("/datasets/d?tracking=false"), "tracking=false"),
    (line(method="HEAD"), "method"),
    (line(status=404), "status"),
    ("nonsense", "bad line"),
    ('{"type":"datasets","id":"d","action":"view","class":"robot"}', "robot"),
    ('{"type":"datasets","id":"d","action":"steal"}', "bad line"),
])
def test_says_why_not(explain, text, verdict):
    told, = explain(text)
    assert not told["counted"] and told["verdict"] == verdict and told["reason"]


def test_tells_of_lists_and_keys(tmp_path, explain):
    settings = json.loads((tmp_path / "settings.json").read_text())
    settings["rules"].append({"type": "files", "action": "download", "pattern": "^/some$", "query": "f", "case": "lower",
                              "via": "uploads:_id:_id"})
    (tmp_path / "settings.json").write_text(json.dumps(settings))
    told, = explain(line("/some?f=AB%2Ccd,ef"))
    assert (told["verdict"], told["id"], told["more_ids"], told["via"]) == ("counted", "ab", 2, "uploads:_id:_id")
    assert (told["rule"]["query"], told["rule"]["case"], told["rule"]["via"]) == ("f", "lower", "uploads:_id:_id")
    text = explain(line("/some?f=AB,cd"), options=())
    assert "1 more of the same request" in text
    assert "query=f case=lower via=uploads:_id:_id" in text
    assert explain(line("/some"))[0]["verdict"] == "unfit"


def test_reads_standard_input_and_numbers_the_lines(explain):
    told = explain(stdin=line() + "\n" + line("/x") + "\n" + '{"type":"files","id":"f","action":"view","user":"ada"}\n')
    assert [(one["line"], one["verdict"]) for one in told] == [(1, "counted"), (2, "no rule"), (3, "counted")]
    assert told == explain("-", stdin=line() + "\n" + line("/x") + "\n" +
                           '{"type":"files","id":"f","action":"view","user":"ada"}\n')


def test_speaks_to_people(explain):
    text = explain(line(status=404), options=())
    assert text.startswith("1: not counted (status): ")
    assert 'MetricsView "^/datasets/([^/]+)$"' in text and 'view of datasets "d"' in text
    # Nothing that a visitor sent reaches a terminal as it is.
    assert "\x1b" not in explain(line("/elsewhere/\\x1b[2J"), options=())


def test_another_format(explain):
    told, = explain('GET /datasets/d 206 bytes=0- 1769860800', options=("--json", "--format", "%m %U %s %{Range}i %{sec}t"))
    assert told["type"] == "datasets" and told["rule"]["number"] == 1


def test_without_rules_it_says_what_to_do(tmp_path):
    result = subprocess.run([BUILD / "metricsctl", "explain", "--spool", tmp_path, "x"], capture_output=True, text=True)
    assert result.returncode == 1 and "httpd writes" in result.stderr


@pytest.mark.parametrize("agent, class_, reason", [
    ("Mozilla/5.0 Firefox/133.0", "regular", "on no list"),
    ("Googlebot/2.1", "robot", 'on the list of robots by "bot" ('),
    ("curl/8", "machine", 'on the list of machines by "curl/" ('),
    ("Motorola bot", "regular", 'allowed by "motorola" (MetricsAllowAgents)'),
    ("", "machine", "no agent"),
    ("-", "machine", "no agent"),
])
def test_names_the_list_and_the_pattern(tmp_path, agent, class_, reason):
    (tmp_path / "robots.txt").write_text("# robots\nbot\ncurl/\n")
    (tmp_path / "machines.txt").write_text("curl/\n")
    settings_file(tmp_path, robots=[str(tmp_path / "robots.txt")], machines=[str(tmp_path / "machines.txt")],
                  allow_agents=["motorola"])
    text = line().replace("Mozilla/5.0 Firefox/133.0", agent)
    result = subprocess.run([BUILD / "metricsctl", "explain", "--json", "--spool", tmp_path, text], capture_output=True,
                            text=True, timeout=60)
    assert result.returncode == 0, result.stderr
    told = json.loads(result.stdout)
    assert told["class"] == class_ and reason in told["class_reason"]
    assert told["verdict"] == ("robot" if class_ == "robot" else "counted")
    if class_ == "robot":
        assert "robots.txt line 2" in told["class_reason"]
