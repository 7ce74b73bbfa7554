import unittest

from tests.command import wordcount
from wordcount import most_common


class Top(unittest.TestCase):
    def test_the_most_frequent_words_come_first(self):
        self.assertEqual(list(most_common({"a": 1, "b": 3, "c": 2}, 2)), ["b", "c"])

    def test_equally_frequent_words_come_in_alphabetical_order(self):
        self.assertEqual(list(most_common({"pear": 1, "fig": 2, "apple": 1}, 3)), ["fig", "apple", "pear"])

    def test_the_command_counts_regardless_of_case(self):
        self.assertEqual(wordcount("The cat. The dog. the end", "--top", "1"), "     3  the\n     3  in total\n")


if __name__ == "__main__":
    unittest.main()
