"""What a fault is: a function of (site, random) that does harm, sees that it took effect, and leaves the site able to
work. @fault(weight, …) puts it into KINDS; the torture chooses by weight.

weight      how often, relative to others
sites       the numbers of the sites it can be done to
exclusive   the database itself is touched: no other fault may count on it at the same time
"""

from dataclasses import dataclass
from typing import Callable

KINDS = {}


@dataclass
class Fault:
    name: str
    run: Callable
    weight: int
    sites: tuple
    exclusive: bool
    needs_small_disk: bool


def fault(weight=1, sites=(0, 1, 2), exclusive=False, needs_small_disk=False):
    def register(function):
        name = function.__name__
        KINDS[name] = Fault(name, function, weight, sites, exclusive, needs_small_disk)
        return function

    return register
