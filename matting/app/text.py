"""Every sentence the app shows."""

TITLE = "Cut out a portrait, hair and all"
TAGLINE = (
    "Drop a photo and get the person without the background, at full resolution. Free, no account, and your photo is "
    "forgotten when you leave."
)
PAGE_TITLE = "Portrait matting, refined where it matters"

# Tabs
TAB_PHOTO = "Photo"
TAB_BATCH = "Batch"
TAB_LIVE = "Live"
TAB_REGIONS = "Regions"
TAB_COMPARE = "Compare"
TAB_CLIP = "Clip"
TAB_TABLES = "Tables"
TAB_ABOUT = "About"

# Photo
DROP_LABEL = "Your photo"
DROP_PLACEHOLDER = "Choose a photo\nor drop one anywhere"
DROP_HERE = "Let go anywhere: the photo is cut out at once"
EXAMPLE_BUTTON = "Cut out the example: {name}"
EXAMPLES_LABEL = "or try one of these"
PASTE_HINT = "Ctrl+V pastes one; "
# file name without ending: what it shows, and whether its alpha was drawn by another network
EXAMPLES = {
    "windswept": ("windswept hair", True),
    "curls": ("curls", True),
    "headwrap": ("a headwrap", True),
    "brick": ("a man before bricks", True),
    "silver": ("silver hair, with its true alpha", False),
}
VIEWER_LABEL = "The result: the photo as it came and the cut-out, one over the other"
VIEWER_FRAME = "The picture. Plus and minus zoom, 0 fits it in, 1 shows the photo's own pixels, arrow keys move it when zoomed"
VIEWER_GRIP = "Border between the two pictures, in percent from the left"
VIEWER_EMPTY = "The cut-out appears here."
VIEWER_BEFORE = "photo"
VIEWER_AFTER = "cut-out"
VIEWER_ALPHA = "alpha"
VIEWER_BEFORE_ALT = "The photo as it came"
VIEWER_AFTER_ALT = "The person without the old background"
VIEWER_FULL = "Full screen"
VIEWS_LABEL = "Look at it on"
# view: title; the first one is what is downloaded
VIEWS = {
    "result": "Result",
    "white": "On white",
    "black": "On black",
    "magenta": "On magenta",
    "matte": "Alpha",
    "paint": "Touch up",
    "move": "Move",
}
ZOOMS_LABEL = "Zoom"
ZOOMS = {
    "out": ("−", "Zoom out"),
    "in": ("+", "Zoom in"),
    "own": ("1:1", "One to one, the photo's own pixels"),
    "fit": ("Fit", "Fit the whole picture in"),
}
BACKGROUND_LABEL = "Put the person on"
BACKGROUND_PICTURE = "The picture to put behind"
BACKGROUND_COLOUR = "A colour of your own"
# colour: what it is called
BACKGROUND_COLOURS = {
    "#ffffff": "White",
    "#e6e6e6": "Light grey",
    "#000000": "Black",
    "#00b140": "Green screen",
    "#0047bb": "Blue screen",
    "#3f5f5a": "Pine",
    "#f0a13a": "Amber",
    "#c8553d": "Terracotta",
}
BACKGROUND_TRANSPARENT = "Transparent"
BACKGROUND_BLUR = "Blur"
BACKGROUND_OWN = "My picture"
FRAME = "Frame it"
FRAME_SHAPE = "Cut to"
# shape: what it is called, and its size
FRAME_SHAPES = {
    "photo": ("As it came", ""),
    "person": ("The person", ""),
    "square": ("Square", "1:1"),
    "4x5": ("Portrait", "4:5"),
    "3x4": ("Portrait", "3:4"),
    "16x9": ("Wide", "16:9"),
    "35x45mm": ("Passport", "35 × 45 mm, 413 × 531 px"),
    "2x2in": ("US passport", "2 × 2 in, 600 × 600 px"),
    "50x70mm": ("Canada passport", "50 × 70 mm, 591 × 827 px"),
    "profile": ("Profile", "400 × 400 px"),
}
FRAME_MOVE = "Drag the picture to move the person, pinch or Ctrl+wheel to make them larger. Arrow keys move, too."
FRAME_HEAD = "For a passport, bring the top of the head and the chin to the two lines. The rules for yours may ask for more."
FRAME_SIZE = "Size of the person"
FRAME_BACK = "Back to the middle"
FRAME_SHADOW = "Shadow"
FRAME_BLUR = "Blur of the background"
FRAME_SHIFT = "Move the edge"
FRAME_FEATHER = "Soften the edge"
FRAME_PIXELS = "px"
FRAME_EDGE_NOTE = (
    "The edge is what the network found until you change it here. After that, neither the picture nor the alpha files are the "
    "network's own; the panels and their zip still are."
)
SETTINGS = "Settings"
SIZE_LABEL = "Working size (long side, pixels)"
SIZE_INFO = "Larger finds finer hair and takes longer. Auto suits most photos, and looks closer where people are small."
BIAS_LABEL = "Region sensitivity"
BIAS_INFO = "0 is the network as published. To the right, more regions are redrawn; to the left, fewer."
REFINE_LABEL = "Refinement"
REFINE_INFO = "Off shows what the coarse alpha alone would give you."
CROSS_LABEL = "Cross-region attention (CRA)"
CROSS_INFO = "Off makes every region work from its own 64 pixels."
IGNORE_ALPHA_LABEL = "Ignore the picture's own transparency"
IGNORE_ALPHA_INFO = "On puts a picture that is transparent already on white first; off keeps its holes."
TRUTH = "Do you have the true alpha?"
TRUTH_DROPPED = "The true alpha has another size than this photo and was put aside."
TRUTH_LABEL = "True alpha"
TRUTH_PLACEHOLDER = "A grey picture of the same size,\nin which white is the person"
STOP = "Stop"
STOPPED = "Stopped. Drop a photo to start again."
WORKING = "Looking for the person …"
WAITING = "Choose or drop a photo, and the cut-out appears on its own."
RETURNED = "This is your last result. The settings are at their beginning again."
KEPT = "Nothing came of that. This is still the photo before."
KEPT_BECAUSE = "{reason} This is still the photo before."
EXAMPLE_NOTE = "This is an example. Your own photo takes its place."
DONE_NOTE = "Done in {seconds:.1f} seconds."
NOBODY = (
    "Nobody found. The network looks for people and saw almost none here. Try a photo in which a person is larger, "
    "nearer or better lit."
)
NOBODY_TINY = (
    "Nobody found. This picture has {width} × {height} pixels, too few to tell a person by; send it as large as you have it."
)
OFF_PAPER = "Region sensitivity is {bias:+.1f}, so this is not the network as published."

FACT_SIZE = "photo, pixels"
FACT_WORKING = "working size"
FACT_CLOSE_UP = "of the photo, seen close up"
FACT_BRIGHTENED = "brighter for the network"
FACT_REGIONS = "regions redrawn"
FACT_SHARE = "of the picture"
FACT_TIME = "seconds"
FACT_DEVICE = "computed on"
FACT_WEIGHTS = "weights"
STAGES = {
    "resize": "resize",
    "coarse": "first stage",
    "regions": "find regions",
    "refine": "redraw them",
    "guided_filter": "fit to edges",
    "closed_form": "single hairs",
    "upsample": "full size",
    "collect": "collect",
    "around": "read and draw",
}

SAVE = "Save"
SAVE_PNG = "Download PNG"
SAVE_COPY = "Copy"
SAVE_COPIED = "Copied"
SAVE_NOT_COPIED = "This browser does not let pages copy pictures. Download it instead."
SAVE_MAKING = "Making …"
SAVE_MORE = "More"
SAVE_ON = {
    "transparent": "transparent",
    "colour": "on the colour",
    "blur": "on the blur",
    "picture": "on your picture",
}
SAVE_JPG = "JPG, on the chosen background"
SAVE_JPG_NOTE = "white where that is transparent"
SAVE_WEBP = "WebP, on the chosen background"
SAVE_CUTOUT = "PNG, transparent"
SAVE_ALPHA8 = "Alpha, 8 bit"
SAVE_ALPHA16 = "Alpha, 16 bit"
SAVE_ZIP = "All six panels, zip"
SAVE_NOTE = "At the photo's own size. A file is made when you ask for it and removed when you leave."
SAVE_PANEL = "PNG"
SAVE_METRICS = "All metrics, CSV"
SAVE_METRICS_OF = "all metrics as a table, CSV"

PARTS_TITLE = "{count} separate parts"
PARTS_NOTE = "Click a part to leave it out, click again to bring it back. The cut-out above follows."
PARTS_ALT = "All parts on the background"
PART = "Keep part {number} of {count}, the largest first"

TOUCH_UP_NOTE = (
    "Paint roughly over what is wrong: places that look alike follow, and the edge is redrawn. What is left out is shown in "
    "blue. Two fingers zoom, and so does Ctrl with the wheel."
)
TOUCH_UP_REMOVE = "Remove"
TOUCH_UP_KEEP = "Keep"
TOUCH_UP_BRUSH = "Brush"
TOUCH_UP_BRUSH_KEYS = "[ smaller, ] larger"
# act: what it is called, and its key
TOUCH_UP_ACTS = {
    "undo": ("Undo", "Ctrl+Z"),
    "redo": ("Redo", "Shift+Ctrl+Z"),
    "clear": ("Clear", "Remove all strokes"),
}
TOUCH_UP_WORKING = "redrawing …"

MAGNIFIER_TITLE = "Closer"
MAGNIFIER_NOTE = (
    "Soft places, such as hair, that refinement changed most. Drag across: left is the coarse alpha, right is the refined one."
)
MAGNIFIER_COARSE = "coarse"
MAGNIFIER_REFINED = "refined"
MAGNIFIER_SPOT = "Enlarge place {number}"
MAGNIFIER_ALT = "Enlarged part of the cut-out before and after refinement"

PANELS_TITLE = "How it got there"
# name in files, title, caption; in the order of the data
PANELS = (
    ("input", "1 · Input", "The photo as it came, upright and in sRGB."),
    ("coarse", "2 · Coarse alpha", "The first stage's guess at one eighth of the size: white is person."),
    ("trimap", "3 · Trimap", "How sure it is: background, unknown, person."),
    ("regions", "4 · Regions", "The unknown regions, 8 × 8 pixels each. Only these are redrawn."),
    ("alpha", "5 · Refined alpha", "The regions written back and fitted to the photo's colours: the result."),
    ("change", "6 · What refinement changed", "Red became more person, blue became less."),
)
# what is said instead where nothing was redrawn: refinement is off, or found nothing unknown
PANELS_NOT_REFINED = {
    "regions": "No region was redrawn.",
    "alpha": "Nothing was redrawn, so this is the coarse alpha, enlarged.",
    "change": "Nothing was changed.",
}
PANEL_LARGE = "Open it large"
PANEL_CLOSE = "Close"
CLOSE_UP_NOTE = "The frame: people are small here, so the network looked again at this part of the photo."
TRIMAP_LEGEND = ("background", "unknown", "person")

TRUTH_TITLE = "Against the true alpha"
TRUTH_DRAWN_TITLE = "Against a reference alpha"
TRUTH_DRAWN_NOTE = (
    "The reference of this example was drawn by another network and chosen by eye; single hairs are missing in it, so "
    "finding them counts as an error here."
)
TRUTH_HEADLINE = "SAD <b>{refined:.2f}</b>, coarse alpha alone {coarse:.2f}"
TRUTH_NOTE = "Lower is better; P3M convention. The lowest number of each column is bold."
TRUTH_ROWS = ("Coarse alpha", "Refined alpha")
TRUTH_COARSE_ERROR = "Error of the coarse alpha"
TRUTH_REFINED_ERROR = "Error of the refined alpha"
TRUTH_ERROR = "Error"
TRUTH_TABLE = "Errors, a row a method"
TRUTH_WORST = "Largest error, enlarged"
TRUTH_SCALE = "Both on one scale: dark is no error, bright is {limit:.2f} or more. The frame marks the largest error."

# Regions
REGIONS_LEAD = (
    "Click anywhere on the picture: the nearest redrawn region lights up together with the eight regions it looks at; "
    "the thicker the line, the more attention that neighbour gets. Below are the 64 pixels of that region, "
    "before and after."
)
REGIONS_EMPTY = "Cut out a photo first; then every region it redrew can be opened here."
REGIONS_EXPIRED = "This result was removed from the server. Drop the photo again on the first tab."
REGIONS_WORKING = "The first tab is at work on a new photo; its regions appear here when it is done."
REGIONS_OFF = "Refinement is off in the settings of the first tab, so nothing was redrawn. Turn it on to look inside."
REGIONS_NONE = "Refinement redrew nothing in this photo, so there is nothing to open. Try one with hair against a background."
REGIONS_PICTURE_ALT = "The photo. Click to choose a region; arrow keys move to the next region in that direction."
REGIONS_KEYS = "Arrow keys walk from region to region once the picture is clicked."
REGIONS_PREVIOUS = "Changed more"
REGIONS_NEXT = "Changed less"
REGIONS_MOST = "Most changed"
REGIONS_FACTS = "Region at row {row}, column {column} · number {rank:,} of {count:,} by change · mean change {change:.3f}"
NEIGHBOURHOOD_ALT = "The photo around the region, enlarged, with its neighbours numbered"
NEIGHBOURHOOD_CAPTION = "The region and its eight nearest, enlarged."
PATCHES = (
    ("Photo", "as the network sees it"),
    ("Coarse alpha", "enlarged from one eighth"),
    ("Refined", "what is pasted in"),
    ("Without neighbours", "refined with CRA off"),
    ("Difference", "refined less coarse: red more, blue less"),
)
ATTENTION_OWN = "own"
ATTENTION_HEAD = "head"
ATTENTION_ALT = "Attention of each head over the region itself and its eight neighbours"
ATTENTION_CAPTION = (
    "Where it looks: a column is a region, itself or one of its eight neighbours; a row is a head, one of {heads} that look at "
    "once. The faintest is {low:.0%} of a head's attention, the strongest {high:.0%}."
)
HISTOGRAM_BAR = "{count:,} regions changed by {low:.2f} to {high:.2f}"
HISTOGRAM_ALT = "How many regions changed by how much"
HISTOGRAM_CAPTION = (
    "All regions by the mean change of their alpha, from left to right. Click a bar to see where they are (heights are square "
    "roots of numbers)."
)

# Clip
CLIP_LEAD = (
    "A clip in, a clip with transparency out. Every frame goes through the same two stages as a photo; only the unknown "
    "regions are redrawn."
)
CLIP_DROP = "Your clip: choose, drop or record one"
CLIP_SETTINGS = "Settings"
CLIP_SIZE = "Working size (long side, pixels)"
CLIP_SIZE_INFO = "Larger finds finer hair; time grows with its square."
CLIP_STEADY = "Flicker filter"
CLIP_STEADY_INFO = "Steadies the first stage over neighbouring frames. Off, every frame stands alone."
CLIP_BACKGROUND = "Behind the person in the preview and the composite"
CLIP_IGNORE_ALPHA = "Ignore the clip's own transparency"
CLIP_IGNORE_ALPHA_INFO = "On puts a clip that is transparent already on white first; off keeps its holes."
CLIP_SAVE = "Files to make"
CLIP_SAVE_INFO = "Sound and timing are kept; a zip has a table of times instead. Files are removed when you leave."
CLIP_RUN = "Cut out this clip"
CLIP_EXAMPLE = "Try our example"
CLIP_STOP = "Stop"
CLIP_WAITING = "Choose a clip and the files you want. The limit here is {seconds} seconds and full HD."
CLIP_READY = "{frames} frames, {seconds:.1f} seconds, {width} × {height} pixels. Choose the files you want and start."
CLIP_PEOPLE_TITLE = "Keep one person?"
CLIP_PEOPLE_NOTE = "Click somebody in the first frame and only they are kept, all through the clip."
CLIP_PEOPLE_CHOSEN = (
    "Person {number} is followed by where they are from frame to frame. After a cut to another scene everybody is kept again. "
    "Click them once more to keep everybody."
)
CLIP_PEOPLE_ALT = "The first frame of the clip"
CLIP_PERSON = "Keep only person {number} of {count}, from the left"
CLIP_NOBODY_THERE = "Nobody was found in the first frame at the place of the person to keep. Choose somebody there."
CLIP_LIVE_ALT = "Frame {frame}, cut out"
CLIP_STARTING = "Reading the clip …"
CLIP_PROGRESS = "Frame {done} of {total}"
CLIP_LEFT = " · about {left} left"
CLIP_FINISHING = "Finishing the files …"
CLIP_STOPPED = "Stopped. Nothing was kept."
CLIP_EXPIRED = "This result has been removed from the server. Please cut the clip out again."
CLIP_DONE = "{frames} frames in {seconds:.0f} seconds."
CLIP_PREVIEW = "Preview"
CLIP_LOOK = "Look at"
# export format: what it shows
CLIP_LOOKS = {"checkerboard": "The cut-out", "preview": "All steps: input, coarse alpha, refined alpha, composite"}
CLIP_FILES = "Your files"
CLIP_CHART_TITLE = "Over time"
CLIP_CHART_ALT = "Share of unknown pixels and change of alpha for every frame of the clip"
CLIP_CHART_UNKNOWN = "pixels redrawn"
CLIP_CHART_CHANGE = "change of alpha from the frame before"
CLIP_CHART_SECONDS = "seconds"
CLIP_CHART_MARK = "Frame {frame} at {seconds:.2f} s flickers: open it"
CLIP_CHART_NOTE = (
    "Amber marks are frames whose alpha jumps and comes back in the next one. Click a mark to see the frame between its "
    "neighbours."
)
CLIP_CHART_CALM = "No frame stands out: alpha moves steadily throughout."
CLIP_CHART_CUTS = "Dashed lines are scene cuts."
CLIP_STRIP_TITLE = "Frame {frame} at {seconds:.2f} s"
CLIP_STRIP = ("the frame before", "this frame", "the frame after")
CLIP_STRIP_PICTURES = "Input above refined alpha, {place}"
CLIP_FACTS = {
    "frames": "frames",
    "size": "clip, pixels",
    "working": "working size",
    "share": "of the pixels redrawn",
    "per_frame": "seconds per frame",
    "flickery": "frames that flicker",
    "one_flickers": "frame that flickers",
    "weights": "weights",
}
CLIP_STAGES = {"decode": "reading", "network": "network", "encode": "colours and writing"}
CLIP_BUSY = "Busy, as a share of the time (they overlap): {shares}"

# Batch
BATCH_LEAD = (
    "Many photos at once: drop up to {photos}, or a zip of them, and take the cut-outs along as one zip. Nothing is kept: what "
    "you sent and what was made of it goes when you leave or begin another batch."
)
BATCH_DROP = "Choose photos or a zip"
BATCH_CHOOSE = "or drop them anywhere"
BATCH_DROP_LABEL = "Photos or a zip of photos to cut out"
BATCH_SENDING = "Sending {name}, {done} of {total} …"
BATCH_CHOSEN = "{count} files, {megabytes} MB"
BATCH_REMOVE = "Remove all"
BATCH_NOT_SENT = "{name} was not sent: {reason}"
BATCH_FILE_LARGE = "it is larger than {limit} MB"
BATCH_CONNECTION = "the connection broke off"
BATCH_SIZE = "Working size (long side, pixels)"
BATCH_BACKGROUND = "Put everybody on"
BATCH_ALPHA = "The alpha of each photo as well"
BATCH_ALPHA_INFO = "A grey PNG beside each cut-out."
BATCH_RUN = "Cut them out"
BATCH_STOP = "Stop"
BATCH_WAITING = "Choose photos, what to put the people on, and begin. At most {photos} photos at once, {megabytes} MB each."
BATCH_PROGRESS = "Photo {number} of {total}: {name}"
BATCH_DONE = "{done} of {total} cut out in {seconds:.0f} seconds. “Cut them out” does them again, as chosen then."
BATCH_STOPPED = (
    "Stopped after {done} of {total}; what is done can be downloaded. “Cut them out” goes on with the {left} left, "
    "unless you choose others."
)
BATCH_DOWNLOAD = "Download zip"
BATCH_PHOTOS = "{count} photos"
BATCH_ONE_PHOTO = "1 photo"
BATCH_ARCHIVE = "{photos} · {megabytes:.1f} MB"
BATCH_EXPIRED = "This batch has been removed from the server. Please send the photos again."
BATCH_GALLERY = "The photos of this batch"
BATCH_BEFORE_ALT = "{name} as it came"
BATCH_AFTER_ALT = "{name}, the person without the old background"
BATCH_GRIP = "Border between photo and cut-out of {name}"
BATCH_OPEN = "Open in Photo"
BATCH_STATES = {"waiting": "waits", "working": "is worked on …", "done": "done", "failed": "left out"}
BATCH_NOT_DONE = "not done"
BATCH_NOBODY = "nobody found"
BATCH_LEFT_OUT = "Left out"
BATCH_MORE_LEFT_OUT = "and {count} more"
BATCH_TOO_MANY = "more photos than a batch may have; send it in another batch"
BATCH_BROKEN_ZIP = "this zip is broken or of a kind that is not read"
BATCH_BROKEN_ENTRY = "it is broken inside the zip"
BATCH_MANY_ENTRIES = "this zip has too many files in it"
BATCH_LOCKED = "it is locked with a password"
BATCH_METHOD = "it is packed in a way that is not read; use a plain zip"
BATCH_LARGE = "it is larger than {limit} MB"
BATCH_NESTED = "a zip inside of a zip is not opened"
BATCH_NO_PICTURE = "it is not a photo"
BATCH_FULL = "the files made of this batch are as large as they may be; send it in another batch"
BATCH_SERVER_FULL = "the server holds as many files as it can; try again in a while"

# Live
LIVE_LEAD = (
    "Your camera, cut out as it runs. Frames go to the server, are worked on in its memory one at a time, and are forgotten: "
    "nothing is stored. A picture you put behind yourself never leaves your browser. One camera runs at a time here."
)
LIVE_START = "Start the camera"
LIVE_STOP = "Stop"
LIVE_STAGE = "The camera's picture on the chosen background"
LIVE_BACKGROUND = "Put yourself on"
LIVE_STAGES = "Alpha"
LIVE_COARSE = "Coarse"
LIVE_REFINED = "Refined"
LIVE_IDLE = "The camera is off. Your browser will ask before it is used."
LIVE_STARTING = "Waiting for the camera …"
LIVE_RUNNING = "The camera is on. Opening another tab turns it off."
LIVE_WAIT = "Somebody else's camera is on. {before} before you; your turn comes by itself."
LIVE_NO_CAMERA = "No camera could be used: {reason}"
LIVE_AGAIN = "Others are waiting, so your turn has ended for now; you are in line again."
LIVE_LOST = "The server does not answer. The camera is off."
LIVE_RATE = "{fps} frames a second · working size {side} px · {milliseconds} ms a frame"
LIVE_FULL = "Too many people are waiting for their camera. Please try again in a few minutes."
LIVE_OVER = "This turn is over."
LIVE_SLOWER = "Frames come faster than they can be worked on."
LIVE_NOT_HERE = (
    "This server borrows its accelerator for one photo at a time, so there is no live picture here. Run the app on your own "
    "machine."
)
LIVE_NOT_SAFE = "browsers give cameras only to pages that are opened by https, or on this machine itself"

# Compare
COMPARE_LEAD = (
    "One photo, several methods, the same scale. Turn up the zoom and move over a picture: all of them show the same place."
)
COMPARE_PICK = "Methods"
COMPARE_VIEW = "Show"
COMPARE_RUN = "Compare"
COMPARE_EMPTY = "Cut out a photo on the first tab; the methods are compared on it."
COMPARE_OPENING = "Getting the photo of the first tab …"
COMPARE_WAITING = "The first tab is at work on a new photo; it is compared here when it is done."
COMPARE_STOPPED = "Stopped."
COMPARE_WORKING = "{method}: {done} of {count} …"
COMPARE_DONE = "All methods were given the photo at {width} × {height} pixels; seconds are from image to alpha on this machine."
COMPARE_KNOWN = (
    "The photo of the first tab as it was cut out there, {width} × {height} pixels here. Choose more methods and press the "
    "button to run all of them on it with their usual settings."
)
COMPARE_LOWEST = "Lowest SAD: {method}, {sad:.2f}."
COMPARE_TOUCHED = "This network is shown as you touched it up; the button runs it on the photo alone."
COMPARE_NO_TRUTH = "Errors need the true alpha, which the first tab takes. Until then, these are the cut-outs."
COMPARE_DOWNLOAD = "downloads {size}"
COMPARE_SLOW = "takes many seconds"
COMPARE_NEEDS_TRUTH = "needs the true alpha"
COMPARE_TRAINED = "trained on {sets}"
COMPARE_PAIR = "Any two, one over the other"
COMPARE_LEFT = "Left"
COMPARE_RIGHT = "Right"
COMPARE_ZOOM = "Zoom"
COMPARE_SECONDS = "{seconds:.2f} s"
COMPARE_FAILED = "not available: {reason}"
COMPARE_METHOD = "Method"

# Tables
TABLES_LEAD = (
    "Every row of the paper's supplementary Table 1: P3M-500-NP (faces visible) and P3M-500-P (faces blurred). "
    "Lower is better; bold is the lowest of those that need no trimap. Click a title to sort, type to search."
)
TABLES_PUBLISHED = "Published results"
TABLES_MEASURED = "Measured here"
TABLES_MEASURED_NOTE = (
    "This project's own runs, on other pictures than the table above: compare within this table only. "
    "Printed by <code>{command}</code>"
)
TABLES_TRAINED = "† marks a method that was trained on these pictures."
TABLES_TERMS = (
    "Errors of alpha: SAD, its sum over the picture, in thousands; SAD-T, the same where the true trimap is unknown; MSE and "
    "MAD, means over the pixels; Grad, how far edges and strands are off; Conn, pieces that do not hang together as they "
    "should. IoU, for which higher is better, says whether the right person was found. GMAC: billions of "
    "multiply-accumulates. Pictures: keyed, people filmed in front of a green screen and put on other backgrounds; cutouts, "
    "press and studio pictures, likewise; cc0_portraits and web_portraits, as they are; street, whole people out of doors; "
    "flickr, anything, with masks drawn by hand."
)
TABLES_COMMON = "All methods, the slow ones too, on the first images of each set, which every one of them was given."
TABLES_WORST = "Where it is worst"
TABLES_WORST_NOTE = (
    "The five of our CC0 validation portraits with the largest error, none of them trained on. The true alpha was "
    "drawn by another network and checked by eye: in the first photo it counts the blossoms as part of the person."
)
TABLES_WORST_ALT = "Five portraits, one to a row: photo, trimap, true alpha, our alpha, and the error between the two."
TABLES_NOT_MEASURED = (
    "This version comes without stored results. To make some: <code>python -m matting.evaluation.evaluate "
    "--dataset portraits --root DATA --out matting/evaluation/results</code>"
)
TABLES_METRIC = "Error"
TABLES_SUBSET = "Pictures"
TABLES_REFERENCE = "Published in"
TABLES_YES = "(needs a trimap)"
TABLES_SEARCH = "Search"
TABLES_SEARCH_HINT = "a method …"
TABLES_NONE = "No row has this text."
TABLES_PICTURES = "Pictures"
TABLES_IMAGES = "Images"
TABLES_SECONDS = "Seconds"
TABLES_CHART_NOTE = (
    "Error against cost; lower left is better, both axes are logarithmic, multiply-accumulates are counted once. Point at "
    "a mark for its whole row. The hollow mark (*) must be given a trimap, which makes its task easier."
)
TABLES_SOURCE = "Source: {source}. {note}"

# About
ABOUT = """
### What happens to your photo

**First stage.** The photo is read at a working size that suits it; if the people in it are small, it is read again, close
up, where they are. The network answers at one eighth of that size with
two maps: a *coarse alpha*, how much of each place is person, and a *trimap*, whether the place is background, person, or
unknown.

**Second stage.** Only the unknown regions, 8 × 8 pixels each, are redrawn at full working size. Each looks at its own
pixels, at the coarse alpha, and at its eight nearest regions (*cross-region attention*), because a hair seldom
ends at a border. The new regions are written over the coarse alpha; everything else stays.

**Post-processing.** Where the alpha is soft, it is fitted to the colours of the photo around it (a *guided filter*), so that it
has the edges that the photo has. Where much is soft, as in hair, single hairs are then solved for from those colours
(*closed-form matting* that starts from this alpha). Neither is in the paper.

That is why it is quick: on most portraits about one region in ten is redrawn.

**Corrections by hand.** A stroke of the brush corrects the coarse alpha. The correction spreads to places of similar colour, as
far as the first stage was uncertain; where that leaves an edge, the regions along it are redrawn like all others.
"""
ABOUT_PRIVACY = """
### Privacy

Your photo is processed in memory on this server, and shown to this page only. It is not logged, not shared, not used for
training, and no statistics are sent anywhere. Files made for you are deleted when you close the page, and after an hour
at the latest, those of a batch when the next one begins; whoever has the address of one can see it until then. Your last
result stays in memory for a minute after that, so that a page that is loaded again has it still. Frames of the camera are
never written anywhere.
"""
ABOUT_BROWSER = """
**Rather not send it at all?** {link} is a page on which the photo is cut out in your own browser, and sent nowhere.
"""
ABOUT_CREDITS = """
### Credits and licences

The method is from *Lightweight Portrait Matting via Regional Attention and Refinement* by Yatao Zhong and Ilya Zharkov,
WACV 2024. The code of this project was written anew and is under the Apache License 2.0. The example portraits are
listed with their sources in {credits}. What the weights were trained on, and what that means for their limits, is in
the model card, {card}.
"""
ABOUT_CITE = """
### Cite the paper

```bibtex
@inproceedings{zhong2024lightweight,
  title     = {Lightweight Portrait Matting via Regional Attention and Refinement},
  author    = {Zhong, Yatao and Zharkov, Ilya},
  booktitle = {IEEE/CVF Winter Conference on Applications of Computer Vision (WACV)},
  year      = {2024}
}
```
"""
ABOUT_USE = """
### Use it from a program

```python
from gradio_client import Client, handle_file

client = Client("{address}")
cutout, alpha, facts, (coarse, trimap, regions) = client.predict(handle_file("portrait.jpg"), api_name="/matte_image")
region = client.predict(0.5, 0.2, api_name="/inspect_region")
```

Further endpoints: `/compare_methods`, `/tables`, `/matte_clip`, `/matte_batch`. All but the last are tools for language
models when the app is started with `MATTING_MCP=1 python app.py` (needs `pip install "gradio[mcp]"`); the server's address is
then `/gradio_api/mcp/`.

### Run it on your own machine

```
pip install -r requirements.txt
python app.py
```

No account and no network are needed. `MATTING_WEIGHTS` chooses other weights. For many pictures use the command line:
`python -m matting photos/ -o cutouts/`.
"""

# Errors: what is wrong, and what to do
ERROR_UPLOAD = "This file cannot be used: {reason}. Please send another one, a JPEG, PNG, WebP, TIFF or HEIC photo."
ERROR_INPUT = "This does not work: {reason}."
ERROR_PIXELS = (
    "This photo has {megapixels} million pixels; the limit here is {limit}. Make it smaller, "
    "or run the app on your own machine: python -m matting photo.jpg -o cutout.png"
)
ERROR_NO_PHOTO = "There is no photo yet. Drop one first."
ERROR_EXPIRED = "This result has been removed from the server. Please drop the photo again."
ERROR_TRUTH = "The true alpha is {got}, the photo is {expected} pixels. Send one of the same size."
ERROR_BACKGROUND = "Choose a background picture first, or pick another background."
ERROR_PATH = (
    'Files of the server are not read. Please send the file itself: handle_file("photo.jpg") of gradio_client does, and over '
    'HTTP it is uploaded to /gradio_api/upload first and named as {"path": ..., "meta": {"_type": "gradio.FileData"}}.'
)
ERROR_URL = "Addresses are not fetched. Please send the file itself."
ERROR_METHODS = "Choose at least one method."
ERROR_METHODS_TWICE = "Choose every method once."
ERROR_VALUES = "This request does not hold what was asked for."
ERROR_UNEXPECTED = "Something went wrong here. Please try again."
ERROR_MEMORY = "There was not enough memory for this photo. Try a smaller working size in Settings."
ERROR_NO_CLIP = "There is no clip yet. Drop one first; “Try our example” runs ours with these settings."
ERROR_CLIP = "This clip cannot be used: {reason}. Please send an MP4, MOV, WebM, MKV or GIF."
ERROR_CLIP_LONG = (
    "This clip is {got:.1f} seconds long and has {frames} frames; the limit here is {seconds} seconds and {most} frames. "
    "Cut it, or run it on your own machine, where there is no limit: python -m matting clip.mp4 -o out.webm"
)
ERROR_CLIP_LARGE = (
    "This clip has frames of {width} × {height} pixels; the limit here is {limit:.1f} million pixels a frame. Make it "
    "smaller, or run it on your own machine, where there is no limit: python -m matting clip.mp4 -o out.webm"
)
ERROR_NO_BATCH = "There are no photos yet. Drop some first."
ERROR_NO_PHOTOS = "There is no photo in what you sent. {reasons}"
ERROR_CLIP_FILES = "Choose at least one kind of file."
