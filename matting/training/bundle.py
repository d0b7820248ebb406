"""Put trained weights into the package: python -m matting.training.bundle runs/x/ema.safetensors --summary summary.json.

Writes `matting/weights/bundled/PRESET.safetensors` (half precision), its entry in `manifest.json`, and the model card.
"""

import argparse
import json
from pathlib import Path
from typing import Any

import torch

from matting.media.atomic import write_text
from matting.weights import BUNDLED, MANIFEST, load_model, read_metadata, save_weights
from matting.weights.card import model_card
from matting.weights.hub import sha256_of

LICENCE = "Apache-2.0"
TRAINED_ON = Path(__file__).with_name("trained_on.txt")
COMMAND = "python -m matting.evaluation.evaluate --dataset portraits --root ../shared/data"


def bundle(weights: Path, summary: Path, default: bool, trained_on: Path = TRAINED_ON) -> Path:
    """Store weights as the bundled ones of their preset; returns the file written."""
    model = load_model(weights, device="cpu")
    preset, step = model.config.preset, read_metadata(weights).get("step", "unknown")
    BUNDLED.mkdir(exist_ok=True)
    target = BUNDLED / f"{preset}.safetensors"
    save_weights(model, target, {"step": step, "licence": LICENCE}, torch.float16)
    manifest: dict[str, Any] = json.loads(MANIFEST.read_text()) if MANIFEST.exists() else {"default": preset, "weights": {}}
    if default:
        manifest["default"] = preset
    entry = {
        "file": target.name,
        "preset": preset,
        "sha256": sha256_of(target),
        "bytes": target.stat().st_size,
        "step": int(step),
        "data": " ".join(trained_on.read_text(encoding="utf-8").split()),
        "licence": LICENCE,
        "metrics": json.loads(summary.read_text()) if summary else {},
        "command": COMMAND,
    }
    manifest["weights"][preset] = entry
    write_text(MANIFEST, json.dumps(manifest, indent=1) + "\n")
    write_text(BUNDLED / f"{preset}.md", model_card(entry))
    return target


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m matting.training.bundle", description=__doc__)
    parser.add_argument("weights", type=Path)
    parser.add_argument("--summary", type=Path, help="JSON of the metrics to state: {name: value}")
    parser.add_argument("--trained-on", type=Path, default=TRAINED_ON, help="text that names the data and its licences")
    parser.add_argument("--default", action="store_true", help="make this preset the one the app loads")
    arguments = parser.parse_args()
    print(bundle(arguments.weights, arguments.summary, arguments.default, arguments.trained_on))


if __name__ == "__main__":
    main()
