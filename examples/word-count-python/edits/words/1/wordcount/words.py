import re

# Letters and digits; an apostrophe or a hyphen counts only between them.
WORD = re.compile(r"[^\W_]+(?:['’-][^\W_]+)*")


def words(text):
    """The words of a text, in order, without punctuation and regardless of case."""
    return WORD.findall(text.casefold())
