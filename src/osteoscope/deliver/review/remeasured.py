"""A CT Reading measured again after edits, by the plan that it was read by; bones without edits stay as they were."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import lru_cache

from osteoscope.deliver.review.draft import CtGround, Draft, blank_study
from osteoscope.deliver.review.edits_ct import MARKS
from osteoscope.domain.finding import Finding, Measure, SetAside
from osteoscope.domain.reading import Case, Gap, MappedSite, SiteReading, StudyRecord
from osteoscope.measure.burden import burden, burden_of_site
from osteoscope.reading.plan import Plan
from osteoscope.reading.plan_table import PLAN_NAMES, plan_for

Measures = tuple[Measure, ...]
Gaps = tuple[Gap, ...]
_BURDEN = frozenset({"lesion_count", "lesion_volume"})
_BY_PLAN = _BURDEN | {"lesion_share", "height_loss", "sins_at_least", "mirels_at_least"}
_KEPT = 1024


@dataclass(frozen=True)
class _Bone:
    """What measures of a bone look at; equal where nothing of it changed, so that it is measured once.

    Args:
        ground, record, plan: of the study.
        site: the bone.
        lesions: the findings that count.
    """

    ground: CtGround
    record: StudyRecord
    plan: str
    site: str
    lesions: tuple[Finding, ...]

    def __hash__(self) -> int:
        return hash((self.ground, self.plan, self.site, self.lesions))


def remeasured(draft: Draft) -> Draft:
    """The draft with findings, sites, measures and gaps as they come out.

    Bones whose lesions changed, bones that these reach into, and the study are measured by the plan of the base. Where
    the CT is not at hand, only the burden is, and the rest becomes a gap; so does what no plan measures, such as
    strength.
    """
    lesions = draft.changed("kind", "region")
    sites = _evidence(draft)
    if not lesions:
        return replace(draft, sites=sites, measures=draft.base.measures, gaps=draft.base.gaps)
    ground = draft.ground.ct()
    reached = [p.site for p in ground.bones if any(_reaches(f, p) for f in lesions)] if ground else []
    changed = {*reached, *(f.site for f in lesions)}
    gaps: list[Gap] = []
    findings = list(draft.findings)
    if ground is not None:
        for site in sorted(changed):
            measured, missed = _findings(_bone(draft, ground, site))
            findings = [_with(f, measured[f.id]) if f.id in measured else f for f in findings]
            gaps += missed
    made = []
    for said in sites:
        if said.site in changed:
            measures, missed = _of_site(draft, ground, said.site, findings)
            gaps += [*missed, *_lost(draft, said.site, said.measures, measures, ground is not None)]
            made.append(replace(said, measures=measures))
        else:
            made.append(said)
    case = replace(_case(draft, ground, findings), sites=tuple(made))
    acts = _plan(draft).of_study if ground is not None else (burden,)
    measures = _attempts("study", acts, (case,), gaps)
    gaps += _lost(draft, "study", draft.base.measures, measures, ground is not None)
    return replace(
        draft, findings=tuple(findings), sites=tuple(made), measures=measures, gaps=(*draft.base.gaps, *gaps)
    )


def _evidence(draft: Draft) -> tuple[SiteReading, ...]:
    """The sites with the findings they rest on, bones of new findings included."""
    known = {said.site for said in draft.base.sites}
    new = [SiteReading(f.site, "assessed") for f in draft.findings if f.site not in known]
    sites = {said.site: said for said in (*draft.base.sites, *new)}
    return tuple(replace(s, evidence=tuple(f.id for f in draft.findings if f.site == s.site)) for s in sites.values())


def _plan(draft: Draft) -> Plan:
    """The plan that the base was read by; one that is no longer known gives way to today's."""
    named = PLAN_NAMES.get(str(draft.base.provenance.settings.get("plan")))
    return named or plan_for(blank_study(draft.base.study))


def _case(draft: Draft, ground: CtGround | None, findings: Iterable[Finding]) -> Case:
    study = blank_study(draft.base.study)
    aside: tuple[SetAside, ...] = draft.set_aside
    if ground is None:
        return Case(study, (), tuple(findings), aside)
    return Case(replace(study, images={"ct": ground.image}), ground.bones, tuple(findings), aside)


def _bone(draft: Draft, ground: CtGround, site: str) -> _Bone:
    place = next((p for p in ground.bones if p.site == site), None)
    near = [f for f in draft.findings if f.site == site or (place is not None and _reaches(f, place))]
    # Neither type nor confidence is looked at.
    bare = tuple(replace(f, kind="mixed", confidence=1.0, measures=()) for f in near)
    return _Bone(ground, draft.base.study, _plan(draft).name, site, bare)


def _reaches(finding: Finding, place: MappedSite) -> bool:
    """Whether a finding comes into the box of a bone."""
    part, bone = finding.region.on("ct"), place.region.on("ct") if place.region else None
    return part is not None and bone is not None and bool(part.within(bone.box).any())


@lru_cache(maxsize=_KEPT)
def _findings(bone: _Bone) -> tuple[dict[str, Measures], Gaps]:
    """Measures of the findings of a bone, kept, since a draft is made again at every step."""
    case = _case_of(bone)
    gaps: list[Gap] = []
    own = [f for f in bone.lesions if f.site == bone.site]
    return {f.id: _attempts(f.id, PLAN_NAMES[bone.plan].of_finding, (case, f), gaps) for f in own}, tuple(gaps)


def _with(finding: Finding, made: Measures) -> Finding:
    return replace(finding, measures=(*made, *(m for m in finding.measures if m.name in MARKS)))


def _of_site(draft: Draft, ground: CtGround | None, site: str, findings: Iterable[Finding]) -> tuple[Measures, Gaps]:
    own = tuple(replace(f, confidence=1.0) for f in findings if f.site == site)
    if ground is None:
        return burden_of_site(Case(blank_study(draft.base.study), (), own), site), ()
    return _site(_Bone(ground, draft.base.study, _plan(draft).name, site, own))


@lru_cache(maxsize=_KEPT)
def _site(bone: _Bone) -> tuple[Measures, Gaps]:
    gaps: list[Gap] = []
    return _attempts(bone.site, PLAN_NAMES[bone.plan].of_site, (_case_of(bone), bone.site), gaps), tuple(gaps)


def _case_of(bone: _Bone) -> Case:
    return Case(replace(blank_study(bone.record), images={"ct": bone.ground.image}), bone.ground.bones, bone.lesions)


def _attempts(
    where: str, acts: Iterable[Callable[..., Measures]], subject: tuple[object, ...], gaps: list[Gap]
) -> Measures:
    made: list[Measure] = []
    for act in acts:
        try:
            made += act(*subject)
        except Exception as error:  # noqa: BLE001 - whatever fails here becomes a gap with its reason
            gaps.append(Gap(where, act.__name__, f"{type(error).__name__}: {error}"))
    return tuple(made)


def _lost(draft: Draft, where: str, before: Measures, after: Measures, at_hand: bool) -> Gaps:
    """Gaps for what was measured before and is neither measured again nor void by the plan's own rules."""
    known = {m.name for m in after} | (_BY_PLAN if at_hand else set())
    reason = f"lesions were edited by {draft.person}: not measured again"
    return tuple(Gap(where, m.name, reason) for m in before if m.name not in known)
