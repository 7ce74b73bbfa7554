import json


def as_json(counts, total):
    """The same as the text report, for programs."""
    return json.dumps({"words": counts, "total": total}, ensure_ascii=False)
