def most_common(counts, limit):
    """The words that occur most often, at most `limit` of them; equally frequent ones in alphabetical order."""
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:limit])
