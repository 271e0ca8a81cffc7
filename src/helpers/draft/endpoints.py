"""Endpoints among the columns of a cohort file: times with events, or dates."""

from __future__ import annotations

from dataclasses import dataclass

from helpers.draft.columns import ENDPOINTS, Column

TIME = {"time", "days", "weeks", "months", "years", "os", "pfs", "dfs", "rfs", "efs", "ttp", "fu"}
TIME |= {"futime", "followup", "survival", "survtime", "surv", "aval", "duration", "ttr"}
UNITS = {"day": "days", "week": "weeks", "month": "months", "year": "years"}
EVENT = {"event", "status", "dead", "death", "died", "cens", "censor", "censored", "cnsr"}
EVENT |= {"relapse", "recurrence", "recur", "progression", "progressed", "progress", "failure"}
EVENT |= {"fail", "delta", "fustat", "vital"}
OF_WHOM = {"patient", "subject", "overall", "free", "follow", "up", "at", "last", "contact", "end"}
DEATH = {"death", "dead", "died", "deceased", "dth"}
PROGRESSION = {"progression", "progressed", "progress", "prog"}
RELAPSE = {"relapse", "recurrence", "recur"}
RETURN = RELAPSE | PROGRESSION
OF_DEATH = {"death", "dead", "died", "vital", "status", "event", "fustat"}
EVENT_OF = {
    "os": OF_DEATH,
    "survival": OF_DEATH,
    "pfs": PROGRESSION,
    "ttp": PROGRESSION,
    "rfs": RELAPSE,
    "dfs": RELAPSE,
    "efs": {"event", "failure", "fail"},
}
HAPPENED = {"yes", "y", "true", "dead", "died", "death", "deceased", "event", "progressed"}
HAPPENED |= {"progression", "relapse", "relapsed", "recurrence", "recurred", "failed", "failure"}
NOT_HAPPENED = {"no", "n", "false", "alive", "living", "censored", "censor", "none", "no event"}
BEGINS = {"start", "diagnosis", "diag", "randomization", "random", "rando", "treatment", "surgery"}
BEGINS |= {"baseline", "enrolment", "enrollment", "inclusion", "operation", "begin", "first"}
BEGINS |= {"randomisation", "randomised", "randomized", "rand", "trts"}
LAST = {"last", "lst", "lstalv"}
ENDS = {"followup", "fu", "end", "death", "contact", "censoring", "exit", "event", "lstfu"} | LAST


@dataclass(frozen=True)
class Endpoint:
    """The columns that an endpoint is counted from.

    Attributes
    ----------
    time : Column, optional
        Or `start` and `end`, dates.
    start, end : Column, optional
    event : Column, optional
        Or `event_dates`.
    event_dates : tuple of Column
        Of what counts as the event, empty where it did not happen.
    """

    time: Column | None = None
    start: Column | None = None
    end: Column | None = None
    event: Column | None = None
    event_dates: tuple[Column, ...] = ()

    @property
    def columns(self) -> list[Column]:
        single = (self.time, self.start, self.end, self.event)
        return [*(column for column in single if column is not None), *self.event_dates]

    @property
    def kind(self) -> str | None:
        """The key in ENDPOINTS of what its columns seem to be."""
        words = {word for column in self.columns for word in column.all_words}
        if self.event_dates and RETURN & set(self.event_dates[0].all_words):
            return "pfs" if PROGRESSION & words else "rfs"
        named = next((word for word in ENDPOINTS if word in words), None)
        last = self.columns[-1]
        return named or ("os" if (DEATH | {"vital"}) & set(last.all_words) else None)


def find_endpoints(columns, dates) -> list[Endpoint]:
    """The endpoints of a file.

    Parameters
    ----------
    columns : list of Column
        Those without a role so far, none of them a date.
    dates : list of Column

    Returns
    -------
    list of Endpoint
        Times, each with the event that its words fit best; then those counted from dates, unless
        a time tells the same.
    """
    events = [c for c in columns if c.cells.nunique() <= 4 and c.is_category and _is_event(c)]
    timed = _find_timed([c for c in columns if _is_time(c) and c not in events], events)
    dated = _find_dated(dates, events)
    if not timed:
        return dated
    kinds = {endpoint.kind for endpoint in timed}
    if None in kinds:
        return timed
    has_death, has_return = "os" in kinds, bool(kinds & set(ENDPOINTS) - {"os"})
    return timed + [
        endpoint
        for endpoint in dated
        if endpoint.event_dates and not (has_death if endpoint.kind == "os" else has_return)
    ]


def _find_timed(times, events):
    """Each time with its event; no event serves two."""
    pairs = []
    for time in times:
        scored = [(_affinity(time, event), event) for event in events]
        best = max(scored, key=lambda pair: pair[0], default=(0, None))
        if best[0] > 0:
            pairs.append((best[0], time, best[1]))
    found = {}
    for _, time, event in sorted(pairs, key=lambda pair: -pair[0]):
        found.setdefault(event.name, Endpoint(time=time, event=event))
    return sorted(found.values(), key=lambda endpoint: endpoint.time.place)


def _find_dated(dates, events):
    """Endpoints counted from dates: start, last contact, then the days of events."""
    days = [c for c in dates if (DEATH | RETURN) & set(c.all_words) and len(c.cells) < c.n]
    others = [c for c in dates if c not in days]
    begins = [c for c in others if BEGINS & set(c.all_words)]
    ends = [c for c in others if ENDS & set(c.all_words) and c not in begins]
    ends.sort(key=lambda c: not LAST & set(c.all_words))
    if not (begins and ends):
        return []
    start, end = begins[0], ends[0]
    if not days:
        return [Endpoint(start=start, end=end, event=event) for event in events[:1]]
    deaths = [c for c in days if DEATH & set(c.all_words)]
    returns = [c for c in days if c not in deaths]
    found = [deaths] if deaths else []
    found += [[*returns, *deaths]] if returns else []
    return [Endpoint(start=start, end=end, event_dates=tuple(days)) for days in found]


def _is_event(column):
    named = EVENT & set(column.all_words)
    if named == {"status"}:  # of the patient, not of a receptor or a performance
        return set(column.words) <= TIME | EVENT | OF_WHOM
    if {column.described(code).lower() for code in column.codes} <= HAPPENED | NOT_HAPPENED:
        return bool(named)
    return bool(named) or (set(column.codes) == {"0", "1"} and bool(TIME & set(column.all_words)))


def _is_time(column):
    words = column.all_words
    if "age" in words:
        return False
    named = TIME & set(words) or any(word.rstrip("s") in UNITS for word in words)
    return bool(named) and column.is_amount and column.numbers.min() >= 0


def _affinity(time, event):
    """How well the words of an event fit those of a time; 0 if they do not."""
    times, words = time.all_words, event.all_words
    shared = (set(times) & set(words) & (TIME | EVENT | PROGRESSION)) - {"time", "event"}
    of_kind = {e for word in times for e in EVENT_OF.get(word, ())} & set(words)
    specific = any(word in EVENT_OF for word in times)
    others = {e for events in EVENT_OF.values() for e in events if e in words}
    generic = not specific and not (others - OF_DEATH)
    score = 3 * len(shared) + 2 * bool(of_kind) + (1 if generic else 0)
    return score and score + 1 / (1 + abs(time.place - event.place))


def guess_unit(time) -> tuple[str, bool]:
    """The unit of a column of times, and whether its words say so."""
    for word in time.all_words:
        if word.rstrip("s") in UNITS:
            return UNITS[word.rstrip("s")], True
    longest = time.numbers.max()
    return ("days" if longest > 300 else "months" if longest > 25 else "years"), False


def guess_codes(event, time) -> tuple[list[str], list[str], list[str], str]:
    """What the codes of an event mean.

    Parameters
    ----------
    event : Column
    time : Column or None

    Returns
    -------
    happened, censored, competing : list of str
    note : str
        Why it is a guess; empty if it is none.
    """
    present = set(event.cells)
    codes = [code for code in event.codes if code in present]
    words = {code: event.described(code).lower() for code in codes}
    happened = [code for code in codes if words[code] in HAPPENED]
    censored = [code for code in codes if words[code] in NOT_HAPPENED]
    note = ""
    if not (happened and censored):
        happened, censored, note = _guess_unnamed(event, codes, time)
    competing = [code for code in codes if code not in (*happened, *censored)]
    return happened, censored, competing, note


def _guess_unnamed(event, codes, time):
    if len(codes) == 1:
        other = "1" if codes[0] == "0" else "0"
        return [codes[0]], [other], "DECIDE: the column has this value only"
    if "cnsr" in event.words and "0" in codes:
        rest = [code for code in codes if code != "0"]
        return ["0"], rest, "CDISC: CNSR is 0 for an event, anything else is censored"
    first, second = codes[:2]
    if (first, second) == ("1", "2"):
        return ["2"], ["1"], "DECIDE: 2 is the event, as R writes it"
    if {"cens", "censor", "censored"} & set(event.words) and time is not None:
        times = time.numbers
        median = {code: times[event.cells.index[event.cells == code]].median() for code in codes}
        happened = min((first, second), key=lambda code: median[code])
        censored = second if happened == first else first
        note = "DECIDE: guessed, as those with this code have the shorter times"
        return [happened], [censored], note
    is_usual = len(codes) == 2 and (first, second) == ("0", "1")
    return [second], [first], "" if is_usual else "DECIDE"
