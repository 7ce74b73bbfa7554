import argparse
from pathlib import Path

from .count import count_words
from .report import as_text


def parser():
    command = argparse.ArgumentParser(prog="wordcount", description="Counts the words of a text.")
    command.add_argument("files", nargs="+", metavar="FILE", help="a text in UTF-8")
    return command


def main(arguments=None):
    options = parser().parse_args(arguments)
    text = "\n".join(Path(file).read_text(encoding="utf-8") for file in options.files)
    counts = count_words(text)
    total = sum(counts.values())
    print(as_text(counts, total))
    return 0
