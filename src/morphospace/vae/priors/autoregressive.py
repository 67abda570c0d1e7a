"""The autoregressive prior: each code is expected from those before it."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable
from typing import ClassVar, cast

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from morphospace.parts import Shape, option
from morphospace.vae.interfaces import Book, Infer, VariationalPosterior
from morphospace.vae.priors.interfaces import Prior
from morphospace.vae.slots import PriorConfig

__all__ = ["AutoregressivePrior"]

_CODE = 8  # numbers that stand for a code where it goes in


class _Masked(nn.Linear):
    """A dense layer from the features of G positions to those of G positions, each seeing only some others.

    Args:
        positions: G.
        n_in: features of a position that go in.
        n_out: features of a position that come out.
        sees: whether the position of a feature that goes in may be seen from that of one that comes out.
    """

    mask: Tensor

    def __init__(self, positions: int, n_in: int, n_out: int, sees: Callable[[Tensor, Tensor], Tensor]) -> None:
        super().__init__(positions * n_in, positions * n_out)
        self.n_out = n_out
        places = torch.arange(positions)
        mask = sees(places.repeat_interleave(n_in), places.repeat_interleave(n_out)[:, None])
        self.register_buffer("mask", mask.float(), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """(N, G n_in) to (N, G n_out)."""
        return F.linear(x, self.weight * self.mask, self.bias)

    def at(self, position: int, seen: Tensor) -> Tensor:
        """What comes out at one position, (N, n_out), of all that it sees, (N, some n_in)."""
        rows = slice(position * self.n_out, (position + 1) * self.n_out)
        return F.linear(seen, self.weight[rows, : seen.shape[1]], self.bias[rows])


class AutoregressivePrior(Prior):
    r"""A categorical distribution of each code given all before it, by one network whose weights are masked.

    .. math:: \log p(k_1, \dots, k_G) = \sum_{g=1}^G \log p(k_g | k_1, \dots, k_{g-1})

    Untrained it is uniform, log p = -G log E, for its last weights start at zero: a first stage of training can leave
    it frozen while the codes come to be, and a second one fits it to them. It knows codes only, by their numbers;
    the posterior's codebook makes points of them.

    On a CPU this beats a recurrent network and a transformer: codes of a dense encoder have no neighbours in common,
    so that weights of their own for each pair of positions pay, and the product of whole layers is fast.

    Args:
        positions: G, >= 1, the codes of an image.
        entries: E, >= 2, the size of the codebook.
        width: the hidden features of each position, >= 1.
        layers: the residual layers, >= 0.

    Source: Germain et al., MADE: masked autoencoder for distribution estimation, arXiv:1502.03509; as the prior of
    quantised codes: van den Oord et al., arXiv:1711.00937, section 3.3.

    Example:
        >>> prior = AutoregressivePrior(4, 8, width=16)
        >>> prior.log_prob(torch.zeros(1, 2, 4, dtype=torch.long)).tolist()  # of each: -4 log 8
        [[-8.317766189575195, -8.317766189575195]]
        >>> prior.sample(3, np.random.default_rng(0)).shape
        torch.Size([3, 4])
    """

    class Config(PriorConfig, kind="autoregressive"):
        """Each code given those before it."""

        of_codes: ClassVar[bool] = True

        width: int = option("the hidden features of each position", default=64, low=1, high=65536)
        layers: int = option("the residual layers", default=2, low=0, high=1000)

        def build_over(self, book: Book, shape: Shape) -> AutoregressivePrior:
            """See :class:`PriorConfig`."""
            del shape
            return AutoregressivePrior(book.positions, book.entries, width=self.width, layers=self.layers)

    offsets: Tensor

    def __init__(self, positions: int, entries: int, *, width: int = 64, layers: int = 2) -> None:
        super().__init__()
        self.positions, self.entries = positions, entries
        self.code = nn.Embedding(positions * entries, _CODE)
        self.register_buffer("offsets", entries * torch.arange(positions), persistent=False)
        self.first = _Masked(positions, _CODE, width, operator.lt)
        self.layers = nn.ModuleList(_Masked(positions, width, width, operator.le) for _ in range(layers))
        self.last = _Masked(positions, width, entries, operator.le)
        nn.init.zeros_(self.last.weight)
        nn.init.zeros_(self.last.bias)

    def forward(self, infer: Infer, condition: Tensor | None = None) -> AutoregressivePrior:
        """P, which is the prior itself; ``infer`` (the encoder, for priors made of posteriors) is not needed here."""
        del infer, condition
        return self

    def scores(self, codes: Tensor) -> Tensor:
        """Codes (N, G) to the log-probabilities (N, G, E) of each, given those before it."""
        h = self.first(self.code(codes + self.offsets).flatten(1))
        for layer in self.layers:
            h = h + layer(F.gelu(h))
        logits: Tensor = self.last(F.gelu(h))
        return logits.float().view(-1, self.positions, self.entries).log_softmax(-1)

    def log_prob(self, z: Tensor) -> Tensor:
        """(K, B) in nats for codes (K, B, G)."""
        codes = z.flatten(0, 1)
        found = self.scores(codes).gather(-1, codes[..., None])
        return found.sum((1, 2)).view(z.shape[:2])

    def kl(self, q: VariationalPosterior) -> Tensor | None:
        """None: log q and log p of the codes are all there is to say."""
        del q
        return None

    @torch.no_grad()
    def sample(self, count: int, rng: np.random.Generator) -> Tensor:
        """Codes (count, G), drawn one position after the other; features of positions before are not found again."""
        device = self.offsets.device
        codes = torch.zeros(count, self.positions, dtype=torch.long, device=device)
        drawn = torch.zeros(count, 0, device=device)
        features = [drawn] * (len(self.layers) + 1)  # that go into each layer, of the positions so far
        for position in range(self.positions):
            h = self.first.at(position, drawn)
            for i, layer in enumerate(cast("Iterable[_Masked]", self.layers)):
                features[i] = torch.cat([features[i], F.gelu(h)], 1)
                h = h + layer.at(position, features[i])
            features[-1] = torch.cat([features[-1], F.gelu(h)], 1)
            below = self.last.at(position, features[-1]).double().softmax(-1).cumsum(-1)
            at = torch.from_numpy(rng.random((count, 1))).to(device) * below[:, -1:]
            codes[:, position] = torch.searchsorted(below, at, right=True)[:, 0].clamp(max=self.entries - 1)
            drawn = torch.cat([drawn, self.code(codes[:, position] + self.offsets[position])], 1)
        return codes
