"""A photo or a clip in, a matte out: one module a step, in the order that `photo.matte_image` lists."""
