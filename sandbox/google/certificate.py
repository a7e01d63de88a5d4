"""A self-signed certificate for localhost that is its own root: gRPC's client has no way to speak without TLS."""

from __future__ import annotations

import datetime as dt
import ipaddress
from dataclasses import dataclass

from cryptography import x509  # type: ignore[import-not-found]  # lives in the Google pipeline's environment
from cryptography.hazmat.primitives import hashes, serialization  # type: ignore[import-not-found]  # the same
from cryptography.hazmat.primitives.asymmetric import ec  # type: ignore[import-not-found]  # the same
from cryptography.x509.oid import NameOID  # type: ignore[import-not-found]  # the same


@dataclass(frozen=True)
class Certificate:
    """PEM texts; the certificate is what a client must trust."""

    chain: bytes
    key: bytes


def made() -> Certificate:
    """A fresh certificate, valid for some days around now."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "sandbox google ads")])
    now = dt.datetime.now(dt.UTC)
    names = x509.SubjectAlternativeName([x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=30))
        .add_extension(names, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return Certificate(certificate.public_bytes(serialization.Encoding.PEM), private)
