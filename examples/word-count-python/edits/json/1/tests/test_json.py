import json
import unittest

from tests.command import wordcount
from wordcount import as_json


class Json(unittest.TestCase):
    def test_words_and_total_are_data(self):
        self.assertEqual(json.loads(as_json({"a": 2}, 2)), {"words": {"a": 2}, "total": 2})

    def test_the_command_prints_it(self):
        self.assertEqual(json.loads(wordcount("b a b", "--json")), {"words": {"b": 2, "a": 1}, "total": 3})

    def test_without_the_option_it_prints_text(self):
        self.assertIn("in total", wordcount("a"))


if __name__ == "__main__":
    unittest.main()
