"""The tree of errors: each text says what was asked, what was found, and what to do.

OsteoscopeError
├── InvalidValueError (ValueError)   a noun of the domain cannot be built from these values
├── IntakeError                      a file or series cannot become a Study
│   └── LimitError                   a size, count, time or memory cap was reached
├── UnsuitableStudyError             a Study exists, but this step cannot read it
├── ModelError                       a trained model is absent, broken, or not the one that its card describes
├── NotConvergedError                a numerical solution did not reach its tolerance
├── OutputError                      a result cannot be written
└── DependencyError (ImportError)    an optional package or program is absent
"""


class OsteoscopeError(Exception):
    """Base of all errors raised on purpose.

    Args:
        asked: what was to be done, naming the file or noun.
        found: what was met instead, with value and unit.
        remedy: what the user can do about it.
    """

    def __init__(self, asked: str, found: str, remedy: str) -> None:
        super().__init__(asked, found, remedy)
        self.asked = asked
        self.found = found
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.asked}: {self.found}. {self.remedy}."


class InvalidValueError(OsteoscopeError, ValueError):
    """A noun of the domain cannot be built from these values."""


class IntakeError(OsteoscopeError):
    """A file or series cannot become a Study."""


class LimitError(IntakeError):
    """A cap on size, count, time or memory was reached before decoding."""


class UnsuitableStudyError(OsteoscopeError):
    """The Study is sound, but this step cannot read it."""


class ModelError(OsteoscopeError):
    """A trained model is absent, broken, or not the one that its card describes."""


class NotConvergedError(OsteoscopeError):
    """A numerical solution did not reach its tolerance: where, and by how much."""


class OutputError(OsteoscopeError):
    """A result cannot be written."""


class DependencyError(OsteoscopeError, ImportError):
    """An optional package or external program is absent."""
