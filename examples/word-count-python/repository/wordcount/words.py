def words(text):
    """The words of a text, in order. A word is whatever stands between blanks."""
    return text.split()
