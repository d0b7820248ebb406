"""Portrait matting in two stages: a coarse alpha and a trimap, then every unknown region redrawn."""

from matting.inference.clip import ClipSettings, matte_clip
from matting.inference.matte import Matte, Regions
from matting.inference.photo import matte_image
from matting.media.image import load_image
from matting.weights import load_model, save_weights

__all__ = ["ClipSettings", "Matte", "Regions", "load_image", "load_model", "matte_clip", "matte_image", "save_weights"]
