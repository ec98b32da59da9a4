"""What is to be simulated: one child, its disease and its scan."""

from __future__ import annotations

from dataclasses import dataclass, field

from osteoscope.errors import InvalidValueError
from osteoscope.simulate.artefacts import Artefact
from osteoscope.simulate.camera import Camera
from osteoscope.simulate.growth import Sex, Stature, grow, usual_mass_kg
from osteoscope.simulate.lesions import Lesion
from osteoscope.simulate.posture import Pose
from osteoscope.simulate.uptake import Uptake


@dataclass(frozen=True)
class ChildRecipe:
    """A simulated child. With a seed, which draws what a recipe leaves open, it fixes a study to the last count.

    Args:
        age_years: 0 to 18.
        sex: "M" or "F".
        tallness, girth: stature, and breadth for that stature, over the median.
        pose: how it lies.
        uptake: physiological uptake.
        lesions: disease.
        camera: acquisition.
        artefacts: what else shows and is no disease, in the order in which it is put on: first what lies on the child,
            then faults of the camera, saturation last.
        motion_mm: how far the child moves sideways during the sweep at most; 0 for one that lies still.

    Raises:
        InvalidValueError: age, tallness, girth or motion out of range.
    """

    age_years: float = 4.0
    sex: Sex = "M"
    tallness: float = 1.0
    girth: float = 1.0
    pose: Pose = field(default_factory=Pose)
    uptake: Uptake = field(default_factory=Uptake)
    lesions: tuple[Lesion, ...] = ()
    camera: Camera = field(default_factory=Camera)
    artefacts: tuple[Artefact, ...] = ()
    motion_mm: float = 0.0

    def __post_init__(self) -> None:
        if not 0 <= self.age_years <= 18:
            raise InvalidValueError("build a ChildRecipe", f"age {self.age_years} years", "Give 0 to 18")
        if not 0 <= self.motion_mm <= 100:
            raise InvalidValueError("build a ChildRecipe", f"a motion of {self.motion_mm} mm", "Give 0 to 100")
        if not (0.5 <= self.tallness <= 1.5 and 0.5 <= self.girth <= 2):
            raise InvalidValueError(
                "build a ChildRecipe",
                f"tallness {self.tallness}, girth {self.girth}",
                "Give a tallness of 0.5 to 1.5 and a girth of 0.5 to 2",
            )

    @property
    def stature(self) -> Stature:
        """The child's measures."""
        return grow(self.age_years, self.sex, self.tallness, self.girth)

    @property
    def mass_kg(self) -> float:
        """Body mass: the median of that age, by height and breadth squared."""
        return usual_mass_kg(self.age_years, self.sex) * self.tallness**3 * self.girth**2
