#!/usr/bin/env python3
"""access_log.py [--lines N] [--seed N] FILE: an access log (combined) as a research-data repository has them: pages and
what belongs to them, downloads in one piece and in ranges, revalidations, robots, scripts, people who are signed in,
and some noise. The same seed makes the same file.

Shares are those of public logs of such sites, roundly: more than half of all requests are robots', of the others most
are images and scripts of pages, every tenth is a use.
"""

import argparse
import random
import time

BROWSERS = [
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1 Safari/605.1.15",
    "Mozilla/5.0 (X11; Linux x86_64; rv:133.0) Gecko/20100101 Firefox/133.0",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:132.0) Gecko/20100101 Firefox/132.0",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1 "
    "Mobile/15E148 Safari/604.1",
    "Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Mobile Safari/537.36",
]
ROBOTS = [
    "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
    "Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)",
    "Mozilla/5.0 (compatible; AhrefsBot/7.0; +http://ahrefs.com/robot/)",
    "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; GPTBot/1.2; +https://openai.com/gptbot)",
    "Mozilla/5.0 (compatible; SemrushBot/7~bl; +http://www.semrush.com/bot.html)",
]
SCRIPTS = ["curl/8.5.0", "Wget/1.21.4", "python-requests/2.32.3", "pyclowder/3.0", "-"]
ASSETS = ["/assets/stylesheets/main.css", "/assets/javascripts/jquery-3.7.1.min.js", "/assets/javascripts/app.js",
          "/assets/images/logo.png", "/assets/images/folder.svg", "/favicon.ico", "/assets/fonts/inter.woff2",
          "/api/me", "/assets/javascripts/previewers/image.js"]
PAGES = ["/", "/datasets", "/collections", "/spaces", "/search?query=soil+moisture", "/login", "/help", "/robots.txt",
         "/datasets?when=a&index=2&size=12", "/extractions/status"]
NOISE = ["/wp-login.php", "/.env", "/phpmyadmin/index.php", "/cgi-bin/luci/;stok=/locale", "/%2e%2e/%2e%2e/etc/passwd"]
MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()


class Site:
    def __init__(self, seed):
        self.random = random.Random(seed)
        ids = [f"{self.random.getrandbits(96):024x}" for _ in range(12000)]
        self.datasets, self.files, self.collections = ids[:2500], ids[2500:11800], ids[11800:]
        self.people = [self.address() for _ in range(6000)]
        self.robots = [self.address() for _ in range(120)]
        self.users = [f"user{n:04d}" for n in range(400)]

    def address(self):
        r = self.random
        if r.random() < 0.2:
            return f"2001:db8:{r.getrandbits(16):x}:{r.getrandbits(16):x}::{r.getrandbits(16):x}"
        return f"{r.randint(1, 223)}.{r.randint(0, 255)}.{r.randint(0, 255)}.{r.randint(1, 254)}"

    def some(self, ids):
        """Few are popular, as everywhere."""
        return ids[int(len(ids) * self.random.random() ** 3)]

    def use(self):
        r, what = self.random, self.random.random()
        if what < 0.40:
            return f"/datasets/{self.some(self.datasets)}", 200, r.randint(9000, 60000)
        if what < 0.55:
            return f"/files/{self.some(self.files)}", 200, r.randint(9000, 60000)
        if what < 0.60:
            return f"/collection/{self.some(self.collections)}", 200, r.randint(9000, 60000)
        if what < 0.70:
            return f"/api/datasets/{self.some(self.datasets)}/download", 200, r.randint(10**6, 10**9)
        path, size = f"/api/files/{self.some(self.files)}/blob", r.randint(10**4, 10**8)
        if what < 0.85:
            return path, 200, size
        if what < 0.92:
            return path, 304, 0
        if what < 0.97:
            return path, 206, size // 10
        return path, r.choice((404, 403, 302)), 500

    def request(self, robot):
        what = self.random.random()
        if robot:
            if what < 0.55:
                return self.use()
            return self.random.choice(PAGES), 200, 8000
        if what < 0.72:
            return self.random.choice(ASSETS), self.random.choice((200, 200, 304)), 4000
        if what < 0.84:
            return self.random.choice(PAGES), 200, 8000
        if what < 0.86:
            return self.random.choice(NOISE), 404, 196
        return self.use()

    def line(self, now):
        r = self.random
        robot, script = r.random() < 0.5, r.random() < 0.06
        path, status, size = self.request(robot)
        user = r.choice(self.users) if not robot and r.random() < 0.1 else "-"
        if robot:
            address, agent, referer = r.choice(self.robots), r.choice(ROBOTS), "-"
        elif script:
            address, agent, referer = r.choice(self.people), r.choice(SCRIPTS), "-"
        else:
            place = int(len(self.people) * r.random() ** 2)
            address, agent = self.people[place], BROWSERS[place % len(BROWSERS)]
            referer = "https://repository.example.org" + r.choice(PAGES)
        t = time.gmtime(now)
        stamp = f"{t[2]:02d}/{MONTHS[t[1] - 1]}/{t[0]:04d}:{t[3]:02d}:{t[4]:02d}:{t[5]:02d} +0000"
        method = "HEAD" if r.random() < 0.01 else "GET"
        return f'{address} - {user} [{stamp}] "{method} {path} HTTP/1.1" {status} {size} "{referer}" "{agent}"\n'


def write(path, lines, seed, days=31):
    site, begin = Site(seed), 1767225600  # 2026-01-01
    with open(path, "w", encoding="ascii") as log:
        for n in range(lines):
            log.write(site.line(begin + n * days * 86400 // lines))


def main():
    parser = argparse.ArgumentParser(description=__doc__.split(":")[0])
    parser.add_argument("--lines", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=5)
    parser.add_argument("file")
    arguments = parser.parse_args()
    write(arguments.file, arguments.lines, arguments.seed)


if __name__ == "__main__":
    main()
