"""What one visitor may take from the others: every limit of the server, in one place.

Those per address are off with `MATTING_LIMITS=off`, for labs and schools where many people share one address.
"""

import os

MB = 1_000_000

# Whatever the address
UPLOAD_BYTES = 80 * MB  # of one file, and of all files of one request
STORED_BYTES = 4_000 * MB  # of all uploads on disk
JSON_BYTES = 1 * MB  # of a request that is no upload; 20,000 points of strokes need 0.9
JSON_MARKS = 100_000  # brackets and commas in it: what makes JSON slow to read
MCP_BYTES = 16 * MB  # language models send photos inside of their JSON
BATCH_PHOTOS = 50  # at once
BATCH_DIRECTORY_BYTES = 0.4 * MB  # of the list of files in a zip: some 4,000 names
BATCHES_BYTES = 2_000 * MB  # of what was made of all batches, on disk
LIVE_WAITING = 20  # for a turn with the camera
QUEUED_EVENTS = 48  # that wait
RESULTS_BYTES = 2_000 * MB  # of remembered results, in memory; the oldest go first
SESSIONS = 256  # pages that are open at once

# Per address
REQUESTS_OPEN = 64  # at once; a page holds two, and six more while it loads
REQUESTS_PER_S, REQUESTS_BURST = 20.0, 200  # the page itself counts five, its files a tenth
EVENTS_PER_S, EVENTS_BURST = 5.0, 40
EVENTS_OPEN = 8  # waiting or at work
STORED_BYTES_EACH = 500 * MB
LIVE_WAITING_EACH = 2
BATCH_BYTES_EACH = 500 * MB  # of what was made of batches, on disk
RESULTS_BYTES_EACH = 800 * MB
SESSIONS_EACH = 24
CONNECTIONS_EACH = 128

# Time
TIME_TO_LIVE_S = 30 * 60  # of a session without a new photo, and of what it has on disk
FILES_S = 35 * 60  # of any file that no open session owns
RELOAD_S = 60  # of the last result of a page that was closed: it may only have been loaded again
UNATTENDED_S = 2 * 60  # of a session whose page or program is not connected
PASSING_S = 10 * 60  # of the files made for a caller without a session
LIVE_IDLE_S = 6  # of a stream that sends nothing, and of who waits for one without asking again
LIVE_TURN_S = 3 * 60  # of a stream while others wait
UNHEARD_S = 10  # of work whose answer nobody waits for
BODY_IDLE_S = 20  # between two pieces of a request
JSON_S, UPLOAD_S = 20, 15 * 60  # for a request to arrive
IDLE_CONNECTION_S = 30  # for a connection to begin with a request


def per_address() -> bool:
    """Whether the limits per address are on."""
    return os.environ.get("MATTING_LIMITS", "on") != "off"
