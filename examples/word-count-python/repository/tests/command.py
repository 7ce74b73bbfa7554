import contextlib
import io
import tempfile
from pathlib import Path

from wordcount.cli import main


def wordcount(text, *arguments):
    """What the command prints for a file with this text."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "text.txt"
        file.write_text(text, encoding="utf-8")
        output = io.StringIO()
        with contextlib.redirect_stdout(output):
            main([*arguments, str(file)])
        return output.getvalue()
