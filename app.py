"""Builds the Space and launches it."""

import argparse
import os
from pathlib import Path

try:  # on ZeroGPU this must come before torch; nowhere else is it installed
    import spaces
except ImportError:
    spaces = None

from matting.app.folder import private_temp_folder

os.environ["GRADIO_TEMP_DIR"] = private_temp_folder()
os.environ.setdefault("GRADIO_ANALYTICS_MAX_EVENTS", "1")  # of those it remembers who sent them; and counting them takes time

from matting.app.builder import build_space
from matting.app.device import always_there
from matting.app.guard.log import keep_log_plain
from matting.app.launch import launch_options
from matting.app.memory import share_arenas
from matting.app.service import Service, find_examples, name_weights
from matting.app.sessions import Sessions
from matting.weights import load_model

EXAMPLES = Path(__file__).parent / "examples"
WEIGHTS = os.environ.get("MATTING_WEIGHTS", "bundled")
MCP = os.environ.get("MATTING_MCP") == "1"


def main() -> None:
    share_arenas()
    keep_log_plain()
    service = Service(
        model=load_model(WEIGHTS),
        weights=name_weights(WEIGHTS),
        sessions=Sessions(Path(os.environ["GRADIO_TEMP_DIR"])),
        examples=find_examples(EXAMPLES),
        example_clip=EXAMPLES / "clip.mp4",
        lend=spaces.GPU if spaces else always_there,
    )
    build_space(service).launch(**launch_options(mcp=MCP))


if __name__ == "__main__":
    settings = "GRADIO_SERVER_PORT, GRADIO_SERVER_NAME, MATTING_WEIGHTS (a file or hub:OWNER/REPO) and MATTING_MCP=1"
    argparse.ArgumentParser(
        description="Starts the app.", epilog=f"Settings are environment variables: {settings}."
    ).parse_args()
    main()
