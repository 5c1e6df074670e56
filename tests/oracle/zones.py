"""Calendar periods of a time zone, worked out with zoneinfo alone.

A day runs from the first instant whose local date is that day (or later, where the day does not exist) to
the next day's first instant.
"""
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, timezone
from functools import lru_cache
from zoneinfo import ZoneInfo

MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)
GRANULARITIES = ("day", "week", "month", "quarter", "year")


@lru_cache(maxsize=None)
def day_start(zone, day):
    """The UTC instant at which `day` begins in `zone`."""
    place = ZoneInfo(zone)
    noon = datetime.combine(day, time(12), timezone.utc)
    offsets = {(noon + timedelta(hours=h)).astimezone(place).utcoffset() for h in range(-36, 25)}
    if len(offsets) == 1:
        return datetime.combine(day, time(), timezone.utc) - offsets.pop()
    moment = datetime.combine(day, time(), timezone.utc) - timedelta(hours=26)
    while moment.astimezone(place).date() < day:
        moment += MINUTE
    return moment


@dataclass(frozen=True)
class Period:
    """Local dates [first, end) with the name that the API gives them; a range has no key of its own."""

    granularity: str
    first: date
    end: date
    months: int = 0  # of a range that is asked for as so many months: the previous one has as many

    @property
    def days(self):
        return (self.end - self.first).days

    @property
    def key(self):
        if self.granularity == "year":
            return f"{self.first.year:04d}"
        if self.granularity == "quarter":
            return f"{self.first.year:04d}-Q{(self.first.month + 2) // 3}"
        if self.granularity == "month":
            return f"{self.first.year:04d}-{self.first.month:02d}"
        if self.granularity == "week":
            year, week, _ = self.first.isocalendar()
            return f"{year:04d}-W{week:02d}"
        return self.first.isoformat() if self.granularity == "day" else None

    @property
    def label(self):
        return self.key or f"{self.first}..{self.end}"

    def bounds(self, zone):
        return day_start(zone, self.first), day_start(zone, self.end)

    def query(self):
        """The parameters that ask for this period alone."""
        if self.key:
            return {"period": self.key}
        return {"from": self.first.isoformat(), "to": self.end.isoformat()}

    def previous(self):
        if self.months:
            return Period("range", _month_after(self.first, -self.months), self.first, self.months)
        if self.granularity == "range":
            return Period("range", self.first - timedelta(days=self.days), self.first)
        return period_of(self.granularity, self.first - DAY)

    def year_ago(self):
        """The same a year before, or None: the year before has no 53rd week."""
        if self.granularity == "week":
            year, week, _ = self.first.isocalendar()
            # Years of 53 weeks never follow each other.
            return None if week == 53 else period_of("week", date.fromisocalendar(year - 1, week, 1))
        if self.granularity == "range":
            return Period("range", _year_before(self.first), _year_before(self.end), self.months)
        return period_of(self.granularity, _year_before(self.first))


def _month_after(day, months):
    index = day.year * 12 + day.month - 1 + months
    return date(index // 12, index % 12 + 1, 1)


def _year_before(day):
    return date(day.year - 1, day.month, 28 if (day.month, day.day) == (2, 29) else day.day)


def period_of(granularity, day):
    """The period of that granularity in which `day` lies."""
    if granularity == "day":
        return Period("day", day, day + DAY)
    if granularity == "week":
        monday = day - timedelta(days=day.weekday())
        return Period("week", monday, monday + timedelta(days=7))
    months = {"month": 1, "quarter": 3, "year": 12}[granularity]
    first = date(day.year, (day.month - 1) // months * months + 1, 1)
    return Period(granularity, first, _month_after(first, months))


def periods(granularity, first, end):
    """Every period of that granularity that meets the dates [first, end)."""
    found = [period_of(granularity, first)]
    while found[-1].end < end:
        found.append(period_of(granularity, found[-1].end))
    return found


def custom(first, end):
    return Period("range", date.fromisoformat(first), date.fromisoformat(end))


def named(today):
    """What the API's names of periods mean on that day."""
    month, quarter, year, week = (period_of(g, today) for g in ("month", "quarter", "year", "week"))
    return {
        "today": period_of("day", today), "this_week": week, "last_week": week.previous(), "this_month": month,
        "last_month": month.previous(), "this_quarter": quarter, "last_quarter": quarter.previous(),
        "this_year": year, "last_year": year.previous(), "last_12_months": trailing(month.first, 12),
        "last_90_days": Period("range", today - timedelta(days=90), today)}


def trailing(end, months):
    return Period("range", _month_after(end, -months), end, months)
