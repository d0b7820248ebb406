"""From a photo or a clip to its matte: one module per step; `photo.matte_image` lists them in their order."""
