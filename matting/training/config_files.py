"""Options of training from YAML files: of one run, or of the phases of a recipe.

A file holds options by their long names, with _ for -; what stands under `phases` is a list of runs, each with a `name` and
options of its own that replace those above. A phase with `average` makes the weighted mean of two phases' weights instead
(`share`, of the second, and `part`, as in `matting.training.average_checkpoints`). `init_from` may name an earlier phase;
`time_share` says how much of a recipe's minutes a phase gets against the others, by default as many as it has steps.
"""

from pathlib import Path
from typing import Any, NamedTuple

import yaml

FOLDER = Path(__file__).with_name("configs")
_OF_A_MEAN = {"name", "average", "share", "part"}


class Phase(NamedTuple):
    """One step of a recipe.

    Attributes:
        name: of its folder.
        options: of the run, by their long names with _ for -; or of a mean of weights: average, share and part.
        time_share: of the minutes that a recipe has, against the other phases'.
    """

    name: str
    options: dict[str, Any]
    time_share: float = 0.0

    @property
    def is_mean(self) -> bool:
        """Whether it makes a mean of two phases' weights."""
        return "average" in self.options


def find_config(name: str) -> Path:
    """The file of a name in the package's `configs`, or of a path.

    Raises:
        ValueError: if there is none; says which names there are.
    """
    for path in (FOLDER / f"{name}.yaml", Path(name)):
        if path.is_file():
            return path
    names = ", ".join(sorted(path.stem for path in FOLDER.glob("*.yaml")))
    raise ValueError(f"expected one of {names}, or a YAML file, got {name}")


def read_config(path: Path) -> list[Phase]:
    """The phases of a file; one without a list of them is a phase of the file's name.

    Raises:
        ValueError: if the file is no YAML of options, or a phase has no name.
    """
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ValueError(f"{path} is no YAML: {error}") from error
    if not isinstance(content, dict):
        raise ValueError(f"expected options with their values in {path}, got {type(content).__name__}")
    phases = content.pop("phases", [{"name": path.stem}])
    if not isinstance(phases, list) or not all(isinstance(one, dict) and "name" in one for one in phases):
        raise ValueError(f"expected a list of phases with a name each in {path}")
    trained = [one for one in phases if "average" not in one]
    if len({"time_share" in one for one in trained}) > 1:
        raise ValueError(f"expected a time_share of all phases or of none in {path}")
    return [_phase(path, content, one) for one in phases]


def _phase(path: Path, common: dict[str, Any], own: dict[str, Any]) -> Phase:
    name = str(own["name"])
    if "average" in own:
        if unknown := set(own) - _OF_A_MEAN:
            raise ValueError(f"expected only {', '.join(sorted(_OF_A_MEAN))} of the mean {name} in {path}, got {unknown}")
        if not isinstance(own["average"], list) or len(own["average"]) != 2:
            raise ValueError(f"expected two phases to average in {name} of {path}, got {own['average']}")
        return Phase(name, {key: value for key, value in own.items() if key != "name"})
    options = {**common, **{key: value for key, value in own.items() if key not in ("name", "time_share")}}
    return Phase(name, options, float(own.get("time_share", options.get("steps", 1))))


def phase_options(path: Path, name: str | None) -> list[str]:
    """One phase of a file as arguments of the command line.

    Raises:
        ValueError: if the file is wrong, or the phase is not in it or not named among several.
    """
    phases = {phase.name: phase for phase in read_config(path)}
    if name is None and len(phases) > 1:
        raise ValueError(f"{path} has the phases {', '.join(phases)}: name one with --phase, or use matting.training.recipe")
    phase = phases.get(name) if name else next(iter(phases.values()))
    if phase is None or phase.is_mean:
        raise ValueError(f"expected a phase of {path} that trains ({', '.join(phases)}), got {name}")
    return as_arguments(phase.options)


def as_arguments(options: dict[str, Any]) -> list[str]:
    """Options by their long names, with _ for -, as arguments of the command line; false is left out."""
    arguments = []
    for key, value in options.items():
        if value is False or value is None:
            continue
        arguments.append(f"--{key.replace('_', '-')}")
        if value is not True:
            arguments += [f"{k}={v}" for k, v in value.items()] if isinstance(value, dict) else []
            arguments += [str(one) for one in value] if isinstance(value, list) else []
            arguments += [] if isinstance(value, (dict, list)) else [str(value)]
    return arguments
