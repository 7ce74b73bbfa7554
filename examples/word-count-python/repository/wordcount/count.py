from collections import Counter

from .words import words


def count_words(text):
    """How often each word occurs, in the order of first occurrence."""
    return Counter(words(text))
