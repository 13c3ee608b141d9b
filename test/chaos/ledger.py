"""What happened in a run, as it was seen from outside: what was acknowledged, what arrived where, what
was done to the cluster.  Times are seconds of time.monotonic()."""

from dataclasses import dataclass, field


@dataclass
class Promise:
    """What an event notification was made with."""
    ordered: bool = False
    pace: int = 0  # Maximum Requests
    cap: int = 0   # Maximum concurrent requests


@dataclass
class Event:
    """One that a sender tried to hand over, under one DedupeKey, until it was acknowledged."""
    key: str
    wanted_by: tuple        # names of event notifications
    began: float            # its first request went out
    ended: float = None     # the answer that took it was here; None: nobody ever said so


@dataclass
class Receipt:
    """One request that a receiver had."""
    notification: str
    key: str                # of its event
    id: str                 # webhook-id
    generation: int         # of the URL it came to
    began: float
    ended: float = None     # the answer was about to go out; None: it was never answered
    status: int = None
    node: str = None        # who sent it; None: that could not be found out

    @property
    def took_it(self):
        return self.status is not None and 200 <= self.status < 300


@dataclass
class Fault:
    """From the first moment that something may have been wrong until all nodes were ready again."""
    what: str
    began: float
    ended: float
    node: str = None        # None: any of them
    in_flight: bool = True  # an attempt may be under way and never be recorded


@dataclass
class Edit:
    """The URL got this generation."""
    notification: str
    generation: int
    ended: float            # it was answered; None: it was not, and may come into force at any time


@dataclass
class Pause:
    """Of one event notification: from the answer that it is paused until it was to be resumed."""
    notification: str
    answered: float
    resumed: float


@dataclass
class Ledger:
    promises: dict = field(default_factory=dict)  # name → Promise
    events: list = field(default_factory=list)
    receipts: list = field(default_factory=list)
    faults: list = field(default_factory=list)
    edits: list = field(default_factory=list)
    pauses: list = field(default_factory=list)
    notices: list = field(default_factory=list)   # (account, of what, kind), the oldest first
    letters: list = field(default_factory=list)   # (account, kind of the notice), a mail each
    counts: list = field(default_factory=list)    # (what, said, there)

    def receipts_of(self, notification):
        return sorted((receipt for receipt in self.receipts
                       if receipt.notification == notification), key=lambda one: one.began)
