import unittest

from tests.command import wordcount
from wordcount import count_words


class Count(unittest.TestCase):
    def test_counts_every_word(self):
        self.assertEqual(count_words("to be or not to be"), {"to": 2, "be": 2, "or": 1, "not": 1})

    def test_an_empty_text_has_no_words(self):
        self.assertEqual(count_words(" \n "), {})

    def test_the_command_prints_words_and_total(self):
        self.assertEqual(wordcount("b a b"), "     2  b\n     1  a\n     3  in total\n")


if __name__ == "__main__":
    unittest.main()
