"""We as a contender: notice.read and RuleBook.judge, with the rules that are shipped."""

import sidecar
from sidecar.domain import notice
from sidecar.domain.classify import RuleBook
from sidecar.edges.rule_files import built_in
from tests.bench.stopwatch import serve


def _recognise(book: RuleBook, raw: bytes) -> bool:
    verdicts = [book.judge(report) for report in notice.read(raw).reports]
    return bool(verdicts)


if __name__ == "__main__":
    rules = built_in()
    serve(f"bounce-sidecar {sidecar.__version__}", lambda raw: _recognise(rules, raw))
