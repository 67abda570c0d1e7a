"""What the folders that pictures lie in mean: their labels, their split, and what does not belong."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from morphospace.errors import plural

__all__ = ["NO_FOLDER", "Layout", "lay_out", "lay_out_as_before"]

NO_FOLDER = "(no folder)"
"""The label of images that lie beside the folders of the others."""

_KINDS = {"train": "train(?:ing)?|trn", "test": "test(?:ing)?|tst", "validation": "val(?:id(?:ation)?)?|dev"}
_GLUED = "(?:set|data|images?|imgs?|pictures)?"  # trainset
_PLAIN = frozenset(["set", "data", "dataset", "split", "part", "image", "images", "img", "imgs", "pictures", "photos"])
_IMAGES = frozenset(["image", "images", "img", "imgs", "jpegimages", "pictures", "photos", "input", "inputs"])
# fmt: off
_MASKS = frozenset([
    "mask", "masks", "label", "labels", "annotation", "annotations", "gt", "groundtruth", "ground_truth", "trimaps",
    "segmentation", "segmentations", "segmentationclass", "segmentationobject",
])
# fmt: on
_MASK_ENDING = re.compile(r"[_-](?:mask|gt|seg|segmentation|labels?)$", re.IGNORECASE)


@dataclass
class Layout:
    """What folders say of N files.

    Attributes:
        labels: the label of each, or none if there are fewer than two.
        splits: "train", "test" or "validation" for each, or none where folders do not say.
        left_out: by place: why the file does not belong to the set; its label and split mean nothing.
        notes: what was decided of the split, and of what does not belong, with what decides otherwise.
        label_notes: the same of labels; of no use where these come from elsewhere.
    """

    labels: list[str] = field(default_factory=list)
    splits: list[str] = field(default_factory=list)
    left_out: dict[int, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    label_notes: list[str] = field(default_factory=list)


def lay_out(files: Sequence[str]) -> Layout:
    """Labels and split by folders, in the ways that people lay them out.

    Folders that hold everything are passed through. ``train`` and ``test`` (or ``val``), under names like these, are
    the split, above or below the folders of the labels; the first level beside them has the labels.

    Args:
        files: names of pictures, relative to one folder, with ``/``.

    Example:
        >>> found = lay_out(["all/train/cat/1.png", "all/train/dog/1.png", "all/test/cat/2.png"])
        >>> found.labels, found.splits
        (['cat', 'dog', 'cat'], ['train', 'train', 'test'])
    """
    found = Layout()
    parts = [tuple(name.split("/")[:-1]) for name in files]
    _leave_out_masks(files, parts, found)
    rest = {i: folders for i, folders in enumerate(parts) if i not in found.left_out}
    passed = _pass_through(rest)
    kinds = _split_above(rest, found) or _split_below(rest, found)
    if kinds:
        found.splits = [kinds.get(i, "train") for i in range(len(files))]
        _take_validation_as_test(found)
    labels = {i: folders[0] if folders else NO_FOLDER for i, folders in rest.items() if i not in found.left_out}
    if len(set(labels.values())) > 1:
        found.labels = [labels.get(i, NO_FOLDER) for i in range(len(files))]
        _tell_of_labels({i: rest[i] for i in labels}, found)
    _tell_of_passed(passed, found)
    return found


def lay_out_as_before(files: Sequence[str]) -> Layout:
    """Labels and split as version 0.1 had them."""
    tops = {name.split("/", 1)[0] if "/" in name else "" for name in files}
    words = {"train": "train", "training": "train", "test": "test", "testing": "test"}
    words |= dict.fromkeys(("val", "valid", "validation"), "validation")
    kinds = {words.get(top.lower()) for top in tops}
    split = "train" in kinds and len(kinds) > 1 and None not in kinds
    found = Layout(splits=[words[name.split("/", 1)[0].lower()] for name in files] if split else [])
    if found.splits and "test" not in found.splits:
        found.splits = ["test" if kind == "validation" else kind for kind in found.splits]
    parts = [name.split("/")[split:-1] for name in files]
    labels = [folders[0] if folders else NO_FOLDER for folders in parts]
    found.labels = labels if len(set(labels)) > 1 else []
    return found


# -- what holds everything ----------------------------------------------------------------------------


def _pass_through(rest: dict[int, tuple[str, ...]]) -> list[str]:
    """Take away the folders that hold everything; returns their names."""
    passed: list[str] = []
    while rest:
        tops = {folders[0] for folders in rest.values() if folders}
        loose = [i for i, folders in rest.items() if not folders]
        if len(tops) != 1:
            break
        # Pictures beside a folder of folders are the odd ones; beside a folder of pictures they are a kind.
        below = {folders[1:2] for folders in rest.values() if folders}
        if loose and not _word(*tops)[0] and (len(below) < 2 or () in below):
            break
        passed += tops
        rest.update({i: folders[1:] for i, folders in rest.items()})
        if loose:
            break
    return passed


def _tell_of_passed(passed: Sequence[str], found: Layout) -> None:
    path = "/".join(passed)
    if passed and found.labels and not found.splits:
        found.label_notes.insert(
            0, f"{path}/ holds everything and is no label: labels are the folders in it (`label_from` takes others)"
        )
    if not found.splits and any(_word(name)[0] for name in passed):
        found.notes.append(
            f"{path}/ alone is no split: a tenth of its pictures, chosen by their content, is held out as a test "
            "(with folders train/ and test/ beside each other, these are taken)"
        )


# -- the split ----------------------------------------------------------------------------------------


def _word(name: str) -> tuple[str, tuple[str, ...]]:
    """Which split the name of a folder means, "" for none, and what else the name has."""
    words = re.findall("[A-Z]?[a-z]+|[A-Z]+", name)
    for kind, pattern in _KINDS.items():
        for word in words:
            if re.fullmatch(f"(?:{pattern}){_GLUED}", word.lower()):
                return kind, tuple(other for other in words if other != word and other.lower() not in _PLAIN)
    return "", ()


def _split_words(names: set[str]) -> dict[str, tuple[str, tuple[str, ...]]]:
    """Which of some folders are which split, and a label where there are several pairs; none without a pair.

    What else is in their names must be plain (train_set), or the same in both (seg_train, seg_test; trainA, testA):
    train-station and test-tube are labels.
    """
    groups: dict[tuple[str, ...], dict[str, str]] = {}
    for name in names:
        kind, more = _word(name)
        if kind:
            groups.setdefault(more, {})[name] = kind
    whole = {more: group for more, group in groups.items() if {"train"} < set(group.values())}
    several = len(whole) > 1
    return {
        name: (kind, (" ".join(more) or NO_FOLDER,) if several else ())
        for more, group in whole.items()
        for name, kind in group.items()
    }


def _split_above(rest: dict[int, tuple[str, ...]], found: Layout) -> dict[int, str]:
    """The split by the first level, which is taken away; strays go, or join the training images."""
    words = _split_words({folders[0] for folders in rest.values() if folders})
    if not words:
        return {}
    tops: dict[str, list[int]] = {}
    strays: dict[str, list[int]] = {}
    for i, folders in rest.items():
        top = folders[0] if folders else ""
        (tops if top in words else strays).setdefault(top, []).append(i)
    kinds = {i: words[top][0] for top, places in tops.items() for i in places}
    rest.update({i: (*words[rest[i][0]][1], *rest[i][1:]) for i in kinds})
    _pass_within(rest, tops)
    labels = {rest[i][0] for i in kinds if rest[i]}
    there = " and ".join(f"{top}/" for top in sorted(tops, key=lambda top: list(_KINDS).index(words[top][0])))
    for top, places in strays.items():
        if top and labels and all(len(rest[i]) > 1 and rest[i][1] in labels for i in places):
            rest.update({i: rest[i][1:] for i in places})
            kinds |= dict.fromkeys(places, "train")
            found.notes.append(
                f"{top}/ has the same folders as {there}: its pictures ({len(places):,}) were put to train "
                "(move it away to leave them out)"
            )
        else:
            found.left_out |= dict.fromkeys(places, f"left out, as it lies beside {there} (move it into one of these)")
    return kinds


def _pass_within(rest: dict[int, tuple[str, ...]], tops: dict[str, list[int]]) -> None:
    """Pass through folders that hold everything of one split, unless they are a label of another."""
    for top, places in tops.items():
        while True:
            first = {rest[i][0] if rest[i] else "" for i in places}
            if len(first) != 1 or "" in first:
                break
            others = [{rest[i][0] for i in more if rest[i]} for name, more in tops.items() if name != top]
            deeper = any(len(rest[i]) > 1 for i in places)
            if any(first <= names and len(names) > 1 for names in others) or (
                not deeper and not any(len(names) > 1 for names in others)
            ):
                break
            rest.update({i: rest[i][1:] for i in places})


def _split_below(rest: dict[int, tuple[str, ...]], found: Layout) -> dict[int, str]:
    """The split by the second level (cat/train/, cat/test/, dog/train/, ...), which is taken away."""
    words = _split_words({folders[1] for folders in rest.values() if len(folders) > 1})
    kinds = {i: words[folders[1]][0] for i, folders in rest.items() if len(folders) > 1 and folders[1] in words}
    if 2 * len(kinds) <= len(rest):
        return {}
    others = [i for i in rest if i not in kinds]
    if others:
        found.notes.append(
            f"{plural(len(others), 'picture')} in none of the folders {', '.join(sorted(words))} of the labels became "
            "training pictures (move them into one of these)"
        )
    rest.update({i: (rest[i][0], *rest[i][2:]) for i in kinds})
    return kinds | dict.fromkeys(others, "train")


def _take_validation_as_test(found: Layout) -> None:
    used = {kind for i, kind in enumerate(found.splits) if i not in found.left_out}
    if "test" not in used:  # a validation set is all there is to test on
        found.splits = ["test" if kind == "validation" else kind for kind in found.splits]
        found.notes.append("there is no folder of test pictures: the validation pictures are the test (add test/)")


# -- labels and masks ---------------------------------------------------------------------------------


def _tell_of_labels(rest: dict[int, tuple[str, ...]], found: Layout) -> None:
    loose = sum(not folders for folders in rest.values())
    if loose:
        found.label_notes.append(
            f'{plural(loose, "picture")} in no folder of a label: the label is "{NO_FOLDER}" '
            "(move what lies there, or give `label_from`)"
        )
    deeper = Counter(folders[1] for folders in rest.values() if len(folders) > 1)
    if deeper:
        names = ", ".join(f"{name}/" for name in list(deeper)[:3]) + (", ..." if len(deeper) > 3 else "")
        found.label_notes.append(
            f"labels are the first level of folders; the folders within ({names}) were not used "
            "(`label_from` decides otherwise)"
        )


def _leave_out_masks(files: Sequence[str], parts: Sequence[tuple[str, ...]], found: Layout) -> None:
    """Leave out masks: pictures in a folder like masks/ of which each has one of its name in a folder like images/."""
    sides: dict[frozenset[str], dict[tuple[tuple[str, ...], str], list[int]]] = {_IMAGES: {}, _MASKS: {}}
    for i, folders in enumerate(parts):
        for words in sides:
            level = next((k for k, name in enumerate(folders) if name.lower() in words), None)
            if level is not None:
                stem = files[i].rpartition("/")[2].rpartition(".")[0]
                stem = _MASK_ENDING.sub("", stem) if words is _MASKS else stem
                sides[words].setdefault((folders[:level], stem), []).append(i)
    images, masks = sides[_IMAGES], sides[_MASKS]
    if masks and masks.keys() <= images.keys():
        for i in (place for some in masks.values() for place in some):
            folder = next(name for name in parts[i] if name.lower() in _MASKS)
            found.left_out[i] = (
                f"left out as a mask, by its folder and name (name {folder}/ by itself to learn from masks)"
            )
