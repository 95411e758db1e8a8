"""The flow of the script for AWS, against moto."""

import json
import os
import socket
import subprocess
import time
import urllib.request
from dataclasses import dataclass
from pathlib import Path

from checks.harness import CHECKS, DOMAIN, HERE, SCRIPTS, VENV, environment, expect, run

BUCKET = "check-bundles"
# What is there when the flow has not made anything, or has taken it away.
NOTHING = {"authorities": ["DELETED"], "certificates": 0, "listeners": [], "bundles": {"other/ca-cert.pem": "theirs"}}


def check_aws_flow(folder):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    endpoint = f"http://127.0.0.1:{port}"
    env = environment(folder) | {
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "MOTO_ACM_VALIDATION_WAIT": "1",
        "PATH": f"{VENV}/bin:{os.environ['PATH']}",
    }
    with open(folder / "moto.log", "w") as log:
        server = subprocess.Popen(
            [VENV / "bin/moto_server", "-H", "127.0.0.1", "-p", str(port)], stdout=log, stderr=log, env=env
        )
    try:
        for _ in range(60):
            try:
                urllib.request.urlopen(endpoint + "/moto-api/", timeout=5).close()
                break
            except OSError:
                time.sleep(0.5)
        made = run([VENV / "bin/python", CHECKS / "moto_setup.py", endpoint, BUCKET], env=env)
        if not expect(made.returncode == 0, "moto: a load balancer and a bucket to work with", made.stderr[-1500:]):
            return
        flow = Flow(folder, env, endpoint, *made.stdout.split())
        check_flow(flow)
        check_what_was_there(flow)
    finally:
        server.terminate()
        server.wait(timeout=20)


@dataclass
class Flow:
    folder: Path
    env: dict
    endpoint: str
    balancer: str
    group: str

    def run(self, name, *extra, **env):
        base = [HERE / "aws", *SCRIPTS["aws"], "--domain", DOMAIN, "--name", name, "--out", name, "--moto", "--run"]
        return run([*base, "--endpoint-url", self.endpoint, *extra], env=self.env | env, cwd=self.folder)

    def create(self, name, *extra):
        existing = ["--load-balancer-arn", self.balancer, "--target-group-arn", self.group, "--bucket", BUCKET]
        return self.run(name, *existing, *extra)

    def look(self):
        look = [VENV / "bin/python", CHECKS / "moto_look.py", self.endpoint, self.balancer, BUCKET]
        return json.loads(run(look, env=self.env).stdout)


def told(answer):
    return f"{answer.returncode}\n{answer.stdout[-1500:]}{answer.stderr}"


def check_flow(flow):
    folder = flow.folder
    first = flow.create("aws")
    if not expect(first.returncode == 0, "aws: the flow runs against moto", told(first)):
        return
    for line in first.stdout.splitlines():
        if line.startswith(("# skipped", "# moto", "# key")):
            print(f"        {line[2:]}")
    expected = {
        "authorities": ["ACTIVE"],
        "certificates": 1,
        "listeners": [["HTTPS", "ELBSecurityPolicy-TLS13-1-2-Res-PQ-2025-09"]],
        "bundles": {"aws/ca-cert.pem": (folder / "aws/ca-cert.pem").read_text(), "other/ca-cert.pem": "theirs"},
    }
    found = flow.look()
    expect(
        found == expected,
        "aws: an active CA, a certificate, a bundle, a listener with the post-quantum policy",
        str(found),
    )
    names = run(["openssl", "x509", "-in", "aws/client-cert.pem", "-noout", "-ext", "subjectAltName"], cwd=folder).stdout
    expect(f"client.{DOMAIN}" in names, "aws: the client's certificate has its name", names)
    loose = [path for path in (folder / "aws").rglob("*") if path.is_file() and path.stat().st_mode & 0o077]
    expect(
        not loose and not (folder / "aws/tmp").exists(), "aws: its files are private, the temporary ones gone", str(loose)
    )
    second = flow.create("aws")
    expect(second.returncode == 0 and flow.look() == expected, "aws: a second run makes nothing", told(second))
    other = flow.create("aws", "--region", "eu-west-1")
    expect(other.returncode == 2, "aws: the folder is not used for another region", told(other))
    gone, found = flow.run("aws", "--cleanup"), flow.look()
    # There was no trust store: the bundle goes all the same.
    expect(
        gone.returncode == 0 and found == NOTHING and not (folder / "aws").exists(),
        "aws: the cleanup takes away listener, bundle, certificate, CA and files",
        f"{told(gone)}{found}",
    )


def check_what_was_there(flow):
    """A bundle of somebody else is under the name."""
    answer = flow.create("other", "--key-algorithm", "RSA_2048")
    expect(
        answer.returncode == 3 and flow.look()["bundles"] == NOTHING["bundles"],
        "aws: an object in the bucket that is not ours is not overwritten",
        told(answer),
    )
    gone, found = flow.run("other", "--cleanup"), flow.look()
    expect(
        gone.returncode == 0 and found == NOTHING | {"authorities": ["DELETED", "DELETED"]},
        "aws: nor deleted; and a cleanup needs no --key-algorithm",
        f"{told(gone)}{found}",
    )
