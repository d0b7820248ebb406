"""The Hugging Face model card of published weights."""

from collections.abc import Mapping
from typing import Any

from huggingface_hub import EvalResult, ModelCardData

TAGS = ["image-matting", "portrait-matting", "background-removal"]
TASK = "image-segmentation"

_CARD = """---
{front}
---
# Portrait matting, preset `{preset}`

The two-stage network of "Lightweight Portrait Matting via Regional Attention and Refinement" (Zhong & Zharkov, WACV 2024),
reimplemented. {origin}

{facts}

Load it with this project: `matting.load_model("hub:{repo}")`, or `python app.py` with `MATTING_WEIGHTS=hub:{repo}`.
"""
_OURS = "Trained by this project; these are not the authors' weights."
_HAIR = "Hair labels are keyed from an even backdrop, came with their pictures, or were taught by ISNet or by earlier weights."
_LIMITS = (
    "**Limits** Small training set: unusual poses, large held objects, crowds, and people that blend with their background "
    "are where it fails first. Faces of all kinds are in the data, but nobody measured fairness."
)


def model_card(entry: Mapping[str, Any], repo: str = "OWNER/REPO") -> str:
    """Markdown with YAML front matter for the Hub.

    Args:
        entry: facts about the weights, as in the manifest of the bundled ones: "preset", "licence", and if known "step",
            "bytes", "data", "metrics" ({"SET MEASURE": number}) and the "command" that printed the metrics.
        repo: OWNER/REPO where they are published.
    """
    metrics = entry.get("metrics", {})
    data = ModelCardData(
        license=entry["licence"].lower(),
        pipeline_tag=TASK,
        tags=TAGS,
        metrics=sorted({_measure(name) for name in metrics}) or None,
        model_name=f"Portrait matting, {entry['preset']}" if metrics else None,
        eval_results=[_result(name, value) for name, value in metrics.items()] or None,
    )
    facts = "\n".join(f"- {fact}" for fact in _facts(entry))
    origin = _OURS if entry.get("data") else ""
    return _CARD.format(front=data.to_yaml().strip(), preset=entry["preset"], origin=origin, facts=facts, repo=repo)


def _facts(entry: Mapping[str, Any]) -> list[str]:
    facts = []
    if entry.get("data"):
        facts.append(f"**Trained on** {entry['data']}. {_HAIR}")
    if entry.get("step") is not None:
        facts.append(f"**Steps** {int(entry['step']):,}, those of all runs it went through")
    if entry.get("bytes"):
        facts.append(f"**Size** {entry['bytes']:,} bytes")
    if entry.get("metrics"):
        rows = "".join(f"\n  - {name}: {value}" for name, value in entry["metrics"].items())
        note = "the alpha as the app gives it; not comparable with networks trained on P3M-10k"
        facts.append(f"**Figures** (`{entry['command']}`, {note}):\n{rows}\n")
    return [*facts, *([_LIMITS] if entry.get("data") else []), f"**Licence** of the weights: {entry['licence']}."]


def _measure(name: str) -> str:
    """ "keyed SAD-T refined" -> "sad-t"."""
    return name.split()[1].lower()


def _result(name: str, value: float) -> EvalResult:
    dataset, measure = name.split(maxsplit=1)
    return EvalResult(
        task_type=TASK,
        dataset_type=dataset,
        dataset_name=f"{dataset}, our own validation photos",
        metric_type=_measure(name),
        metric_name=measure,
        metric_value=value,
    )
