"""How the app behaves as a server: what it keeps, for how long, and what it refuses."""

from typing import Any

from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from matting.app.theme import STYLE_PATH, build_theme, heading_font

MAX_FILE_SIZE = "80mb"
SESSIONS = 64  # pages whose results are remembered at once; the one not used for longest goes first
_CLOSED = ("component_server", "deep_link", "dev/", "file/http", "file=http", "process_recording", "proxy=")


class Closed:
    """Answers 404 where Gradio would fetch an address or keep files that nobody removes; no page of ours asks for these."""

    def __init__(self, app: ASGIApp):
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        _, _, name = scope.get("path", "").partition("/gradio_api/")
        answer = PlainTextResponse("Not Found", 404) if name.startswith(_CLOSED) else self.app
        await answer(scope, receive, send)


def launch_options(mcp: bool = False) -> dict[str, Any]:
    """Arguments of `gr.Blocks.launch`: no history, no monitoring, no tracebacks in the page."""
    return {
        "theme": build_theme(),
        "css_paths": [STYLE_PATH],
        "head": f"<style>{heading_font()}</style>",
        "run_history": False,
        "enable_monitoring": False,
        "show_error": False,
        "strict_cors": True,
        "max_file_size": MAX_FILE_SIZE,
        "state_session_capacity": SESSIONS,
        "footer_links": ["api"],
        "mcp_server": mcp,
        "share": False,
        "app_kwargs": {"middleware": [Middleware(Closed)]},
    }
