def as_text(counts, total):
    """One line per word, and a last line with the total."""
    lines = [f"{count:6}  {word}" for word, count in counts.items()]
    return "\n".join([*lines, f"{total:6}  in total"])
