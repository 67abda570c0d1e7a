"""What recipes are made of: frozen configurations beside the classes that they configure."""

from morphospace.parts.given import GivenParts, allowed_parts, as_part, foreign_parts
from morphospace.parts.part import (
    Field,
    Foreign,
    Part,
    Shape,
    base_of,
    fields_of,
    is_part,
    kinds_of,
    option,
    part_from_json,
)
from morphospace.parts.values import read_value

__all__ = [
    "Field",
    "Foreign",
    "GivenParts",
    "Part",
    "Shape",
    "allowed_parts",
    "as_part",
    "base_of",
    "fields_of",
    "foreign_parts",
    "is_part",
    "kinds_of",
    "option",
    "part_from_json",
    "read_value",
]
