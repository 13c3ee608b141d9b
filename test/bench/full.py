"""All rows of script/bench, by name.

A row is a function of the options that gives figures, and the figures it gives: name, what it is,
unit, what is wanted.  Each but `short` compares within itself; each has a server and a receiver
of its own.
"""

import against
import export
import greedy
import idle
import intake
import isolation
import kills
import locking
import nodes
import retention
import search
import short
import upgrade
import waiting

BENCHES = {name: bench for noun in (short, against, idle, retention, intake, isolation, greedy,
                                  waiting, kills, upgrade, export, locking, nodes,
                                  search)
           for name, bench in noun.BENCHES.items()}
