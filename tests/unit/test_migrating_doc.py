"""docs/migrating.md: its table is the program's, and the program's is complete."""

import re

from sidecar.configuration.settings import Settings
from sidecar.localsettings.counterparts import COUNTERPARTS
from tests.support.documents import text_of

#: BounceHandler's extension.json, and what older versions had besides.
ITS_SETTINGS = {
    "VERPprefix": "'wiki'",
    "VERPdomainPart": "null",
    "VERPalgorithm": "'md5'",
    "VERPsecret": "'MediawikiVERP'",
    "VERPAcceptTime": "259200",
    "BounceRecordPeriod": "604800",
    "BounceRecordLimit": "10",
    "BounceRecordMaxAge": "5184000",
    "BounceHandlerUnconfirmUsers": "false",
    "BounceHandlerInternalIPs": "['127.0.0.1', '::1']",
    "UnrecognizedBounceNotify": "[]",
    "GenerateVERP": "true",
    "BounceHandlerSharedDB": "false",
    "BounceHandlerCluster": "false",
}


def test_every_setting_has_its_counterpart_with_its_default() -> None:
    assert {one.name: one.spelled for one in COUNTERPARTS} == ITS_SETTINGS


def test_every_counterpart_is_a_setting_of_ours() -> None:
    for section, name in re.findall(r"\[([a-z.]+)\] (\w+)", " ".join(one.here for one in COUNTERPARTS)):
        shape = Settings
        for step in section.split("."):
            found = shape.model_fields[step].annotation
            shape = next(
                one for one in (found, *getattr(found, "__args__", ())) if hasattr(one, "model_fields")
            )
        assert name in shape.model_fields, f"[{section}] {name}"


def test_the_table_of_the_document_is_the_programs() -> None:
    rows = re.findall(
        r"^\| `\$wg(\w+)` \| `(.*?)` \| (.*?) \| (.*?) \|$", text_of("migrating.md"), re.MULTILINE
    )
    assert rows == [
        (one.name, one.spelled, f"`{one.here}`" if one.here else "nothing", one.note) for one in COUNTERPARTS
    ]
