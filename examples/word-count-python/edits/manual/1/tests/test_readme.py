import re
import unittest
from pathlib import Path

from wordcount.cli import parser


class Readme(unittest.TestCase):
    def test_every_option_is_described(self):
        readme = (Path(__file__).parent.parent / "README.md").read_text(encoding="utf-8")
        for option in set(re.findall(r"--[a-z]+", parser().format_help())) - {"--help"}:
            self.assertIn(option, readme)


if __name__ == "__main__":
    unittest.main()
