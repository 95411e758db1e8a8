"""curl_cffi as a TLS client of the interoperability suite: one request with a browser's
ClientHello, and what curl itself says about the connection, as one JSON object. The arguments
are the terms in JSON (see terms.rs) and the browser; without a browser it is libcurl's own
ClientHello, which is one of a legacy client: X25519 and nothing post-quantum.
"""

import json
import re
import sys

from curl_cffi import Curl, CurlError, CurlOpt
from curl_cffi.requests.impersonate import resolve_latest_browser_type

# CURL_SSLVERSION_TLSv1_2 and _3, each as minimum and as maximum.
VERSIONS = {"1.2": 6 | 6 << 16, "1.3": 7 | 7 << 16}
DEBUG_TEXT = 0


def exchange(terms, browser):
    """The body of the answer, and curl's notes on the connection."""
    body, notes = bytearray(), bytearray()
    curl = Curl()
    if browser:
        if curl.impersonate(resolve_latest_browser_type(browser), default_headers=False):
            sys.exit(f"curl_cffi knows no browser {browser}")
    where = f"{terms['server_name']}:{terms['port']}"
    curl.setopt(CurlOpt.URL, f"https://{where}{terms['path']}".encode())
    curl.setopt(CurlOpt.RESOLVE, [f"{where}:127.0.0.1"])
    curl.setopt(CurlOpt.CAINFO, terms["roots"].encode())
    curl.setopt(CurlOpt.SSL_VERIFYPEER, 1)
    curl.setopt(CurlOpt.SSL_VERIFYHOST, 2)
    curl.setopt(CurlOpt.SSLVERSION, VERSIONS[terms["version"]])
    curl.setopt(CurlOpt.PROXY, b"")
    curl.setopt(CurlOpt.TIMEOUT, 8)
    curl.setopt(CurlOpt.HTTPHEADER, [b"Accept: application/json"])
    curl.setopt(CurlOpt.VERBOSE, 1)
    curl.setopt(
        CurlOpt.DEBUGFUNCTION,
        lambda kind, data: notes.extend(data) if kind == DEBUG_TEXT else None,
    )
    curl.setopt(CurlOpt.WRITEFUNCTION, body.extend)
    curl.perform()
    return body.decode(), notes.decode(errors="replace")


def main():
    terms, *browser = sys.argv[1:]
    try:
        body, notes = exchange(json.loads(terms), next(iter(browser), None))
    except CurlError as error:
        print(json.dumps({"event": "refused", "error": str(error)}))
        return
    # Over BoringSSL, curl leaves the group and the kind of key blank.
    version, suite = re.search(r"SSL connection using (\S+) / (\S+)", notes).groups()
    alpn = re.search(r"ALPN: server accepted (\S+)", notes)
    view = {
        "event": "handshake",
        "version": version,
        "cipher_suite": suite,
        "is_trusted": "verify result: 0" in notes,
        "alpn": alpn and alpn[1].rstrip("."),
        "body": body,
    }
    print(json.dumps(view))


main()
