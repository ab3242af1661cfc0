"""The demo's names. Many are awkward on purpose, as names in real repositories are: a report has to bring each of them
through CSV, spreadsheets and web pages unchanged."""

# Login, full name, status. Logins are what REMOTE_USER will be; the accounts' passwords are made at the first start.
USERS = (
    ("admin", "Ada Admin", "Admin"),
    ("ada", "Ada Lovelace", "Active"),
    ("bjoern", "Björn Þórðarson", "Active"),
    ("chen", "陈 美玲", "Active"),
    ("dora", 'Dora "Dot" O\'Hara, PhD', "Active"),
    ("emre", "Emre Yılmaz", "Active"),
    ("fatima", "فاطمة الزهراء", "Active"),
    ("george", "=George+1", "Active"),
    ("hana", "花 Hana 🌸", "Active"),
    ("ivan", "Иван Петров", "ReadOnly"),
    ("jose.maria", "José María de la Cruz; Universität", "Active"),
    ("kim", "Kim <b>Bold</b>", "Inactive"),
)

# Name and status.
SPACES = (
    ("Plant Phenotyping", "PUBLIC"),
    ("Rivers, Lakes & Coasts", "PRIVATE"),
    ("Médiathèque «été»", "PUBLIC"),
    ("@lab", "TRIAL"),
)

# Name, and the places in this list of the collections that hold it: some stand alone, one has two parents.
COLLECTIONS = (
    ("Field season 2024", ()),
    ("Field season 2024, north", (0,)),
    ("Field season 2024, south", (0,)),
    ("Drone flights\nJune & July", (1, 2)),
    ("水文観測 / hydrology", ()),
    ("=Sum of all gauges", (4,)),
    ("-archive-", ()),
    ('"Quoted" collection; with semicolon', (6,)),
)

# Name, and the places of the collections that hold it: none, one or several.
DATASETS = (
    ("Wheat canopy height", (0,)),
    ("Wheat canopy height, corrected", (0, 1)),
    ('The so-called "golden" plots', (1,)),
    ("Soil moisture\nsecond line of the name", (1, 2, 3)),
    ("=1+2", (2,)),
    ('=HYPERLINK("http://example.org","click")', ()),
    ("+49 30 1234", (2,)),
    ("-5 °C nights", (2,)),
    ("@import of readings", ()),
    ("Größenänderung der Äpfel", (0,)),
    ("土壤湿度 2024", (4,)),
    ("ドローン撮影データ", (3,)),
    ("강 수위 관측", (4, 5)),
    ("Thermal images 🌡️🛰️ of field 7", (3,)),
    ("قياسات مستوى النهر", (4,)),
    ("מדידות abc עברית", ()),
    ("Long " + "and longer " * 26 + "name", (6,)),
    ("<b>Bold</b> & <script>alert(1)</script>", (7,)),
    ("Semicolons; separate; columns; in; Europe", (5,)),
    ("Tab\tinside, and a trailing blank ", ()),
    ("\tbegins with a tab", (6,)),
    ("Windows line\r\nbreak", (6, 7)),
    ("River gauge Elbe", (4, 5)),
    ("River gauge Óbidos", (5,)),
    ("'Apostrophe first", ()),
    ("100% cover, 50% shade", (0,)),
    ("C:\\data\\raw", (7,)),
    ("0042", ()),
    ("e\u0301tude (combining accent)", (2,)),
    ("Zero\u200bwidth and right\u202eto left", ()),
)

# Stems of file names; the suffix comes from the kind. Those that are not here are made of plain words.
AWKWARD_FILES = (
    "readings, final",
    'plot "A"',
    "Messung Größe",
    "データ",
    "=cmd",
    "-rf",
    "+1",
    "@home",
    "two\nlines",
    "semi;colon",
    "🌱 seedlings",
    "ملف",
    "<i>italic</i>",
    "100%25 done",
    "name with  two blanks",
    "dot.ted.name",
    "#hash?query&amp;",
    "x" * 250,
)

FOLDERS = ("raw", "processed", "Größen, alt", "résumé", "with/slash", "深い")
