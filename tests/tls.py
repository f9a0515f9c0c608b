"""Certificates of a test, by an authority of its own, and a proxy that ends TLS."""

import asyncio
import ssl
import threading
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Self

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat


class Authority:
    """Signs certificates; `trusted` is the context of a client that believes it, and nobody else."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Tests")])
        authority = x509.BasicConstraints(ca=True, path_length=0)
        usage = x509.KeyUsage(False, False, False, False, False, True, True, False, False)
        own = _draft(self._name, self._name, self._key.public_key()).add_extension(authority, critical=True)
        self._certificate = own.add_extension(usage, critical=True).sign(self._key, SHA256())
        self.file = folder / "authority.pem"
        self.file.write_bytes(self._certificate.public_bytes(Encoding.PEM))

    @property
    def trusted(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=str(self.file))

    def server(self, *hosts: str) -> ssl.SSLContext:
        """The context of a server for `hosts`: names, or addresses."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, hosts[0])])
        names = x509.SubjectAlternativeName([_general(host) for host in hosts])
        draft = _draft(subject, self._name, key.public_key()).add_extension(names, critical=False)
        authority = x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key())
        signed = draft.add_extension(authority, critical=False).sign(self._key, SHA256())
        private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        file = self.folder / f"{hosts[0]}.pem"
        file.write_bytes(private + signed.public_bytes(Encoding.PEM))
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(file)
        return context


def _draft(subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )


def _general(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(host))
    except ValueError:
        return x509.DNSName(host)


class TlsProxy:
    """What stands in front of the product: ends TLS for `localhost`, and says so to the server at `port`.

    Passes one request, or one WebSocket, per connection; what clients say of themselves in X-Forwarded-… is dropped.
    Runs in a thread from `__enter__` to `__exit__`.
    """

    def __init__(self, authority: Authority, port: int) -> None:
        self.authority = authority
        self._target = port
        self._ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), name="tls", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        assert self._ready.wait(5)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._over.set)
        self._thread.join(5)

    @property
    def host(self) -> str:
        """Where people reach the product."""
        return f"localhost:{self.port}"

    @property
    def inside(self) -> str:
        """Where the server is, past the proxy."""
        return f"127.0.0.1:{self._target}"

    async def _serve(self) -> None:
        self._loop, self._over = asyncio.get_running_loop(), asyncio.Event()
        tls = self.authority.server("localhost")
        server = await asyncio.start_server(self._accept, "127.0.0.1", 0, ssl=tls)
        self.port: int = server.sockets[0].getsockname()[1]
        self._ready.set()
        await self._over.wait()
        server.close()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, asyncio.IncompleteReadError):
            head = _forwarded(await reader.readuntil(b"\r\n\r\n"))
            inner, outer = await asyncio.open_connection("127.0.0.1", self._target)
            outer.write(head)
            await asyncio.gather(_pass(reader, outer), _pass(inner, writer))


def _forwarded(head: bytes) -> bytes:
    """The head of a request as a proxy passes it on."""
    first, *lines = head.removesuffix(b"\r\n\r\n").split(b"\r\n")
    upgrade = any(line.lower().startswith(b"upgrade:") for line in lines)
    dropped = (b"x-forwarded-", *(() if upgrade else (b"connection:",)))
    kept = [line for line in lines if not line.lower().startswith(dropped)]
    added = [b"X-Forwarded-Proto: https", b"X-Forwarded-For: 127.0.0.1", *(() if upgrade else (b"Connection: close",))]
    return b"\r\n".join([first, *kept, *added]) + b"\r\n\r\n"


async def _pass(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while piece := await reader.read(65536):
            writer.write(piece)
            await writer.drain()
    writer.close()
