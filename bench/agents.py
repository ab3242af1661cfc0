"""How well the lists of agents tell robots from people, and how fast.

Agent strings come from packages that bench/requirements-agents.txt pins, fetched once into build/bench-agents:
    robots     crawler-user-agents: every "instance" of its crawlers, and of its libraries and tools
    browsers   fake-useragent: what browsers sent to a web analytics service, and
               device-detector: the strings of its tests whose client is a browser, on phones, tablets, television sets
               and desktops
    apps       device-detector: the same where the client is no browser (an app, a player)

Each is classified by bench/classify.c, which is what the drainer does, with the lists of build/share: without and with
the allow-list of conf/agents.conf. `make bench-agents`; add --show to see every string that is told wrongly.
"""

import argparse
import json
import os
import re
import shlex
import subprocess
import sys
import zipfile
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
BUILD = ROOT / os.environ.get("BUILD", "build")
FETCHED = BUILD / "bench-agents"
SHARE = BUILD / "share"
REQUIREMENTS = ROOT / "bench" / "requirements-agents.txt"
CONF = ROOT / "conf" / "agents.conf"

FIXTURES = re.compile(r"device_detector/tests/fixtures/upstream/(?!bots|unknown|feed_reader|podcasting)[\w-]+\.yml")
AGENT = re.compile(r"\s*-?\s*user_agent:\s*(.*)$")
TYPE = re.compile(r"    type: (.*)$")


def fetch():
    stamp = FETCHED / "stamp"
    wanted = REQUIREMENTS.read_text()
    if not stamp.exists() or stamp.read_text() != wanted:
        subprocess.run([sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps",
                        "--only-binary", ":all:", "--require-hashes", "--dest", FETCHED, "--requirement", REQUIREMENTS],
                       check=True)
        stamp.write_text(wanted)


def package(name):
    return zipfile.ZipFile(max(FETCHED.glob(f"{name}-*.whl"), key=os.path.getmtime))


def unique(strings):
    """Each once, as a line of text can hold it."""
    return list(dict.fromkeys(" ".join(string.split()) for string in strings if string.strip()))


def robots():
    entries = json.loads(package("crawler_user_agents").read("crawleruseragents/crawler-user-agents.json"))
    tags = {}
    for entry in entries:
        for instance in entry.get("instances", []):
            tags.setdefault(" ".join(instance.split()), entry.get("tags", []))
    return tags


def fake_useragent():
    lines = package("fake_useragent").read("fake_useragent/data/browsers.jsonl").decode().splitlines()
    return [json.loads(line)["useragent"] for line in lines]


def unquoted(text):
    """The text of a YAML scalar on one line; "" where it goes on in the next."""
    text = text.strip()
    if text in ("|", ">", "|-", ">-"):
        return ""
    if text[:1] == "'":
        return text[1:-1].replace("''", "'")
    return text[1:-1] if text[:1] == '"' else text


def device_detector():
    """(browsers, apps): agents by the type of their client."""
    found = {True: [], False: []}
    with package("device_detector") as wheel:
        for name in filter(FIXTURES.fullmatch, sorted(wheel.namelist())):
            agent, client = "", False
            for line in wheel.read(name).decode("utf-8", errors="replace").splitlines():
                match = AGENT.match(line)
                if match:
                    agent = unquoted(match.group(1))
                elif client and TYPE.match(line):
                    found[TYPE.match(line).group(1) == "browser"].append(agent)
                    client = False
                elif re.match(r"  \S", line):
                    client = line.startswith("  client:")
    return found[True], found[False]


def allow_list():
    """The expressions of conf/agents.conf, its own Defines filled in."""
    defined, expressions = {}, []
    for line in CONF.read_text().splitlines():
        words = line.split(None, 1)
        if not words or words[0] not in ("Define", "MetricsAllowAgents"):
            continue
        lexer = shlex.shlex(words[1], posix=True, punctuation_chars=False)
        lexer.whitespace_split, lexer.escape, lexer.commenters = True, "", ""
        arguments = [re.sub(r"\$\{(\w+)\}", lambda match: defined[match.group(1)], word) for word in lexer]
        if words[0] == "Define":
            defined[arguments[0]] = arguments[1]
        else:
            expressions += arguments
    return expressions


def classify(strings, allow, *options):
    command = [BUILD / "classify", *options, SHARE / "robots.txt", SHARE / "machines.txt", allow]
    text = "".join(f"{string}\n" for string in strings)
    return subprocess.run(command, check=True, input=text, capture_output=True, text=True).stdout.split("\n")[:-1]


def share(part, whole):
    return f"{part:6} of {whole} ({100 * part / whole:.1f} %)"


def tell(what, strings, allow, show):
    """One line each without and with the allow-list; returns how many are taken for robots or machines with it."""
    wrong = 0
    for label, path in (("lists alone", "-"), ("with the allow-list", allow)):
        classes = classify(strings, path)
        count = Counter(classes)
        print(f"{what:28} {label:20} robots {share(count['robots'], len(strings)):26} machines {count['machines']:4}")
        wrong = count["robots"] + count["machines"]
        if show and path != "-":
            for string, found in zip(strings, classes):
                if found in show:
                    print(f"    {found:9} {string}")
    return wrong


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--show", action="store_true", help="every string that is told wrongly")
    wrong_people = ("robots", "machines") if parser.parse_args().show else ()
    wrong_robots = ("allowed", "unlisted") if wrong_people else ()
    fetch()
    allow = FETCHED / "allow.txt"
    allow.write_text("".join(f"{expression}\n" for expression in allow_list()))

    tags = robots()
    browsers, apps = device_detector()
    fake = unique(fake_useragent())
    browsers = unique(fake + browsers)
    people = set(browsers)
    apps = [app for app in unique(apps) if app not in people]
    crawlers = [agent for agent, kinds in tags.items() if "http-library" not in kinds]
    libraries = [agent for agent, kinds in tags.items() if "http-library" in kinds]
    tell("crawler-user-agents", list(tags), allow, ())
    tell("  of these, crawlers", crawlers, allow, wrong_robots)
    tell("  of these, libraries", libraries, allow, ())
    tell("fake-useragent, browsers", fake, allow, ())
    wrong = tell("both packages, browsers", browsers, allow, wrong_people)
    motorola = [agent for agent in browsers if re.search(r"moto(rola|[ _-]?[gexz]\b)|\bXT\d{4}", agent, re.I)]
    tell("  of these, Motorola", motorola, allow, ())
    tell("device-detector, apps", apps, allow, ())

    for label, path in (("lists alone", "-"), ("with the allow-list", allow)):
        print(f"speed, {label}: " + ", ".join(classify(browsers, path, "--speed")))
    if wrong:
        print(f"{wrong} browser(s) are taken for robots or machines in spite of the allow-list")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
