"""Counts the words of a text."""

from .count import count_words
from .top import most_common
from .words import words

__all__ = [
    "count_words",
    "most_common",
    "words",
]
