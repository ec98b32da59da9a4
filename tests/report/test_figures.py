"""Pictures: geometry in millimetres, sides, levels, marks where they belong."""

from __future__ import annotations

from dataclasses import replace
from io import BytesIO
from itertools import pairwise

import numpy as np
import pytest
from examples import Example, ct, empty, grid_of, planar
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.colors import to_rgb
from numpy.typing import NDArray
from PIL import Image as Picture

from osteoscope.domain.finding import Part
from osteoscope.domain.geometry import Grid
from osteoscope.domain.image import Image
from osteoscope.domain.reading import MappedSite
from osteoscope.report.child import child
from osteoscope.report.overview import Projection, overview, paint, patient_lattice
from osteoscope.report.parts import Figure
from osteoscope.report.planar_views import PlanarOptions, body_window, spread, upper_level, views
from osteoscope.report.planes import PlaneOptions, lesions
from osteoscope.report.slices import AXIAL, CORONAL, PLANES, SAGITTAL, Plane, plane_points, sample_hu, sample_mask
from osteoscope.report.style import LESION, level_colour

OBLIQUE = grid_of((7.0, 4.0, 3.0), 0.35)
SLOPE = np.asarray([1.5, -2.0, 0.75])


def pixels(figure: Figure) -> NDArray[np.uint8]:
    with Picture.open(BytesIO(figure.png)) as picture:
        return np.asarray(picture.convert("RGB"))


def coloured(picture: NDArray[np.uint8], colour: str) -> NDArray[np.bool_]:
    distance = np.abs(picture.astype(float) - 255 * np.asarray(to_rgb(colour)))
    return np.asarray(distance.max(axis=-1) < 40)


def ramp(grid: Grid) -> Image:
    """A volume that is linear in LPS, so that every right sample is known."""
    points = grid.to_position(np.moveaxis(np.indices(grid.shape), 0, -1))
    return Image(grid, (points @ SLOPE).astype(np.float64), "HU")


@pytest.mark.parametrize("grid", [grid_of(), OBLIQUE], ids=["axial", "oblique"])
@pytest.mark.parametrize("plane", PLANES, ids=[plane.name for plane in PLANES])
def test_planes_are_those_of_the_patient_in_millimetres(grid: Grid, plane: Plane) -> None:
    centre, offsets = np.asarray([5.0, -7.0, 160.0]), np.linspace(-30, 30, 13)
    shown = sample_hu(ramp(grid), plane_points(centre, plane, offsets))
    right, down = np.asarray(plane.right) @ SLOPE, np.asarray(plane.down) @ SLOPE
    expected = centre @ SLOPE + offsets[np.newaxis, :] * right + offsets[:, np.newaxis] * down
    assert np.abs(shown - expected).max() < 1e-6


def test_letters_name_the_directions() -> None:
    axes = {"L": (1, 0, 0), "R": (-1, 0, 0), "P": (0, 1, 0), "A": (0, -1, 0), "H": (0, 0, 1), "F": (0, 0, -1)}
    for plane in PLANES:
        left, right, top, bottom = (axes[letter] for letter in plane.letters)
        assert np.array_equal(right, plane.right)
        assert np.array_equal(bottom, plane.down)
        assert (np.add(left, right) == 0).all()
        assert (np.add(top, bottom) == 0).all()


def test_masks_are_sampled_where_they_lie() -> None:
    example = ct(OBLIQUE)
    part = example.case.findings[1].region.parts[0]
    centre = OBLIQUE.to_position(part.centroid())
    offsets = np.linspace(-40, 40, 161)
    for plane in PLANES:
        area = (sample_mask(part, OBLIQUE, plane_points(centre, plane, offsets)) > 0.5).sum() * 0.5**2
        assert area == pytest.approx(np.pi * 15**2, rel=0.15)


def test_lesions_are_shown_by_confidence_and_numbered_as_read() -> None:
    case = ct().case
    case = replace(case, findings=tuple(reversed(case.findings)))
    shown = lesions(case, PlaneOptions(most=2))
    assert [figure.name for figure in shown] == ["lesion-03", "lesion-02"]
    assert shown[0].caption.startswith("Finding 3: Vertebra L3, lytic, confidence 93")
    assert all(coloured(pixels(figure), LESION).sum() > 100 for figure in shown)
    assert shown[1].caption.endswith("Not shown: 1 less confident finding.")
    assert "Not shown" not in lesions(case)[-1].caption


def test_every_corner_of_a_volume_lies_on_its_lattice() -> None:
    lattice = patient_lattice(OBLIQUE, 2.0)
    corners = np.array(np.meshgrid(*[(0, n - 1) for n in OBLIQUE.shape])).reshape(3, -1).T
    index = lattice.to_index(OBLIQUE.to_position(corners))
    assert index.min() > -0.5
    assert (index < np.asarray(lattice.shape) - 0.5).all()


def test_bones_are_painted_where_they_lie() -> None:
    example = ct(OBLIQUE)
    lattice = patient_lattice(OBLIQUE, 2.0)
    blank = np.full(lattice.shape, 500, dtype=np.int16)
    part = example.case.mapped[-1].region.parts[0]  # type: ignore[union-attr]
    for plane, extent in ((CORONAL, (76, 120)), (SAGITTAL, (84, 120))):
        view = Projection(plane, blank, lattice)
        before = view.picture.copy()
        paint([view], part, OBLIQUE, "#00ff00")
        rows, columns = np.nonzero((view.picture != before).any(axis=-1))
        centre = view.pixel(OBLIQUE.to_position(part.centroid()))
        assert (columns.mean(), rows.mean()) == pytest.approx(centre, abs=1.0)
        assert np.ptp(columns) * 2 == pytest.approx(extent[0], abs=6)
        assert np.ptp(rows) * 2 == pytest.approx(extent[1], abs=8)


def test_the_patients_right_lies_at_the_left_of_the_coronal_overview() -> None:
    example = ct()
    right, left = (example.case.place(f"hip_{side}") for side in ("right", "left"))
    view = Projection(CORONAL, np.zeros((8, 8, 8), dtype=np.int16), patient_lattice(grid_of(), 2.0))

    def column(part: Part) -> float:
        return view.pixel(grid_of().to_position(part.centroid()))[0]

    assert right is not None
    assert left is not None
    assert right.region is not None
    assert left.region is not None
    assert column(right.region.parts[0]) < column(left.region.parts[0])


@pytest.mark.parametrize("example", [ct(), ct(OBLIQUE), ct(lesions=0), empty(ct())])
def test_overview_rings_every_lesion(example: Example) -> None:
    (figure,) = overview(example.case)
    rings = coloured(pixels(figure), LESION).any()
    assert rings == bool(example.case.findings)
    assert 0 < figure.width <= 1


@given(st.floats(2, 50), st.floats(100, 100000))
def test_a_hot_bladder_does_not_set_the_level(factor: float, bladder: float) -> None:
    counts = np.zeros((60, 40))
    counts[5:55, 5:35] = 10
    spot = np.zeros(counts.shape, dtype=bool)
    spot[40:46, 17:23] = True
    plain = upper_level(counts * factor, spot, PlanarOptions())
    hot = counts * factor
    hot[43, 20] = bladder * factor
    assert upper_level(hot, spot, PlanarOptions(smoothing_px=0)) <= plain * 1.5
    assert plain == pytest.approx(10 * factor, rel=0.01)


def test_an_empty_view_has_a_level() -> None:
    assert upper_level(np.zeros((4, 4)), np.zeros((4, 4), dtype=bool), PlanarOptions()) == 1.0


@pytest.mark.parametrize("view", ["anterior", "posterior"])
def test_planar_marks_lie_on_the_right_half_only_and_on_the_patients_side(view: str) -> None:
    example = planar((view,))
    (figure,) = views(example.case)
    marks = coloured(pixels(figure), LESION)
    half = marks.shape[1] // 2
    assert not marks[:, :half].any()
    thigh = np.nonzero(marks[int(marks.shape[0] * 0.6) :, half:])[1].mean() / half
    # The diffuse lesion of the right thigh: the patient's right is at the left of an anterior picture.
    assert (thigh < 0.5) == (view == "anterior")


@pytest.mark.parametrize("far", [0, 400])
def test_views_are_cropped_to_the_body_and_never_into_it(far: int) -> None:
    example = planar()
    images = {
        name: Image(
            Grid.planar((360 + far, 150 + far), (3.0, 3.0), image.grid.frame), padded(image.values, far), "counts"
        )
        for name, image in example.case.study.images.items()
    }
    case = replace(empty(example).case, study=replace(example.case.study, images=images))
    window = body_window(case, PlanarOptions(margin=0.0))
    assert window.top == pytest.approx(30, abs=20)
    assert window.bottom == pytest.approx(1030, abs=20)
    assert window.shape[0] == pytest.approx(340, abs=40)


def padded(values: NDArray[np.generic], far: int) -> NDArray[np.generic]:
    return np.pad(values, ((0, far), (far // 2, far // 2)))


@given(st.lists(st.floats(-50, 250), max_size=12), st.floats(0.1, 8))
def test_numbers_never_overlap(wanted: list[float], gap: float) -> None:
    wanted = sorted(wanted)
    places = spread(wanted, gap, (0.0, 100.0))
    assert len(places) == len(wanted)
    assert all(after - before >= gap - 1e-9 for before, after in pairwise(places))
    assert all(0 <= place <= 100 + 1e-9 for place in places)


def test_numbers_stay_where_there_is_room() -> None:
    assert spread([10.0, 50.0, 90.0], 5.0, (0.0, 100.0)) == [10.0, 50.0, 90.0]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("vertebra_C7", "vertebra_T1"),
        ("vertebra_T12", "vertebra_L1"),
        ("rib_left_3", "rib_left_4"),
        ("hip_left", "hip_right"),
    ],
)
def test_neighbouring_bones_differ_in_colour(first: str, second: str) -> None:
    case = ct(lesions=0).case
    region = case.mapped[0].region
    one, other = (replace(case, mapped=(MappedSite(site, region),)) for site in (first, second))
    assert not np.array_equal(pixels(overview(one)[0]), pixels(overview(other)[0]))


def test_square_root_lifts_faint_uptake() -> None:
    case = planar().case
    linear, root = (pixels(views(case, PlanarOptions(scale=scale))[0]) for scale in ("linear", "sqrt"))
    assert root.mean() < linear.mean()


def test_captions_say_what_is_missing() -> None:
    assert views(planar(("posterior",)).case)[0].caption.startswith("One view only: no anterior image.")


@pytest.mark.parametrize("example", [planar(), planar(("anterior",), spacing=False), empty(planar())])
def test_planar_figures_are_always_drawn(example: Example) -> None:
    for figure in (*views(example.case), *child(example.reading)):
        assert min(pixels(figure).shape[:2]) > 200
        assert figure.alt


def test_the_schematic_shows_each_level_in_its_colour() -> None:
    picture = pixels(child(planar().reading)[0])
    assert coloured(picture, level_colour(4, 6)).sum() > 1000
    right_of_patient = picture[:, : picture.shape[1] // 2]
    assert coloured(right_of_patient, level_colour(4, 6)).sum() > 1000


def test_both_halves_of_a_segment_say_its_level() -> None:
    picture = pixels(child(planar().reading)[0]).mean(axis=2)
    trunk = picture[len(picture) // 5 : len(picture) // 2]  # the legs of this child differ
    ink = [int((half < 110).sum()) for half in np.array_split(trunk, 2, axis=1)]
    assert min(ink) > 50
    assert ink[0] == pytest.approx(ink[1], rel=0.2)


@given(st.floats(0, 6), st.floats(0, 6))
def test_higher_levels_are_never_lighter(first: float, second: float) -> None:
    low, high = sorted((first, second))
    brightness = [sum(np.asarray(to_rgb(level_colour(v, 6))) * (0.2126, 0.7152, 0.0722)) for v in (low, high)]
    assert brightness[1] <= brightness[0] + 0.01


def test_the_same_case_gives_the_same_bytes() -> None:
    assert views(planar().case) == views(planar().case)
    assert lesions(ct().case) == lesions(ct().case)


def test_axial_is_seen_from_the_feet() -> None:
    assert np.cross(AXIAL.right, AXIAL.down).tolist() == [0, 0, 1]
