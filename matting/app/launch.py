"""How the app behaves as a server."""

import os
from typing import Any

from matting.app import limits
from matting.app.guard.internals import check_gradio
from matting.app.guard.lifespan import guarded
from matting.app.theme import STYLE_PATH, build_theme, heading_font

_PRIVATE_NETWORKS = "127.0.0.1,::1,10.0.0.0/8,172.16.0.0/12,192.168.0.0/16,100.64.0.0/10"


def launch_options(mcp: bool = False) -> dict[str, Any]:
    """Arguments of `gr.Blocks.launch`: no history, no monitoring, no tracebacks in the page, our guard in front.

    Raises:
        RuntimeError: if this is another Gradio than the one that the guard was made for.
    """
    check_gradio(mcp)
    if mcp:
        from matting.app.mcp import answer_as_listed

        answer_as_listed()
    if "SPACE_ID" in os.environ:  # a visitor's address is what the proxies of the Space say
        os.environ.setdefault("FORWARDED_ALLOW_IPS", _PRIVATE_NETWORKS)
    return {
        "theme": build_theme(),
        "css_paths": [STYLE_PATH],
        "head": f"<style>{heading_font()}</style>",
        "run_history": False,
        "enable_monitoring": False,
        "show_error": False,
        "strict_cors": True,
        "max_file_size": limits.UPLOAD_BYTES,
        "state_session_capacity": limits.SESSIONS,
        "footer_links": ["api"],
        "mcp_server": mcp,
        "share": False,
        "app_kwargs": {"lifespan": guarded},
    }
