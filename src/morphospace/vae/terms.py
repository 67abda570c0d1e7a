"""What objectives and figures are made of: sums over the terms of a batch."""

from __future__ import annotations

import torch
from torch import Tensor

from morphospace.vae.interfaces import Progress, Terms

__all__ = ["figures_of", "kl_of", "log_weights_of", "penalties_of", "risen"]


def kl_of(terms: Terms) -> Tensor:
    """(B,) KL(q, p) over all groups, in nats: closed where there is a form, else the draws' mean."""
    total = torch.zeros_like(terms.log_px[0])
    for group in terms.groups:
        if group.kl is not None:
            total = total + group.kl
        elif group.log_q is not None and group.log_p is not None:
            total = total + (group.log_q - group.log_p).mean(0)
    return total


def log_weights_of(terms: Terms) -> Tensor:
    """(K, B) log p(x, z) - log q(z | x) of each draw, in nats."""
    total = terms.log_px
    for group in terms.groups:
        if group.log_q is not None and group.log_p is not None:
            total = total + (group.log_p - group.log_q)
    return total


def penalties_of(terms: Terms) -> Tensor:
    """0-d: the posteriors' own losses, a commitment to codes, say; 0 where they have none."""
    total = terms.log_px.new_zeros(())
    for draw in terms.draws:
        if draw.penalty is not None:
            total = total + draw.penalty.mean()
    return total


def figures_of(terms: Terms) -> dict[str, Tensor]:
    """What a person sees of each image, (B,) nats by name: they add up to the bound where all are there."""
    figures = {"reconstruction": -terms.log_px.mean(0)}
    if any(group.log_q is not None or group.kl is not None for group in terms.groups):
        figures["kl"] = kl_of(terms)
    return figures


def risen(anneal: float, progress: Progress) -> Tensor | float:
    """The share, 0..1, that a weight has reached when it rises over ``anneal`` of all steps."""
    return (progress.step / max(1.0, anneal * progress.total)).clamp(max=1.0) if anneal else 1.0
