"""What `make bench` found, to be kept in a file and read again."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks.measurements import Measurements
from benchmarks.where import Profile


@dataclass(frozen=True)
class Profiled:
    """A work that falls short: for each side the seconds of a call and where they go; or why this is not known."""

    key: str
    work: str
    sides: dict[str, tuple[float, Profile]]
    note: str


@dataclass(frozen=True)
class Results:
    """The figures, and what they depend on."""

    found: Measurements
    profiles: list[Profiled]
    versions: dict[str, str | None]  # of the peers; None is not installed
    machine: str
    load: float | None  # how busy the machine was when it began
    took: float  # seconds

    def save(self, file: Path) -> None:
        """Write all of it as JSON."""
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(asdict(self)))

    @classmethod
    def read(cls, file: Path) -> Results:
        """What `save` wrote."""
        kept = json.loads(file.read_text())
        kept["found"] = Measurements(**kept["found"])
        kept["profiles"] = [
            Profiled(
                each["key"],
                each["work"],
                {side: (seconds, Profile(**shares)) for side, (seconds, shares) in each["sides"].items()},
                each["note"],
            )
            for each in kept["profiles"]
        ]
        return cls(**kept)
