"""Docstrings, as the site's reader of Google's style wants them."""

from __future__ import annotations

import re
from typing import Any

from griffe import Extension, Object

_SEVERAL = re.compile(r"^( +)(\w+), ((?:\w+, )*\w+): ", re.M)


class Adapted(Extension):
    """It knows "Examples", not "Example", and one name an entry, not several that share their words."""

    def on_object(self, *, obj: Object, **settings: Any) -> None:
        """Called for everything that is loaded."""
        if obj.docstring is not None:
            text = obj.docstring.value.replace("\nExample:\n", "\nExamples:\n")
            obj.docstring.value = _SEVERAL.sub(r"\1\2: (and \3) ", text)
