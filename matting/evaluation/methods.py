"""All methods of a comparison behind one signature: image in, alpha out, timed in the same way."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from matting.evaluation import classic, ours
from matting.evaluation.onnx_network import IMAGENET_MEAN, IMAGENET_STD, OnnxNetwork, Preprocessing
from matting.evaluation.ours import Estimate
from matting.inference.photo import matte_image
from matting.network import MattingNetwork
from matting.weights.hub import HubFile, fetch

RESIZE_MODES = ("auto", "paper")

Solver = Callable[[NDArray[np.uint8], NDArray[np.uint8]], NDArray[np.float32]]


class Estimator(Protocol):
    """A loaded method: (H, W, 3) uint8, and for methods that use one, a trimap of 0, 128, 255 -> `Estimate`."""

    def __call__(self, image: NDArray[np.uint8], trimap: NDArray[np.uint8] | None = None) -> Estimate: ...


@dataclass(frozen=True)
class Resources:
    """What methods may need to load.

    Attributes:
        model: this project's network.
        resize: "auto", all steps as in the app, or "paper": both sides floored to multiples of 128, the network alone.
        cache_dir: where downloads are kept; None for the Hub library's own cache.
    """

    model: MattingNetwork
    resize: str = "auto"
    cache_dir: str | Path | None = None

    def __post_init__(self) -> None:
        if self.resize not in RESIZE_MODES:
            raise ValueError(f"resize must be one of {', '.join(RESIZE_MODES)}, got {self.resize!r}")


@dataclass(frozen=True)
class Method:
    """One row of a comparison.

    Attributes:
        name: short, for the command line and files.
        title: shown in tables.
        licence: of the method's code and weights.
        needs: requirements and limits to show with its results; may be empty.
        load: returns the estimator; may raise `DownloadError` or ValueError.
        download: the file of the Hub that it needs, if any.
        trained_on: data sets of `matting.evaluation.datasets` that its training included.
        uses_trimap: whether it must be given a trimap.
        slow: whether it takes many seconds per image on two CPU cores.
    """

    name: str
    title: str
    licence: str
    needs: str
    load: Callable[[Resources], Estimator]
    download: HubFile | None = None
    trained_on: tuple[str, ...] = ()
    uses_trimap: bool = False
    slow: bool = False


class Timed(NamedTuple):
    """An estimate and how long it took."""

    estimate: Estimate
    seconds: float


def run(estimator: Estimator, image: NDArray[np.uint8], trimap: NDArray[np.uint8] | None = None) -> Timed:
    """Run a method, timed from the image in memory to the alpha at the image's size in memory.

    Raises:
        ValueError: if the result is no alpha of the image's size, or the method cannot handle the image.
    """
    start = time.perf_counter()
    estimate = estimator(image, trimap)
    seconds = time.perf_counter() - start
    alpha = estimate.alpha
    if alpha.shape != image.shape[:2] or not (alpha.min() >= 0 and alpha.max() <= 1):
        raise ValueError(f"alpha must be {image.shape[:2]} in [0, 1], got {alpha.shape} in {alpha.min()} to {alpha.max()}")
    return Timed(estimate, seconds)


def onnx_method(path: str | Path, preprocessing: Preprocessing) -> Method:
    """A method from a user's ONNX file."""
    name = Path(path).stem
    return Method(name, name, "as its author says", "onnxruntime", lambda _: _without_trimap(OnnxNetwork(path, preprocessing)))


def hub_method(
    name: str,
    title: str,
    licence: str,
    file: HubFile,
    preprocessing: Preprocessing,
    trained_on: tuple[str, ...] = (),
) -> Method:
    """A method from an ONNX file of the Hub, downloaded when it is loaded."""

    def load(resources: Resources) -> Estimator:
        return _without_trimap(OnnxNetwork(fetch(file, resources.cache_dir), preprocessing))

    return Method(name, title, licence, f"a download of {file.size}, onnxruntime", load, file, trained_on)


def _load_ours(
    resources: Resources, refine: bool = True, cross_region: bool = True, guided_filter: bool = True, closed_form: bool = True
) -> Estimator:
    def call(image: NDArray[np.uint8], trimap: NDArray[np.uint8] | None = None) -> Estimate:
        if resources.resize == "paper":
            return ours.estimate_paper(image, resources.model, refine, cross_region)
        return ours.estimate_auto(image, resources.model, refine, cross_region, guided_filter, closed_form)

    return call


def _load_solver(resources: Resources, solve: Solver) -> Estimator:
    def call(image: NDArray[np.uint8], trimap: NDArray[np.uint8] | None = None) -> Estimate:
        return Estimate(solve(image, matte_image(image, resources.model, refine=False).trimap))

    return call


def _load_solver_of_given(resources: Resources, solve: Solver) -> Estimator:
    def call(image: NDArray[np.uint8], trimap: NDArray[np.uint8] | None = None) -> Estimate:
        if trimap is None:
            raise ValueError("this method must be given a trimap, got none")
        return Estimate(solve(image, trimap))

    return call


def _load_grabcut(resources: Resources) -> Estimator:
    def call(image: NDArray[np.uint8], trimap: NDArray[np.uint8] | None = None) -> Estimate:
        return Estimate(classic.grabcut(image, matte_image(image, resources.model, refine=False).coarse_alpha))

    return call


def _without_trimap(network: OnnxNetwork) -> Estimator:
    return lambda image, trimap=None: Estimate(network(image))


MODNET = HubFile(
    repo="Xenova/modnet",
    path="onnx/model.onnx",
    revision="fa2fa546052fba4c08921230a26cc69a333fca12",
    size_bytes=25_888_640,
    sha256="07c308cf0fc7e6e8b2065a12ed7fc07e1de8febb7dc7839d7b7f15dd66584df9",
)
BIREFNET_LITE = HubFile(
    repo="onnx-community/BiRefNet_lite-ONNX",
    path="onnx/model_fp16.onnx",
    revision="de15b22ba131738a16dff04aab8bdf8dc32e3ac1",
    size_bytes=114_538_221,
    sha256="d39b897ceb16ae654c1731f3dba0cf9b368d9cae74b5a57459b455cc8bfec402",
)
_MODNET_INPUT = Preprocessing(512, keep_aspect=True)
_BIREFNET_INPUT = Preprocessing(1024, mean=IMAGENET_MEAN, std=IMAGENET_STD, sigmoid=True)
_OURS = "Apache-2.0"
_OWN_TRIMAP = f"our trimap; solved at {classic.MAX_SIDE_PX} px at most"
_GIVEN_TRIMAP = f"a given trimap; solved at {classic.MAX_SIDE_PX} px at most"

METHODS = {
    method.name: method
    for method in (
        Method("ours", "This network", _OURS, "", _load_ours),
        Method("coarse", "This network, coarse only", _OURS, "", partial(_load_ours, refine=False)),
        Method("no-cra", "This network, without CRA", _OURS, "", partial(_load_ours, cross_region=False)),
        Method("no-closed-form", "This network, without closed form", _OURS, "", partial(_load_ours, closed_form=False)),
        Method("no-guided-filter", "This network, without filters", _OURS, "", partial(_load_ours, guided_filter=False)),
        Method(
            "closed-form", "Closed-form matting", "MIT", _OWN_TRIMAP,
            partial(_load_solver, solve=classic.closed_form), slow=True,
        ),
        Method("knn", "KNN matting", "MIT", _OWN_TRIMAP, partial(_load_solver, solve=classic.knn), slow=True),
        Method(
            "closed-form-given", "Closed-form matting, true trimap", "MIT", _GIVEN_TRIMAP,
            partial(_load_solver_of_given, solve=classic.closed_form), uses_trimap=True, slow=True,
        ),
        Method(
            "knn-given", "KNN matting, true trimap", "MIT", _GIVEN_TRIMAP,
            partial(_load_solver_of_given, solve=classic.knn), uses_trimap=True, slow=True,
        ),
        Method("grabcut", "GrabCut", "Apache-2.0", "our coarse box; gives a hard mask", _load_grabcut),
        hub_method("modnet", "MODNet", "Apache-2.0", MODNET, _MODNET_INPUT),
        hub_method("birefnet-lite", "BiRefNet-lite", "MIT", BIREFNET_LITE, _BIREFNET_INPUT, ("p3m-500-p", "p3m-500-np")),
    )
}  # fmt: skip
OFFLINE = tuple(name for name, method in METHODS.items() if method.download is None)


def choose(names: list[str]) -> list[Method]:
    """Methods by name.

    Raises:
        ValueError: if there is no such method.
    """
    for name in names:
        if name not in METHODS:
            raise ValueError(f"method must be one of {', '.join(METHODS)}, got {name!r}")
    return [METHODS[name] for name in names]
