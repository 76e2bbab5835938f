"""Words, as people type them and PostgreSQL looks for them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from revampd.kit.search import LONGEST, MOST_WORDS, tidy, uuid_in, words


class TestTidy:
    def test_makes_one_line_without_nul(self):
        assert tidy(" a\0b \n c ") == "a b c"

    @given(st.text())
    def test_is_short_and_stays_as_it_is(self, text):
        tidied = tidy(text)

        assert len(tidied) <= LONGEST
        assert tidy(tidied) == tidied
        assert "\0" not in tidied


class TestWords:
    def test_are_small_and_whole(self):
        assert words("O'Neil & Sons, ben@example.com") == [
            *("o", "neil", "sons", "ben", "example", "com")
        ]

    @given(st.text())
    def test_never_hold_what_text_search_reads_as_its_own(self, text):
        assert len(words(text)) <= MOST_WORDS
        assert all(word.isalnum() for word in words(text))


class TestUuidIn:
    @pytest.mark.parametrize("text", ["0199-", "", "urn:uuid:" + "0" * 32, "{" + "0" * 32 + "}"])
    def test_is_none_for_anything_else(self, text):
        assert uuid_in(text) is None

    def test_reads_both_spellings(self):
        text = "019a2b3c-4d5e-7f60-8a9b-0c1d2e3f4a5b"

        assert uuid_in(text) == uuid_in(text.replace("-", "").upper())
