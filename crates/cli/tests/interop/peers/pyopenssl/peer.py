"""The OpenSSL that pyOpenSSL carries as a peer of the interoperability suite, since the system's
own is often too old for post-quantum groups. `client TERMS` makes one connection and one
request, `server TERMS` answers until it is killed; TERMS is JSON, see terms.rs. The groups come
from the configuration file that OPENSSL_CONF names: the way an administrator sets them.
"""

import json
import socket
import sys

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from OpenSSL import SSL

VERSIONS = {"1.2": SSL.TLS1_2_VERSION, "1.3": SSL.TLS1_3_VERSION}


def say(event, **fields):
    print(json.dumps({"event": event, **fields}), flush=True)


def context(terms, identities, roots, verify):
    ctx = SSL.Context(SSL.TLS_METHOD)
    ctx.set_min_proto_version(VERSIONS[terms["version"]])
    ctx.set_max_proto_version(VERSIONS[terms["version"]])
    # With several certificates, the best of its own list instead of the client's first.
    ctx.set_options(SSL.OP_CIPHER_SERVER_PREFERENCE)
    for identity in identities:
        ctx.use_certificate_chain_file(identity["chain"])
        ctx.use_privatekey_file(identity["key"])
    if roots:
        ctx.load_verify_locations(roots)
        ctx.set_verify(verify, lambda _conn, _cert, _error, _depth, is_good: bool(is_good))
    return ctx


def algorithm(certificate):
    key = certificate.public_key()
    if isinstance(key, ec.EllipticCurvePublicKey):
        return f"ecdsa-{key.curve.name}"
    if isinstance(key, rsa.RSAPublicKey):
        return f"rsa-{key.key_size}"
    return type(key).__name__


def view(conn):
    certificate = conn.get_peer_certificate(as_cryptography=True)
    return {
        "version": conn.get_protocol_version_name(),
        "cipher_suite": conn.get_cipher_name(),
        "group": conn.get_group_name(),
        "authentication": certificate and algorithm(certificate),
        "peer": certificate and certificate.subject.rfc4514_string(),
    }


def is_named(conn, server_name):
    """pyOpenSSL checks the chain, and leaves the name to its caller."""
    certificate = conn.get_peer_certificate(as_cryptography=True)
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    return server_name in names.value.get_values_for_type(x509.DNSName)


def read_all(conn):
    answer = b""
    try:
        while part := conn.recv(65536):
            answer += part
    except SSL.ZeroReturnError:
        pass
    except SSL.SysCallError as error:
        if not answer:
            raise error
    return answer.partition(b"\r\n\r\n")[2].decode()


def client(terms):
    identities = [terms["certificate"]] if terms["certificate"] else []
    ctx = context(terms, identities, terms["roots"], SSL.VERIFY_PEER)
    with socket.create_connection(("127.0.0.1", terms["port"]), timeout=8) as sock:
        sock.settimeout(None)
        conn = SSL.Connection(ctx, sock)
        conn.set_tlsext_host_name(terms["server_name"].encode())
        conn.set_connect_state()
        try:
            conn.do_handshake()
            conn.sendall(
                f"GET {terms['path']} HTTP/1.1\r\nHost: {terms['server_name']}\r\n"
                "Accept: application/json\r\nConnection: close\r\n\r\n".encode()
            )
            body = read_all(conn)
        except SSL.Error as error:
            say("refused", error=repr(error))
            return
        say("handshake", **view(conn), is_trusted=is_named(conn, terms["server_name"]), body=body)


def server(terms):
    verify = SSL.VERIFY_PEER | SSL.VERIFY_FAIL_IF_NO_PEER_CERT
    ctx = context(terms, terms["certificates"], terms["roots"], verify)
    listener = socket.create_server(("127.0.0.1", 0))
    say("listening", port=listener.getsockname()[1])
    while True:
        sock, _address = listener.accept()
        with sock:
            conn = SSL.Connection(ctx, sock)
            conn.set_accept_state()
            is_agreed = False
            try:
                conn.do_handshake()
                is_agreed = True
                # In TLS 1.3 a client may refuse only now.
                conn.recv(65536)
                say("handshake", **view(conn))
                conn.sendall(
                    b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 8\r\n"
                    b"Connection: close\r\n\r\nopenssl\n"
                )
                conn.shutdown()
            except SSL.ZeroReturnError:
                if is_agreed:
                    say("handshake", **view(conn))
            except SSL.Error as error:
                say("refused", error=repr(error))


role, text = sys.argv[1:]
{"client": client, "server": server}[role](json.loads(text))
