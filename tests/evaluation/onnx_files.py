"""Tiny ONNX networks, made on the spot, that stand in for large ones."""

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper


def red_network(path: Path, bias: float = 0.0, sigmoid: bool = False, half: bool = False) -> Path:
    """Write a network whose output "alpha" is the red channel of its input plus a bias; "zero" is a second output."""
    kind = TensorProto.FLOAT16 if half else TensorProto.FLOAT
    weights = np.array([1, 0, 0], np.float16 if half else np.float32).reshape(1, 3, 1, 1)
    nodes = [
        helper.make_node("Conv", ["image", "weights", "bias"], ["red"]),
        helper.make_node("Sigmoid", ["red"], ["alpha"]) if sigmoid else helper.make_node("Identity", ["red"], ["alpha"]),
        helper.make_node("Sub", ["red", "red"], ["zero"]),
    ]
    graph = helper.make_graph(
        nodes,
        "red",
        [helper.make_tensor_value_info("image", kind, [1, 3, "height", "width"])],
        [helper.make_tensor_value_info(name, kind, [1, 1, "height", "width"]) for name in ("alpha", "zero")],
        [
            helper.make_tensor("weights", kind, weights.shape, weights.ravel()),
            helper.make_tensor("bias", kind, [1], np.array([bias], weights.dtype)),
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.save(model, path)
    return path
