"""Puts the tabs together."""

import gradio as gr

from matting.app import text
from matting.app.device import always_there
from matting.app.endpoints import Endpoints
from matting.app.limits import QUEUED_EVENTS, TIME_TO_LIVE_S
from matting.app.live import LiveDesk
from matting.app.scripts import PAGE
from matting.app.service import Service
from matting.app.sessions import session_state
from matting.app.space import Space
from matting.app.tabs.about import build_about_tab
from matting.app.tabs.batch import BatchTab
from matting.app.tabs.clip import ClipTab
from matting.app.tabs.clip_endpoint import ClipEndpoint
from matting.app.tabs.compare import CompareTab
from matting.app.tabs.live import build_live_tab
from matting.app.tabs.photo import PhotoTab
from matting.app.tabs.regions import RegionsTab
from matting.app.tabs.tables import build_tables_tab
from matting.app.uploads import refuse_addresses, separate_uploads

_CLEANING_INTERVAL_S = 300
_MARK_CELLS = (" uu", "uff", "uff")  # a corner of a trimap: background, unknown, foreground


def build_space(service: Service) -> gr.Blocks:
    """The whole app; nothing is launched."""
    refuse_addresses()
    separate_uploads()
    live = LiveDesk(service.model) if service.lend is always_there else None
    with Space(
        service.sessions,
        live,
        title=text.PAGE_TITLE,
        analytics_enabled=False,
        delete_cache=(_CLEANING_INTERVAL_S, TIME_TO_LIVE_S),
        fill_width=False,
    ) as demo:
        session = session_state()
        gr.HTML(masthead(), js_on_load=PAGE, elem_id="masthead")
        with gr.Tabs(overflow_behavior="wrap"):  # all of them are seen on a phone, in two rows
            with gr.Tab(text.TAB_PHOTO, id="photo"):
                PhotoTab(demo, service, session)
            with gr.Tab(text.TAB_BATCH, id="batch"):
                BatchTab(service, session)
            with gr.Tab(text.TAB_CLIP, id="clip"):
                ClipTab(service, session)
                ClipEndpoint(service, session)
            with gr.Tab(text.TAB_LIVE, id="live"):
                build_live_tab(live is not None)
            with gr.Tab(text.TAB_REGIONS, id="inside") as inside:
                RegionsTab(inside, service, session)
            with gr.Tab(text.TAB_COMPARE, id="compare") as compare:
                CompareTab(compare, service, session)
            with gr.Tab(text.TAB_TABLES, id="tables"):
                build_tables_tab()
            with gr.Tab(text.TAB_ABOUT, id="about"):
                build_about_tab()
        Endpoints(service, session)
        demo.unload(service.sessions.leave)
    return demo.queue(max_size=QUEUED_EVENTS, api_open=False)  # nothing runs beside the queue


def masthead() -> str:
    """Name and invitation, beside a mark made of nine regions."""
    names = {" ": "background", "u": "unknown", "f": "person"}
    cells = "".join(
        f'<rect class="{names[kind]}" x="{18 * column}" y="{18 * row}" width="16" height="16" rx="3"/>'
        for row, kinds in enumerate(_MARK_CELLS)
        for column, kind in enumerate(kinds)
    )
    mark = f'<svg class="mark" viewBox="0 0 52 52" aria-hidden="true">{cells}</svg>'
    names_of_tabs = f'data-photo="{text.TAB_PHOTO}" data-clip="{text.TAB_CLIP}" data-batch="{text.TAB_BATCH}"'
    anywhere = f'<p id="anywhere" {names_of_tabs} hidden>{text.DROP_HERE}</p>'
    return f"<header>{mark}<div><h1>{text.TITLE}</h1><p>{text.TAGLINE}</p></div></header>{anywhere}"
