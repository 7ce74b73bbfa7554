"""Counts the words of a text."""

from .count import count_words
from .words import words

__all__ = [
    "count_words",
    "words",
]
