"""How faithful reconstructions are."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from morphospace.codec import batch_for
from morphospace.data import ImageArray
from morphospace.space import Space

__all__ = ["psnr"]


def psnr(
    space: Space, images: ImageArray, codes: NDArray[np.float32], labels: NDArray[np.int64] | None = None
) -> float:
    r"""The peak signal-to-noise ratio of reconstructions, :math:`-10 \log_{10} \overline{(x - \hat x)^2}`, in dB.

    Args:
        space: decodes.
        images: uint8 (N, H, W, C), taken in [0, 1]; the mean is over all pixels of all of them.
        codes: their posterior means (N, d).
        labels: (N,), for models that are told them.
    """
    total = 0.0
    step = batch_for(space.shape)
    for start in range(0, len(images), step):
        some = images[start : start + step]
        told = None if labels is None else labels[start : start + step]
        made = space.decode(codes[start : start + step], dtype="float", labels=told)
        total += float(np.square(made - some / np.float32(255)).sum(dtype=np.float64))
    mean = total / math.prod(images.shape)
    return 10 * math.log10(1 / max(mean, 1e-12))
