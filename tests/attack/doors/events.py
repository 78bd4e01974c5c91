"""JSON from outside: events, Amazon's envelopes and messages, forms.

What must be: an event or words for the client, on one line; and an event becomes a mail in which our own
reader finds its recipients and no others.
"""

from sidecar.domain import event_form, notice, ses
from sidecar.domain.event import Event, compose
from sidecar.domain.json_text import NotJson, parse
from sidecar.edges import form, sns
from tests.attack.doors.fuzz import Broken, Target, fuzz
from tests.attack.tally import Tally

__all__ = ["TARGET", "campaign"]

VICTIM = "v@victim.example"  # whom no event is about, and many would like to name


def _words(error: Exception) -> None:
    if not str(error).isprintable() or not str(error):
        raise Broken(f"no words for a client: {str(error)[:300]!r}")


def _composed(event: Event) -> None:
    raw = compose(event)
    raw.decode()
    if b"\0" in raw or b"\r" in raw.replace(b"\r\n", b""):
        raise Broken("a mail with a bare CR or a NUL")
    told = [failure.address for failure in event.failures]
    found = [report.address for report in notice.read(raw).reports]
    if len(found) > len(told) or (VICTIM in found and not any(VICTIM in address for address in told)):
        raise Broken(f"recipients that the event does not name: {found}, and not {told}")


def _check(data: bytes) -> None:
    try:
        _composed(event_form.parse(parse(data)))
    except (NotJson, event_form.BadEvent) as error:
        _words(error)
    try:
        envelope = sns.Envelope.parse(data)
        envelope.signed_text()
        sns.is_amazons(envelope.fields.get("SubscribeURL", ""))
        sns.certificate_url(envelope)
    except sns.BadEnvelope as error:
        _words(error)
    try:
        told = ses.parse(data.decode("utf-8", "replace"))
        if told.event:
            _composed(told.event)
    except ses.NotUnderstood as error:
        _words(error)
    for kind in ("application/x-www-form-urlencoded", 'multipart/form-data; boundary="b"'):
        try:
            form.fields(kind, data)
        except form.BadForm as error:
            _words(error)


TARGET = Target(
    __name__,
    _check,
    seeds=[
        b'{"return_path": "wiki-enwiki-1@b.example", "address": "a@b.example", "type": "bounce",'
        b' "action": "failed",'
        b' "status": "5.1.1", "diagnostic": "550 5.1.1 no such user", "remote_mta": "mx.example", "time":'
        b' "2026-03-01T12:00:00Z", "id": "x"}',
        b'{"notificationType":"Bounce","bounce":{"bounceType":"Permanent","bounceSubType":"General",'
        b'"bouncedRecipients":[{"emailAddress":"a@b.example","action":"failed","status":"5.1.1","diagnosticCode":'
        b'"smtp; 550 5.1.1 unknown"}],"timestamp":"2026-03-01T12:00:00.000Z","reportingMTA":"dns; mx"},'
        b'"mail":{"source":"wiki-enwiki-1@b.example","timestamp":"2026-03-01T12:00:00.000Z","messageId":"x"}}',
        b'{"eventType":"Complaint","complaint":{"complainedRecipients":[{"emailAddress":"a@b.example"}],'
        b'"timestamp":"2026-03-01T12:00:00.000Z"},"mail":{"source":"wiki-enwiki-1@b.example"}}',
        b'{"Type":"Notification","MessageId":"1","TopicArn":"arn:aws:sns:x","Message":"{}","Timestamp":"2026-03-01'
        b'T12:00:00.000Z","SignatureVersion":"1","Signature":"AAAA","SigningCertURL":'
        b'"https://sns.eu-west-1.amazonaws.com/x.pem"}',
        b"action=bouncehandler&format=json&email=Subject%3A+x%0D%0A%0D%0Ax",
        b'--b\r\nContent-Disposition: form-data; name="email"\r\n\r\nSubject: x\r\n\r\nx\r\n--b--\r\n',
    ],
    words=[
        *(
            b"[" * 3000,
            b'{"a":' * 3000,
            b"9" * 5000,
            b"1e999",
            b"NaN",
            b"Infinity",
            b"-0",
            b"null",
            b"true",
            b"[]",
            b"{}",
        ),
        *(
            rb"\ud800",
            rb"\udfff",
            rb"\u0000",
            rb"\r\nBcc: x@y.example",
            rb"\n\nFinal-Recipient: rfc822; v@victim.example",
        ),
        *(
            rb"\u2028",
            rb"\u001b[2J",
            rb"\u202e",
            b'"address": "v@victim.example",',
            b"\xef\xbb\xbf",
            b"\xff\xfe{\0",
            b"%",
        ),
        *(
            b"%00",
            b"--b",
            b"\r\n\r\n",
            rb"=?utf-8?B?DQo=?=",
            b'"status": "2.0.0",',
            b'"type": "complaint",',
            b"//",
            b"@",
        ),
    ],
)


def campaign(seed: int, seconds: float) -> Tally:
    return fuzz(TARGET, seed, seconds)
