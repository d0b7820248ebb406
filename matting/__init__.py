"""Portrait matting in two stages: a coarse alpha and a trimap, then every unknown region redrawn."""

from matting.clip import ClipSettings, matte_clip
from matting.image import load_image
from matting.matte import Matte, Regions
from matting.pipeline import matte_image
from matting.weights import load_model, save_weights

__all__ = ["ClipSettings", "Matte", "Regions", "load_image", "load_model", "matte_clip", "matte_image", "save_weights"]
