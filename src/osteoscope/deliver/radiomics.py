"""The radiomics of a study's lesions as a table and the settings it was made with."""

from __future__ import annotations

import csv
import json
from importlib.metadata import version
from pathlib import Path

from osteoscope.domain.reading import Case, Gap
from osteoscope.errors import OsteoscopeError
from osteoscope.measure.radiomics import RadiomicsOptions, radiomics

_ABOUT = ("finding", "site", "kind", "boundary")


def write_radiomics(case: Case, folder: Path) -> tuple[Gap, ...]:
    """Write radiomics.csv (up to three rows a lesion, see `osteoscope.measure.radiomics.radiomics`) and radiomics.json.

    Returns:
        A gap for each lesion, or boundary of one, that could not be computed; the others are written.

    Raises:
        OSError: the folder cannot be written.
    """
    options = RadiomicsOptions()
    rows: list[dict[str, str | float]] = []
    gaps = []
    for finding in case.findings:
        about = (finding.id, finding.site, finding.kind)
        try:
            made = radiomics(case, finding, options)
        except OsteoscopeError as error:
            gaps.append(Gap(finding.id, "radiomics", str(error)))
            continue
        gaps += [Gap(finding.id, "radiomics", f"{boundary}: {why}") for boundary, why in made.failed.items()]
        rows += [
            {**dict(zip(_ABOUT, (*about, boundary), strict=True)), **features}
            for boundary, features in made.features.items()
        ]
    columns = list(dict.fromkeys([*_ABOUT, *(name for row in rows for name in row)]))
    with (folder / "radiomics.csv").open("w", encoding="utf-8", newline="") as file:
        table = csv.DictWriter(file, columns)
        table.writeheader()
        table.writerows(rows)
    settings = {"library": f"mirp {version('mirp')}", "standard": "IBSI 1"} | dict(options.settings)
    (folder / "radiomics.json").write_text(json.dumps(settings, indent=1) + "\n", encoding="utf-8")
    return tuple(gaps)
