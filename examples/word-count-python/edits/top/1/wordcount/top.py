def most_common(counts, limit):
    """The words that occur most often, at most `limit` of them."""
    return dict(sorted(counts.items(), key=lambda item: item[1], reverse=True)[:limit])
