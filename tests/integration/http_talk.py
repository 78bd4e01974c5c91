"""A connection to the HTTP door, octet by octet."""

import asyncio
import contextlib
import json

from tests.integration.doors import PATIENCE
from tests.integration.http_house import PATH, TOKEN

HEADER = f"POST /bounces?recipient={PATH} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {TOKEN}\r\n"


class Talk:
    """A connection, octet by octet."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    def say(self, text: str) -> "Talk":
        self.writer.write(text.encode())
        return self

    async def hear(self) -> tuple[int, dict]:
        """One answer."""
        async with asyncio.timeout(PATIENCE):
            header = (await self.reader.readuntil(b"\r\n\r\n")).decode().lower()
            length = int(header.partition("content-length: ")[2].split()[0])
            return int(header.split()[1]), json.loads(await self.reader.readexactly(length))

    async def gone(self) -> bytes:
        """What comes until the door hangs up."""
        async with asyncio.timeout(PATIENCE):
            with contextlib.suppress(ConnectionResetError):
                return await self.reader.read()
        return b""
