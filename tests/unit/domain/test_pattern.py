"""A phrase is made ready where it is first needed, and copied as it is written."""

import pickle

from sidecar.domain.pattern import Phrase, compile_phrase
from sidecar.domain.sought import Sought
from sidecar.domain.wording import words_of

WRITTEN = "host (?P<host>[a-z.]{1,40}) unknown"


def test_a_phrase_that_was_used_is_copied_as_one_that_was_not() -> None:
    used = compile_phrase(WRITTEN)
    found = used.search(words_of("Host a.example unknown", Sought(used.needed)))
    assert found
    assert (found["host"], used.names_host) == ("a.example", True)
    assert pickle.dumps(used) == pickle.dumps(Phrase(WRITTEN))
    assert pickle.loads(pickle.dumps(used)) == used
