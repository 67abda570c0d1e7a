"""The model card of a space: what it is, how well it does, and what it reveals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from morphospace.errors import plural
from morphospace.interpretation import Interpretation

__all__ = ["in_short", "model_card"]

_UNITS = {"beta": "the weight of the KL", "psnr": "dB", "book_loss": "the book's loss"}
_NAMED = 5  # attributes that are named; of more, the first few and how many there are


def in_short(names: Sequence[str]) -> str:
    """Names in a sentence: all of a few, of many the first ones.

    Example:
        >>> in_short(["age", "hair"]), in_short(list("abcdefgh"))
        ('age, hair', 'a, b, c, d, e and 3 more')
    """
    more = len(names) - _NAMED
    return ", ".join(names[:_NAMED]) + (f" and {more} more" if more > 0 else "")


def _polished(config: Mapping[str, Any]) -> list[str]:
    """What was done to the decoder after training, with the figures of before."""
    done = config.get("polish", ())
    if not done:
        return []
    lines = [
        "## How it was polished",
        "After training, its decoder went on alone, to draw sharper; the encoder was held still. So every code is that "
        "of before to the last bit, and concepts, classes, sampler, reference points and attributes have stayed, too.",
        "",
    ]
    for polish in done:
        network = polish.get("objective", {}).get("features")
        by = f"the feature network `{network}`" if network else f"`{polish.get('objective', {}).get('kind', '?')}`"
        lines.append(f"- {plural(polish['epochs'], 'epoch')} in {polish['seconds']:.0f} s, by {by}.{_before(polish)}")
    return [
        *lines,
        "",
        "The test figures above are of the polished decoder, scored anew. Its nats are true ones, but no longer all "
        "that was descended: a sharp guess that is a little off costs more of them than a blurred one. To compare its "
        "likelihood with that of other spaces, take the figures of before. What trials of concepts and other reports "
        "from before show was drawn by the decoder of before.",
        "",
    ]


def _before(polish: Mapping[str, Any]) -> str:
    """The figures before a polish, in a sentence."""
    names = {"neg_elbo": "−ELBO", "reconstruction": "reconstruction", "kl": "KL", "psnr": "PSNR"}
    found = [
        f"{name} {polish['before'][key]:.4f} {_UNITS.get(key, 'nats')}"
        for key, name in names.items()
        if polish.get("before", {}).get(key) is not None
    ]
    words = f" Before it: {', '.join(found)}." if found else ""
    if "distance" in polish:
        before, after = polish["distance"]["before"], polish["distance"]["after"]
        words += (
            f" Perceptual distance of test images from their reconstructions: {before:.4f} before, {after:.4f} after."
        )
    return words


def model_card(
    config: Mapping[str, Any],
    latents: int,
    *,
    labels: bool = False,
    attributes: Sequence[str] = (),
    errors: bool = True,
) -> str:
    """The model card, in Markdown.

    Args:
        config: recipe, shape, parameters, seed, data and test figures, as in ``config.json``.
        latents: d, how many there are.
        labels: whether the labels of the test images are kept beside their codes.
        attributes: the names of those that are.
        errors: whether it is kept how well each is reconstructed.
    """
    height, width, channels = config["shape"]
    recipe, data = config["recipe"], config.get("data", {})
    beside = ["its label"] * labels
    beside += [f"what the set's table says of it ({in_short(attributes)})"] * bool(attributes)
    beside += ["how well it is reconstructed"] * errors
    found = data.get("interpretation")
    how = "" if found is None else Interpretation.from_json(found).in_words()
    listed = " and ".join([", ".join(beside[:-1]), beside[-1]] if len(beside) > 1 else beside)
    lines = [
        "---",
        "library_name: morphospace",
        "tags: [vae, latent-space, image-generation]",
        "---",
        f"# A space of {data.get('name', 'images')}",
        "",
        f"{latents} latents, {height}x{width}x{channels} images, recipe `{recipe['name']}`, "
        f"{config['parameters']:,} parameters, seed {config.get('seed', 0)}.",
        "",
        "```python",
        "import morphospace as ms",
        'space = ms.load("THIS FOLDER")',
        'space.atlas().save("atlas.png")',
        "```",
        "",
        "| test figure | | |",
        "|---|---|---|",
        *(
            f"| {name} | {value:.4f} | {_UNITS.get(name, 'nats an image')} |"
            for name, value in config.get("test", {}).items()
            if value is not None
        ),
        "",
        *_polished(config),
        *(["## What it takes", f"Later images are read as those of its set: {how}.", ""] if how else []),
        "## What it reveals",
        f"The weights were learned from `{data.get('name', '?')}` ({data.get('licence') or 'licence unknown'}) and "
        "can reproduce typical images of it, after much training on few images even single ones. The reference "
        "points are codes of its test images: decoding them gives a likeness of each"
        f"{f'; beside each code stands {listed}' if listed else ''}. Where classes were learned, "
        "`classes.safetensors` has the mean and covariance of "
        "each one's codes: decoding a mean gives its average image; where samples come from what was fitted to codes, "
        "`sampler.safetensors` has the same of up to 256 parts of the training images; concepts that were learned "
        "from images hold the codes of up to 512 of them each: decoding them gives a likeness of each. The names of "
        "labels and concepts, the counts of images and the command that was typed, with the paths in it, are in "
        "`config.json`; file names and pixels are not. Do not share a space of images that you may not share.",
        "",
    ]
    return "\n".join(lines)
