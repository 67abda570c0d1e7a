"""Encoder and decoder as ONNX: for other programs, and for the browser."""

from __future__ import annotations

import copy
import io
import json
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
    """Images (N, H, W, C) in [0, 1] to the posterior's mean (N, d), and its log-variance where it has one.

    With them a label (N,), where one is told.
    """

    def __init__(self, model: Generative) -> None:
        super().__init__()
        self.model = model

    def forward(self, images: Tensor, label: Tensor | None = None) -> tuple[Tensor, ...]:
        code = self.model.encode(images.permute(0, 3, 1, 2), label)
        return (code.mean,) if code.scale is None else (code.mean, 2 * code.scale.log())


class _Decoder(nn.Module):
    """Latents (N, d), with a label (N,) where one is told, to images (N, H, W, C) in [0, 1]."""

    def __init__(self, model: Generative) -> None:
        super().__init__()
        self.model = model

    def forward(self, z: Tensor, label: Tensor | None = None) -> tuple[Tensor, ...]:
        return (self.model.image(z, label).permute(0, 2, 3, 1),)


def to_onnx(space: Space, part: Part, *, half: bool = False) -> bytes:
    """One part of a space as an ONNX model with any number of images at once, checked against PyTorch.

    The encoder has the input ``images`` (N, H, W, C) in [0, 1] and the outputs ``mean`` and, unless its codes are
    points, ``log_var`` (N, d); the decoder has the input ``z`` (N, d) and the output ``images``. Of a space that is
    told labels both have another input, ``label`` (N,) of int64; the metadata's ``labels`` are their names, in JSON.

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
    labels = space.label_names
    example = torch.rand(2, height, width, channels) if part == "encoder" else torch.randn(2, space.latent_dim)
    inputs = {"images" if part == "encoder" else "z": example}
    if labels:
        inputs["label"] = torch.tensor([0, len(labels) - 1])
    with torch.no_grad():
        count = len(module(*inputs.values()))
        targets = ["mean", "log_var"][:count] if part == "encoder" else ["images"]
        stream = io.BytesIO()
        with quiet():  # the newer exporter takes seconds and another dependency for what the older one does in a tenth
            torch.onnx.export(
                module, tuple(inputs.values()), stream, dynamo=False,  # type: ignore[arg-type]  # the older one takes streams
                opset_version=_OPSET, input_names=list(inputs),
                output_names=targets, dynamic_axes={name: {0: "n"} for name in (*inputs, *targets)},
            )  # fmt: skip
    graph = onnx.load_from_string(stream.getvalue())
    if half:
        _halve(graph)
    graph.producer_name, graph.producer_version = "morphospace", __version__
    told = {"labels": json.dumps(labels, ensure_ascii=False)} if labels else {}
    for key, value in space.text(part=part, **told).items():
        entry = graph.metadata_props.add()
        entry.key, entry.value = key, value
    onnx.checker.check_model(graph)
    data: bytes = graph.SerializeToString()
    difference = largest_difference(data, module, example, len(labels))
    if not difference <= _TOLERANCE:
        raise DataError(
            f"the exported {part} differs from PyTorch by {difference:.2g}, expected {_TOLERANCE:g} or "
            "less. Please report it with the recipe of the space."
        )
    return data


def largest_difference(data: bytes, module: nn.Module, example: Tensor, labels: int = 0) -> float:
    """By how much ONNX Runtime's outputs differ from PyTorch's, over batches of several sizes, and all labels."""
    import onnxruntime

    session = onnxruntime.InferenceSession(data, providers=["CPUExecutionProvider"])
    found = 0.0
    for count in _TRIED:
        generator = torch.Generator().manual_seed(count)
        draw = torch.rand if example.ndim == 4 else torch.randn  # images, or latents
        count = max(count, labels) if count > 1 else count
        inputs = [draw((count, *example.shape[1:]), generator=generator)]
        if labels:
            inputs.append(torch.arange(count) % labels)
        with torch.no_grad():
            expected = [output.numpy() for output in module(*inputs)]
        names = [entry.name for entry in session.get_inputs()]
        given = {name: values.numpy() for name, values in zip(names, inputs, strict=True)}
        got: list[NDArray[Any]] = session.run(None, given)
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
