FROM python:3.12-slim

RUN useradd --create-home --uid 1000 user
WORKDIR /home/user/app

# The CPU build of torch: the one on PyPI brings several gigabytes of CUDA along.
COPY requirements.txt .
RUN pip install --no-cache-dir --extra-index-url https://download.pytorch.org/whl/cpu -r requirements.txt

COPY app.py README.md ./
COPY matting matting
COPY examples examples

USER user
# Compiles pymatting's loops into the user's cache, or every container would do so when it starts.
RUN python -c "import pymatting"
ENV GRADIO_SERVER_NAME=0.0.0.0 GRADIO_SERVER_PORT=7860 PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
EXPOSE 7860
CMD ["python", "app.py"]
