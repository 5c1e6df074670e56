"""The states in which a record may be, given what was acknowledged and what is unknown.

One client changes a record at a time, so its history is a sequence. An acknowledged operation keeps
only the states that explain the answer; one without an answer, or with 503, may have happened or not.
"""

ABSENT = None


class Violation(AssertionError):
    """The service did what no allowed history explains."""


def apply(method, state, content):
    """(status, next state) of one operation, by the contract. Contents are tuples of items."""
    if method == "POST":
        if state is ABSENT:
            return 201, content
        return (200, state) if state == content else (409, state)
    if method == "PUT":
        return (201 if state is ABSENT else 200), content
    if state is ABSENT:
        return 404, ABSENT
    if method == "PATCH":
        return 200, tuple(sorted({**dict(state), **dict(content)}.items()))
    if method == "DELETE":
        return 204, ABSENT
    if method == "GET":
        return 200, state
    raise ValueError(method)


class Record:
    """One record's allowed states."""

    def __init__(self, kind, record_id):
        self.kind = kind
        self.id = record_id
        self.states = {ABSENT}
        self.history = []

    def acknowledged(self, method, content, status, shown=None):
        """shown: content of the answer where it has one."""
        self.note(method, content, status)
        outcomes = {apply(method, state, content) for state in self.states}
        kept = {state for expected, state in outcomes if expected == status}
        if shown is not None:
            kept &= {shown}
        if not kept:
            raise Violation(f"{self.kind} {self.id}: {method} answered {status} ({shown}); allowed "
                            f"were {self.states}; history {self.history}")
        self.states = kept

    def unknown(self, method, content, why):
        self.note(method, content, why)
        self.states |= {apply(method, state, content)[1] for state in self.states}

    def note(self, *entry):
        self.history = [*self.history[-11:], entry]
