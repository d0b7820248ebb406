"""Portrait matting in two stages: a coarse alpha and a trimap, then refinement of every unknown region of 8x8 pixels.

The public names are imported on first use, so that `import matting.network` needs torch alone.
"""

from importlib import import_module
from typing import TYPE_CHECKING

__all__ = [
    "ClipSettings",
    "Matte",
    "PhotoError",
    "Regions",
    "load_image",
    "load_model",
    "matte_clip",
    "matte_image",
    "matte_images",
    "save_weights",
]

if TYPE_CHECKING:
    from matting.inference.clip import ClipSettings, matte_clip
    from matting.inference.matte import Matte, Regions
    from matting.inference.photo import matte_image
    from matting.inference.photos import PhotoError, matte_images
    from matting.media.image import load_image
    from matting.weights import load_model, save_weights
else:  # hidden from type checkers, which would accept every misspelt name because of `__getattr__`
    _MODULES = {
        "ClipSettings": "matting.inference.clip",
        "Matte": "matting.inference.matte",
        "PhotoError": "matting.inference.photos",
        "Regions": "matting.inference.matte",
        "load_image": "matting.media.image",
        "load_model": "matting.weights",
        "matte_clip": "matting.inference.clip",
        "matte_image": "matting.inference.photo",
        "matte_images": "matting.inference.photos",
        "save_weights": "matting.weights",
    }

    def __getattr__(name: str) -> object:
        """Load one of the public names (PEP 562)."""
        if name not in _MODULES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        value = getattr(import_module(_MODULES[name]), name)
        globals()[name] = value  # later look-ups do not come here
        return value

    def __dir__() -> list[str]:
        return sorted({*globals(), *__all__})
