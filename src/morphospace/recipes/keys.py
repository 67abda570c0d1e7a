"""The keys of a recipe: every field of its parts by a dotted name, and by the shortest one that is clear."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from morphospace.errors import ArgumentError, did_you_mean
from morphospace.parts import Field, Foreign, Part, as_part, fields_of, kinds_of, part_from_json, read_value
from morphospace.recipes.described import SLOTS
from morphospace.recipes.recipe import Recipe
from morphospace.samplers.mixture import MixtureConfig

__all__ = ["Key", "changed", "is_key", "keys_of", "setting_pairs"]

# What keys and values were called before recipes had parts: they stay.
_FORMER_KEYS = {
    "network": ("encoder", "decoder"),
    "encoder_widths": ("encoder.widths",),
    "decoder_widths": ("decoder.widths",),
    "sampling": ("sampler",),
}
_FORMER_VALUES = {("likelihood", "gaussian-learned"): {"kind": "gaussian", "learned": True}}
_BOTH = ("encoder", "decoder")


class Key(NamedTuple):
    """A field somewhere in a recipe: what it is called, where it is, and what stands there."""

    name: str
    path: tuple[str | int, ...]
    field: Field | None
    value: Any


def keys_of(recipe: Recipe) -> dict[str, Key]:
    """Every key of a recipe by its full name: parts first, then what they hold.

    Parts of the model go by their own names (``encoder.widths``), those of the first stage too (``objective.beta``);
    those of later stages have ``stage2.`` in front.

    Example:
        >>> from morphospace.recipes import find_recipe
        >>> keys_of(find_recipe("quick"))["objective.anneal"].value
        0.8
    """
    found = [
        Key("model", ("model",), None, recipe.model),
        *_inside(recipe.model, "", ("model",)),
    ]
    for number, stage in enumerate(recipe.stages):
        found += _inside(stage, f"stage{number + 1}." if number else "", ("stages", number))
    found += [*_inside(recipe.images, "images.", ("images",)), Key("sampler", ("sampler",), None, recipe.sampler)]
    found += _inside(recipe.sampler, "sampler.", ("sampler",))
    found.append(Key("patience", ("patience",), _PATIENCE, recipe.patience))
    return {key.name: key for key in found}


_PATIENCE = Field(
    "patience", int | None, 0,
    "training stops after so many epochs without a better validation score, and keeps the best; 0 never stops and "
    "keeps the last; none is a fifth of the epochs for sets of fewer than 2,000 and 0 for others",
    0, 1e9, None, False,
)  # fmt: skip


def _inside(part: Part, front: str, path: tuple[str | int, ...]) -> Iterator[Key]:
    for field in fields_of(type(part)):
        value = getattr(part, field.name)
        yield Key(f"{front}{field.name}", (*path, field.name), field, value)
        if isinstance(value, Part):
            yield from _inside(value, f"{front}{field.name}.", (*path, field.name))


def changed(recipe: Recipe, changes: Mapping[str, Any], foreign: Foreign | None = None) -> Recipe:
    """The recipe with some keys changed; of a part that is replaced, what the new one has too stays.

    Args:
        recipe: where to start.
        changes: by key: texts as ``--set`` takes them, values, the names of kinds, parts, or objects that are to be
            parts.
        foreign: finds parts of other packages by their names.

    Raises:
        ArgumentError: for an unknown key, one that several parts have, one that the chosen parts have no use for, or a
            value of the wrong type or range.

    Example:
        >>> from morphospace.recipes import find_recipe
        >>> changed(find_recipe("quick"), {"epochs": "3", "encoder.widths": "64,32"}).epochs
        3
    """
    wanted = {new: value for key, value in changes.items() for new in _FORMER_KEYS.get(key, (key,))}
    tree = _Tree(recipe, foreign)
    parts = []
    for key in sorted(wanted, key=lambda key: (key != "model", key.count("."))):  # what holds others first
        if tree.is_part(key):
            tree.set_part(key, wanted[key])
            parts.append(key)
    asked = {key.name for key in (tree.found(key)[0] for key in parts)}
    said = tree.set_fields({key: value for key, value in wanted.items() if key not in parts})
    for stage in {name.rpartition(".")[0] for name in said if name.rpartition(".")[2] == "epochs"}:
        tree.also(stage, "min_steps", 0, said)
    for stage in {name.rpartition(".")[0] for name in said if name.rpartition(".")[2] == "batch"}:
        tree.also(stage, "least_batch", tree.value(stage, "batch"), said)
    if tree.values["model"].draws == "points" and "sampler" not in asked and tree.values["sampler"].from_prior:
        tree.values["sampler"] = MixtureConfig()
    return tree.recipe()


class _Tree:
    """A recipe while it changes: its parts need not fit each other until the end."""

    def __init__(self, recipe: Recipe, foreign: Foreign | None) -> None:
        self.before = recipe
        self.foreign = foreign
        self.values: dict[str, Any] = {
            f.name: getattr(recipe, f.name) for f in dataclasses.fields(recipe) if f.name not in ("name", "summary")
        }

    def recipe(self) -> Recipe:
        return dataclasses.replace(self.before, **self.values)

    def keys(self) -> dict[str, Key]:
        shown = object.__new__(Recipe)
        for name, value in (vars(self.before) | self.values).items():
            object.__setattr__(shown, name, value)
        return keys_of(shown)

    def found(self, key: str) -> list[Key]:
        """The keys that ``key`` means: one, or what encoder and decoder both have."""
        known = self.keys()
        if key in known:
            return [known[key]]
        ends = [name for name in known if name.endswith(f".{key}") and not name.startswith("stage")]
        if len(ends) == 1 or {name.split(".")[0] for name in ends} == set(_BOTH):
            return [known[name] for name in ends]
        if ends:
            raise ArgumentError(f"several parts have one. Say which: {', '.join(ends)}.", argument=key)
        raise ArgumentError(self._why_not(key, known), argument=key)

    def _why_not(self, key: str, known: Mapping[str, Key]) -> str:
        """The sentence for a key that the recipe does not have: who has it, if anybody."""
        front, _, last = key.rpartition(".")
        for name, there in known.items():
            if not isinstance(there.value, Part) or (front and name != front and not name.endswith(f".{front}")):
                continue
            having = [
                kind for kind, part in kinds_of(there.value.slot).items() if last in (f.name for f in fields_of(part))
            ]
            if having:
                has = "have" if len(having) > 1 else "has"
                return (
                    f"of {there.value.slot}s, only {' and '.join(having)} {has} it, and {name} is {there.value.kind}. "
                    f'Leave it out, or choose another: `{name}="{having[0]}"`.'
                )
        names = sorted({*known, *_FORMER_KEYS} if "." in key else {name.rpartition(".")[2] for name in known})
        return f'recipe "{self.before.name}" has no key "{key}". {did_you_mean(key, names)}'

    def is_part(self, key: str) -> bool:
        """Whether ``key`` names a part, in the recipe as it stands or as it may become."""
        try:
            return all(isinstance(found.value, Part) for found in self.found(key))
        except ArgumentError:
            return False

    def set_part(self, key: str, value: object) -> None:
        for found in self.found(key):
            before: Part = found.value
            former = _FORMER_VALUES.get((before.slot, value)) if isinstance(value, str) else None
            new = part_from_json(before.slot, former) if former else as_part(before.slot, value, self.foreign)
            self._put(found.path, _keeping(new, before) if isinstance(value, str) and fields_of(type(new)) else new)

    def set_fields(self, wanted: Mapping[str, object]) -> set[str]:
        """Set what parts hold, all of a part at once, as one may need another; gives their full names."""
        said: set[str] = set()
        parts: dict[tuple[str | int, ...], dict[str, tuple[str, Any]]] = {}
        for key, value in wanted.items():
            for place in self.found(key):
                if place.field is None or place.field.slot:
                    raise ArgumentError(f"expected a part, got {value!r:.60}.", argument=key)
                read = read_value(key, place.field.type, value) if isinstance(value, str) else value
                read = tuple(read) if isinstance(read, list) else read
                parts.setdefault(place.path[:-1], {})[str(place.path[-1])] = key, read
                said.add(place.name)
        for path, changes in parts.items():
            values = {name: value for name, (_, value) in changes.items()}
            if not path:  # the recipe's own
                self.values |= values
                continue
            part = _at(self.values, path)
            try:
                self._put(path, part.replace(**_without_idle(part, values)))
            except ArgumentError as error:  # by the name that somebody used
                named = changes.get(str(error.argument).rpartition(".")[2], (error.argument, None))
                raise ArgumentError(error.words, argument=named[0]) from error
        return said

    def also(self, stage: str, key: str, value: object, said: set[str]) -> None:
        """Set what goes along with another key, unless it was said."""
        name = f"{stage}.{key}" if stage else key
        if name not in said:
            self._put(self.keys()[name].path, value)

    def value(self, stage: str, key: str) -> Any:
        return self.keys()[f"{stage}.{key}" if stage else key].value

    def _put(self, path: tuple[str | int, ...], value: object) -> None:
        first, *rest = path
        self.values[str(first)] = _with(self.values[str(first)], tuple(rest), value)


def _at(whole: Any, path: tuple[str | int, ...]) -> Any:
    """What stands at the end of ``path``."""
    for step in path:
        whole = getattr(whole, str(step)) if isinstance(whole, Part) else whole[step]
    return whole


def _without_idle(part: Part, changes: Mapping[str, Any]) -> dict[str, Any]:
    """Changes of a part, and those that they bring: what has no use any more goes back to its default.

    Raises:
        ArgumentError: if one that was asked for has none.
    """
    found = dict(changes)
    for field in fields_of(type(part)):
        if field.needs and not (chosen := found.get(field.needs, getattr(part, field.needs))):
            if field.name in changes:
                raise ArgumentError(
                    f"it changes nothing without {field.needs}, which is {chosen}. Leave it out.", argument=field.name
                )
            found[field.name] = field.default
    return found


def _with(whole: Any, path: tuple[str | int, ...], value: object) -> Any:
    """``whole`` with another value at the end of ``path``."""
    if not path:
        return value
    first, *rest = path
    if isinstance(first, int):
        changed_one = _with(whole[first], tuple(rest), value)
        return (*whole[:first], changed_one, *whole[first + 1 :])
    return whole.replace(**{first: _with(getattr(whole, first), tuple(rest), value)})


def _keeping(new: Part, before: Part) -> Part:
    """A part of another kind with what it has in common with the one before it, where that has a meaning there."""
    has = {field.name: field for field in fields_of(type(before))}
    same = {
        field.name: getattr(before, field.name)
        for field in fields_of(type(new))
        if field.name in has and has[field.name].type == field.type and getattr(new, field.name) == field.default
    }
    idle = {
        field.name
        for field in fields_of(type(new))
        if field.needs and not same.get(field.needs, getattr(new, field.needs))
    }
    kept = {name: value for name, value in same.items() if name not in idle}
    try:
        return new.replace(**kept)
    except ArgumentError:  # out of the new one's range
        return new


def is_key(name: str) -> bool:
    """Whether some recipe has a key ``name``: a slot, or a field of a part, with what it stands in before a dot or not.

    Example:
        >>> is_key("beta"), is_key("encoder.widths"), is_key("images")
        (True, True, False)
    """
    last = name.rpartition(".")[2]
    known = {field.name for slot in SLOTS for part in kinds_of(slot).values() for field in fields_of(part)}
    is_slot = last in SLOTS and last not in ("stage", "images")  # whose one kind nobody chooses
    return last in known or is_slot or name in _FORMER_KEYS or name == "patience"


def setting_pairs(texts: Iterable[str]) -> dict[str, str]:
    """Texts like "epochs=20" as a mapping; of a key that comes again the last counts.

    Raises:
        ArgumentError: for a text without "=".
    """
    pairs = {}
    for text in texts:
        key, equals, value = text.partition("=")
        if not equals:
            raise ArgumentError(f'expected key=value, like epochs=20, got "{text}".', argument="settings")
        pairs[key.strip()] = value.strip()
    return pairs
