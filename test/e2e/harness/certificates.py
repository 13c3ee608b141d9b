"""Certificates made on the spot: an authority, and what receivers show."""

import base64
import datetime
import ipaddress
import os
import ssl

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

DAY = datetime.timedelta(days=1)


def named(name):
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


class Authority:
    def __init__(self, folder, name="Test Authority"):
        self.folder, self.name = str(folder), name
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.certificate = self._sign(named(name), self.key.public_key(), authority=True)
        self.file = self._write(name.replace(" ", "-") + ".pem", self.certificate)
        self.made = 0

    def _sign(self, subject, public_key, hosts=(), start=-DAY, end=30 * DAY, authority=False,
              issuer=None, key=None):
        now = datetime.datetime.utcnow()
        builder = (x509.CertificateBuilder()
                   .subject_name(subject).issuer_name(issuer or named(self.name))
                   .public_key(public_key).serial_number(x509.random_serial_number())
                   .not_valid_before(now + start).not_valid_after(now + end)
                   .add_extension(x509.BasicConstraints(authority, None), critical=True))
        if hosts:
            names = [x509.IPAddress(ipaddress.ip_address(host)) if host[0].isdigit()
                     else x509.DNSName(host) for host in hosts]
            builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
        return builder.sign(key or self.key, hashes.SHA256())

    def _write(self, name, *parts):
        path = os.path.join(self.folder, name)
        with open(path, "wb") as out:
            for part in parts:
                if hasattr(part, "private_bytes"):
                    out.write(part.private_bytes(
                        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                        serialization.NoEncryption()))
                else:
                    out.write(part.public_bytes(serialization.Encoding.PEM))
        return path

    def issue(self, *hosts, start=-DAY, end=30 * DAY, self_signed=False):
        """A file with a key and its certificate."""
        self.made += 1
        key = ec.generate_private_key(ec.SECP256R1())
        subject = named(hosts[0])
        certificate = self._sign(subject, key.public_key(), hosts, start, end,
                                 issuer=subject if self_signed else None,
                                 key=key if self_signed else None)
        return self._write(f"receiver-{self.made}.pem", key, certificate)

    @property
    def pem(self):
        return self.certificate.public_bytes(serialization.Encoding.PEM).decode()

    def client(self, name="postbackd", start=-DAY, end=30 * DAY, passphrase=None, size=None):
        """The texts of a certificate and of its key, to be shown to receivers."""
        key = (rsa.generate_private_key(65537, size) if size
               else ec.generate_private_key(ec.SECP256R1()))
        certificate = self._sign(named(name), key.public_key(), start=start, end=end)
        sealed = (serialization.BestAvailableEncryption(passphrase.encode()) if passphrase
                  else serialization.NoEncryption())
        return (certificate.public_bytes(serialization.Encoding.PEM).decode(),
                key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                                  sealed).decode())


def huge_key():
    """The text of an RSA key of 8,676 bits: its primes are known ones, so it takes no time."""
    p, q = 2**4423 - 1, 2**4253 - 1
    d = pow(65537, -1, (p - 1) * (q - 1))

    def der(tag, body):
        size = len(body).to_bytes((len(body).bit_length() + 7) // 8, "big")
        return bytes([tag, *([0x80 | len(size)] if len(body) > 127 else []), *size]) + body
    numbers = (0, p * q, 65537, d, p, q, d % (p - 1), d % (q - 1), pow(q, -1, p))
    key = der(0x30, b"".join(der(2, n.to_bytes(n.bit_length() // 8 + 1, "big")) for n in numbers))
    return ("-----BEGIN RSA PRIVATE KEY-----\n" + base64.encodebytes(key).decode() +
            "-----END RSA PRIVATE KEY-----\n")


def serving(file, **settings):
    """What a Receiver takes as tls: settings are attributes of the SSLContext."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    for name, value in settings.items():
        setattr(context, name, value)
    return context
