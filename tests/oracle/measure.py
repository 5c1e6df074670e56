"""One figure of the oracle, and the settings of a workspace that figures depend on."""
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Measure:
    """What one KPI of one period and filter must be. `dated`: a record of the kind is dated before its end;
    `slack`: how far a figure made of medians may be off."""

    value: float
    n: int
    numerator: float
    denominator: float
    parts: dict
    low: float
    high: float
    null_reason: str
    dated: bool
    provisional: bool
    slack: float = 0.0

    @property
    def empty(self):
        """Whether there is nothing to see, so that a group may be absent."""
        figures = (self.value, self.n, self.numerator, self.denominator, self.low, self.high, *self.parts.values())
        return not any(figures)


@dataclass
class Settings:
    """Defaults as in design.md; weights in hundredths."""

    gross_margin: float = 1.0
    response_window_days: int = 30
    cac_categories: list = None  # all
    response_target_s: int = 4 * 3600
    weights: dict = field(default_factory=lambda: {
        "csat": 25, "nps": 25, "first_contact_resolution": 15, "annualised_retention": 15, "ces": 10, "speed": 10})

    def sent(self):
        """As the API takes them."""
        return {"gross_margin": self.gross_margin, "response_window_days": self.response_window_days,
                "cac_categories": self.cac_categories, "response_target_seconds": self.response_target_s,
                "relationship_weights": {name: weight / 100 for name, weight in self.weights.items()}}
