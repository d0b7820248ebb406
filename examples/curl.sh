#!/bin/sh
# Cut out a photo by a running app with curl alone: sh examples/curl.sh http://localhost:7860 photo.jpg cutout.png
# The same calls work from any language; /gradio_api/info lists the endpoints and what they take.
set -eu
address=$1 photo=$2 target=$3

# 1. The photo goes up; the answer is ["PATH"].
path=$(curl -sSf -F "files=@$photo" "$address/gradio_api/upload" | sed 's/^\["\(.*\)"\]$/\1/')

# 2. The call: photo, working size, region sensitivity, refinement, cross-region attention. The answer is {"event_id": "ID"}.
call="{\"data\": [{\"path\": \"$path\", \"meta\": {\"_type\": \"gradio.FileData\"}}, \"Auto\", 0, true, true]}"
event=$(curl -sSf -H "Content-Type: application/json" -d "$call" "$address/gradio_api/call/matte_image" |
  sed 's/.*"event_id" *: *"\([^"]*\)".*/\1/')

# 3. The result, when it is there: the cut-out, the alpha, and facts, each file with its address.
url=$(curl -sSfN "$address/gradio_api/call/matte_image/$event" | grep -o '"url" *: *"[^"]*"' | head -n 1 | cut -d '"' -f 4)
curl -sSf -o "$target" "$url"
