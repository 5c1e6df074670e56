"""KPIs made of others: the oracle's figures of those go in, nothing of the records."""
from fractions import Fraction

from oracle.measure import Measure

SKETCHED = 0.01


def ltv_cac_ratio(_, ltv, cac):
    """ltv / cac; the first reason of either, cac 0 among the zero denominators."""
    order = ("not_applicable_to_filter", "no_data", "no_previous", "no_cancellations", "zero_denominator", "zero_churn")
    reasons = [reason for reason in (ltv.null_reason, cac.null_reason) if reason]
    if cac.value == 0:
        reasons.append("zero_denominator")
    reason = min(reasons, key=order.index, default=None)
    return Measure(None if reason else ltv.value / cac.value, ltv.n, ltv.value, cac.value,
                         {"ltv": ltv.value, "cac": cac.value}, None, None, reason,
                         ltv.dated and cac.dated, False)


def speed(median, target):
    """100 as long as the median first response keeps the target."""
    if median is None:
        return None
    return 100.0 if median == 0 else 100 * min(1.0, target / median)


def relationship_quality(settings, csat, nps, ces, retention, first_contact, response):
    parts = {
        "csat": csat.value, "nps": None if nps.value is None else (nps.value + 100) / 2,
        "first_contact_resolution": first_contact.value, "annualised_retention": retention.parts["annualised"],
        "ces": ces.value, "speed": speed(response.value, settings.response_target_s)}
    present = {name: figure for name, figure in parts.items() if figure is not None}
    weight = sum(settings.weights[name] for name in present)
    reason = "no_data" if not present else "low_coverage" if 2 * weight < sum(settings.weights.values()) else None
    value = None
    if reason is None:
        value = float(sum(settings.weights[name] * Fraction(figure) for name, figure in present.items()) / weight)
    fast = present.get("speed")
    # A median may be off by as much; the speed of one that keeps the target by far may not.
    safe = fast is None or response.value * (1 + SKETCHED) < settings.response_target_s
    doubt = 0.0 if safe else SKETCHED * fast
    return Measure(value, len(present), None, None, parts, None, None, reason,
                         any(m.dated for m in (csat, retention, response)), False,
                         doubt * settings.weights["speed"] / weight if weight else 0.0)
