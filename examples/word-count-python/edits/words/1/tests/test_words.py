import unittest

from wordcount import words


class Words(unittest.TestCase):
    def test_punctuation_belongs_to_no_word(self):
        self.assertEqual(words("Well, (he) said: 'stop!'"), ["well", "he", "said", "stop"])

    def test_apostrophes_and_hyphens_inside_a_word_do(self):
        self.assertEqual(words("It's a well-known - fact"), ["it's", "a", "well-known", "fact"])

    def test_case_does_not_matter_in_any_language(self):
        self.assertEqual(words("STRASSE Straße ÉTÉ"), ["strasse", "strasse", "été"])


if __name__ == "__main__":
    unittest.main()
