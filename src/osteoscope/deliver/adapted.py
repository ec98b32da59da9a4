"""A Plan that scores by an adaptation."""

from __future__ import annotations

from dataclasses import replace
from functools import partial, update_wrapper

from osteoscope.domain.reading import Gap
from osteoscope.measure.adaptation import adapted_siopen, adapted_totals
from osteoscope.measure.adaptation_card import Base, Card
from osteoscope.measure.score import siopen, totals
from osteoscope.reading.plan import Plan, origin
from osteoscope.reading.planar_plans import choices, scores


def adapted(plan: Plan, card: Card) -> Plan:
    """The plan with SIOPEN levels adapted by a card; a plan that does not score SIOPEN stays as it is.

    Raises:
        ModelError: the card was made for another base or other choices of scoring, or the plan's own model cannot be
            loaded.
    """
    if not scores(plan):
        return plan
    models, options = plan.models(), choices(plan)
    card.check(Base.of(f"osteoscope {plan.name}", models), options)
    # The names of the functions they stand for: gaps are told by them.
    head = card.head
    levels = update_wrapper(partial(adapted_siopen, head=head, options=options), siopen)
    sums = update_wrapper(partial(adapted_totals, head=head, options=options), totals)
    return replace(
        plan,
        of_site=tuple(levels if origin(act) is siopen else act for act in plan.of_site),
        of_study=tuple(sums if origin(act) is totals else act for act in plan.of_study),
        limits=(*plan.limits, Gap("study", "score", _limit(card))),
        models=lambda: (*models, card.record),
    )


def _limit(card: Card) -> str:
    made = f"{card.cohort.studies} studies of {card.cohort.patients} patients"
    advice = "" if card.verdict == "helps" else f"; its own card advises against its use ({card.verdict})"
    return f"SIOPEN levels adapted to one reader's {made} by {card.name} {card.version}{advice}"
