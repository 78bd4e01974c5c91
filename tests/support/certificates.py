"""Certificates for tests: an authority, what it signs, and a server of TLS that has nothing to say.

Knows X.509 as far as a wrong certificate needs it. Does not know who connects.
"""

import contextlib
import socket
import ssl
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

__all__ = ["Authority", "served"]

DAY = timedelta(days=1)


class Authority:
    """Whoever trusts ``file`` trusts what it signs."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._key = folder, ec.generate_private_key(ec.SECP256R1())
        self._certificate = _signed("a test's authority", self._key, None, self._key, datetime.now(UTC) + DAY)
        self.file = folder / "authority.pem"
        self.file.write_bytes(self._certificate.public_bytes(serialization.Encoding.PEM))

    def certify(self, host: str, until: datetime, *, by_itself: bool = False) -> Path:
        """A file with a key and its certificate, of this authority or *by_itself*."""
        key = ec.generate_private_key(ec.SECP256R1())
        issuer = (None, key) if by_itself else (self._certificate, self._key)
        certificate = _signed(host, key, *issuer, until)
        file = self._folder / f"{host}-{until:%Y%m%d}-{by_itself}.pem"
        secret = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        file.write_bytes(secret + certificate.public_bytes(serialization.Encoding.PEM))
        return file


def _signed(
    host: str,
    key: ec.EllipticCurvePrivateKey,
    issuer: x509.Certificate | None,
    issuers_key: ec.EllipticCurvePrivateKey,
    until: datetime,
) -> x509.Certificate:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
    authority = issuer is None and issuers_key is key and " " in host
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(issuer.subject if issuer else name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(min(datetime.now(UTC), until) - DAY)
        .not_valid_after(until)
        .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
    )
    if not authority:
        builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
    return builder.sign(issuers_key, hashes.SHA256())


@contextlib.contextmanager
def served(certificate: Path | None) -> Iterator[int]:
    """A port at which this certificate is shown to everybody; None: one that speaks no TLS."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    if certificate:
        context.load_cert_chain(certificate)
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                line, _ = listener.accept()
            except OSError:
                return
            with contextlib.suppress(OSError), line:
                if certificate:
                    context.wrap_socket(line, server_side=True).close()
                else:
                    line.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield listener.getsockname()[1]
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join()
