from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from osteoscope.cli.app import app
from osteoscope.deliver import study_report
from osteoscope.deliver.study_parts import StudyOptions
from osteoscope.deliver.study_report import StudyReport
from osteoscope.report.parts import Document
from osteoscope.stats.detection_figures import DetectionOptions
from osteoscope.stats.resampling import Resampling


def test_the_operating_point_is_given_beforehand(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[StudyOptions] = []

    def write(_: Path, __: Path, options: StudyOptions, ___: object) -> StudyReport:
        asked.append(options)
        return StudyReport(Document("t", "d", (), "a", (), (), ()), ())

    monkeypatch.setattr(study_report, "write_study_report", write)
    words = ["report", str(tmp_path), "--confidence", "0.4", "--smallest", "8", "--rate", "1", "--draws", "200"]
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 0, done.output
    assert asked[0].detection == DetectionOptions(1.0, 0.4, 8.0, Resampling(200, 0))
