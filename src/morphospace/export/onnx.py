"""Encoder and decoder as ONNX: for other programs, and for the browser."""

from __future__ import annotations

import copy
import io
from typing import Any, Literal

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnx import numpy_helper
from torch import Tensor, nn

from morphospace._version import __version__
from morphospace.errors import DataError
from morphospace.quiet import quiet
from morphospace.space import Space
from morphospace.vae import Generative

__all__ = ["PARTS", "Part", "largest_difference", "to_onnx"]

Part = Literal["encoder", "decoder"]
PARTS: tuple[Part, ...] = ("encoder", "decoder")

_OPSET = 18
_TOLERANCE = 1e-4  # law 6
_TRIED = (1, 7)  # images at once: one, and an odd number that the graph was not traced with
_SMALL = 16  # values; smaller tensors stay as they are


class _Encoder(nn.Module):
    """Images (N, H, W, C) in [0, 1] to the posterior's mean (N, d), and its log-variance where it has one."""

    def __init__(self, model: Generative) -> None:
        super().__init__()
        self.model = model

    def forward(self, images: Tensor) -> tuple[Tensor, ...]:
        code = self.model.encode(images.permute(0, 3, 1, 2))
        return (code.mean,) if code.scale is None else (code.mean, 2 * code.scale.log())


class _Decoder(nn.Module):
    """Latents (N, d) to images (N, H, W, C) in [0, 1]."""

    def __init__(self, model: Generative) -> None:
        super().__init__()
        self.model = model

    def forward(self, z: Tensor) -> tuple[Tensor, ...]:
        return (self.model.image(z).permute(0, 2, 3, 1),)


def to_onnx(space: Space, part: Part, *, half: bool = False) -> bytes:
    """One part of a space as an ONNX model with any number of images at once, checked against PyTorch.

    The encoder has the input ``images`` (N, H, W, C) in [0, 1] and the outputs ``mean`` and, unless its codes are
    points, ``log_var`` (N, d); the decoder has the input ``z`` (N, d) and the output ``images``.

    Args:
        space: the space.
        part: "encoder" or "decoder".
        half: store weights as 16-bit floats; everything is still computed in 32 bits.

    Raises:
        DataError: if what the exported model computes differs from PyTorch by more than 1e-4; with ``half``, from
            PyTorch with weights that were rounded alike.
    """
    model = copy.deepcopy(space.model).cpu().float().eval()
    if half:
        model = model.half().float()
    height, width, channels = space.shape
    module: nn.Module = _Encoder(model) if part == "encoder" else _Decoder(model)
    source = "images" if part == "encoder" else "z"
    example = torch.rand(2, height, width, channels) if part == "encoder" else torch.randn(2, space.latent_dim)
    with torch.no_grad():
        count = len(module(example))
        targets = ["mean", "log_var"][:count] if part == "encoder" else ["images"]
        stream = io.BytesIO()
        with quiet():  # the newer exporter takes seconds and another dependency for what the older one does in a tenth
            torch.onnx.export(
                module, (example,), stream, dynamo=False,  # type: ignore[arg-type]  # the older one takes streams
                opset_version=_OPSET, input_names=[source],
                output_names=targets, dynamic_axes={name: {0: "n"} for name in (source, *targets)},
            )  # fmt: skip
    graph = onnx.load_from_string(stream.getvalue())
    if half:
        _halve(graph)
    graph.producer_name, graph.producer_version = "morphospace", __version__
    for key, value in space.text(part=part).items():
        entry = graph.metadata_props.add()
        entry.key, entry.value = key, value
    onnx.checker.check_model(graph)
    data: bytes = graph.SerializeToString()
    difference = largest_difference(data, module, example)
    if not difference <= _TOLERANCE:
        raise DataError(
            f"the exported {part} differs from PyTorch by {difference:.2g}, expected {_TOLERANCE:g} or "
            "less. Please report it with the recipe of the space."
        )
    return data


def largest_difference(data: bytes, module: nn.Module, example: Tensor) -> float:
    """By how much ONNX Runtime's outputs differ from PyTorch's, over batches of several sizes."""
    import onnxruntime

    session = onnxruntime.InferenceSession(data, providers=["CPUExecutionProvider"])
    found = 0.0
    for count in _TRIED:
        generator = torch.Generator().manual_seed(count)
        draw = torch.rand if example.ndim == 4 else torch.randn  # images, or latents
        inputs = draw((count, *example.shape[1:]), generator=generator)
        with torch.no_grad():
            expected = [output.numpy() for output in module(inputs)]
        got: list[NDArray[Any]] = session.run(None, {session.get_inputs()[0].name: inputs.numpy()})
        for one, other in zip(got, expected, strict=True):
            found = max(found, float(np.abs(one - other).max()))
    return found


def _halve(graph: Any) -> None:
    """Store the large weights as 16-bit floats, each with a cast back to 32 bits behind it."""
    casts = []
    for tensor in graph.graph.initializer:
        if tensor.data_type != onnx.TensorProto.FLOAT or int(np.prod(tensor.dims)) < _SMALL:
            continue
        name, values = tensor.name, numpy_helper.to_array(tensor)
        tensor.CopyFrom(numpy_helper.from_array(values.astype(np.float16), f"{name}.half"))
        casts.append(onnx.helper.make_node("Cast", [f"{name}.half"], [name], to=onnx.TensorProto.FLOAT))
    nodes = [*casts, *graph.graph.node]
    del graph.graph.node[:]
    graph.graph.node.extend(nodes)
