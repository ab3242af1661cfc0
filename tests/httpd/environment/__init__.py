"""A real apache2 and a real database for one test, or for the tests of one file.

httpd.py    Httpd: a directory of its own, a small conf, a process, and its error log
client.py   requests, and their answers as a test wants to read them
counts.py   Counts: what the database holds, once everything that was sent has arrived there
load.py     visitors in threads, who know which of their requests were answered
backend.py  an application behind mod_proxy
clowder.py  an application that answers as Clowder does, and its documents
gate.py     a door before the database that can be shut
waiting.py  wait_for: a condition with a deadline, the only way to wait here
"""

from .backend import Backend
from .client import Answer, Client, rows
from .counts import Counts
from .gate import Gate
from .httpd import Httpd, StartError
from .load import Load
from .waiting import wait_for

__all__ = ["Answer", "Backend", "Client", "Counts", "Gate", "Httpd", "Load", "StartError", "rows", "wait_for"]
