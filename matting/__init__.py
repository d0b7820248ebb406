"""Portrait matting in two stages: a coarse alpha and a trimap, then every unknown region redrawn.

The names below are loaded when they are first used, so that `import matting.network` needs torch alone.
"""

from importlib import import_module
from typing import TYPE_CHECKING

__all__ = ["ClipSettings", "Matte", "Regions", "load_image", "load_model", "matte_clip", "matte_image", "save_weights"]

if TYPE_CHECKING:
    from matting.inference.clip import ClipSettings, matte_clip
    from matting.inference.matte import Matte, Regions
    from matting.inference.photo import matte_image
    from matting.media.image import load_image
    from matting.weights import load_model, save_weights
else:  # hidden from type checkers, which would take every misspelt name for one that is loaded here
    _HOMES = {
        "ClipSettings": "matting.inference.clip",
        "Matte": "matting.inference.matte",
        "Regions": "matting.inference.matte",
        "load_image": "matting.media.image",
        "load_model": "matting.weights",
        "matte_clip": "matting.inference.clip",
        "matte_image": "matting.inference.photo",
        "save_weights": "matting.weights",
    }

    def __getattr__(name: str) -> object:
        """Load one of the public names (PEP 562)."""
        if name not in _HOMES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        value = getattr(import_module(_HOMES[name]), name)
        globals()[name] = value  # found without this function from now on
        return value

    def __dir__() -> list[str]:
        return sorted({*globals(), *__all__})
