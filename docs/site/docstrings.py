"""Docstrings, as the site's reader of Google's style wants them: it knows "Examples", not "Example"."""

from __future__ import annotations

from typing import Any

from griffe import Extension, Object


class OneExample(Extension):
    """Calls the section of one example what it is called with several."""

    def on_object(self, *, obj: Object, **settings: Any) -> None:
        """Called for everything that is loaded."""
        if obj.docstring is not None:
            obj.docstring.value = obj.docstring.value.replace("\nExample:\n", "\nExamples:\n")
