"""The flows of the scripts for Google and Azure, with stand-ins for the clouds' programs."""

import base64
import os
import re
import shutil
from dataclasses import dataclass, field
from pathlib import Path

from checks.harness import CHECKS, DOMAIN, HERE, SCRIPTS, environment, expect, run


@dataclass
class Cloud:
    name: str
    program: str
    extra: list
    # What it answers to clients without a certificate: status and exit code of curl.
    refusal: str
    # What a cleanup leaves, and says so.
    kept: set = field(default_factory=set)
    # Things that a user may have had before, under names that the flow uses.
    before: set = field(default_factory=set)


VAULT = "pqlab-" + run(["cksum"], text=DOMAIN).stdout[:8]
CLOUDS = [
    # A gateway that breaks the handshake off, and one that answers.
    Cloud("google", "gcloud", ["--url-map", "map"], "000 56", before={"privateca-pools", "compute-ssl-policies"}),
    Cloud(
        "azure", "az", ["--gateway", "pqlab-gateway", "--app", "pqlab-app"], "400 0",
        kept={"group-example", "functionapp-identity-pqlab-app", "role-assignment-"},
        before={"group-example", f"keyvault-{VAULT}", "keyvault-secret-other", "network-application-gateway-ssl-cert-pqlab"},
    ),
]  # fmt: skip


class Flow:
    """A cloud in a folder of its own."""

    def __init__(self, folder, cloud, before=()):
        self.folder, self.cloud = folder, cloud
        for place in ("bin", "made"):
            (folder / place).mkdir(parents=True)
        for name, stand_in in ((cloud.program, "cloud"), ("curl", "curl"), ("pqlab", "pqlab")):
            shutil.copy(CHECKS / "stand_ins" / stand_in, folder / "bin" / name)
        for name in before:
            (folder / "made" / name).touch()
        self.env = environment(folder) | {
            "CHECK": str(folder),
            "PATH": f"{folder}/bin:{os.environ['PATH']}",
            "CURL_WITH": "200 0",
            "CURL_WITHOUT": cloud.refusal,
        }

    def run(self, *extra, **env):
        base = [HERE / self.cloud.name, *SCRIPTS[self.cloud.name], "--domain", DOMAIN, "--out", "out", "--run"]
        return run([*base, *extra], env=self.env | env, cwd=self.folder)

    def create(self, **env):
        return self.run(*self.cloud.extra, **env)

    def cleanup(self, **env):
        return self.run("--cleanup", **env)

    def log(self):
        log = self.folder / "log"
        return log.read_text() if log.exists() else ""

    def made(self):
        return {path.name for path in (self.folder / "made").iterdir()}

    def keys(self):
        return sorted((path.name, path.stat().st_mtime_ns) for path in (self.folder / "out").glob("*.key"))


def told(answer):
    return f"{answer.returncode}\n{answer.stdout[-1500:]}{answer.stderr}"


def check_flow(folder, cloud):
    flow, name = Flow(folder, cloud), cloud.name
    first = flow.create()
    if not expect(first.returncode == 0, f"{name}: the flow runs with a stand-in for {cloud.program}", told(first)):
        return
    check_files(flow, first)
    before, files, calls = flow.made(), flow.keys(), len(flow.log().splitlines())
    second = flow.create()
    again = [
        line
        for line in flow.log().splitlines()[calls:]
        if re.search(r" (create|add) ", line) and "role assignment" not in line
    ]
    expect(
        second.returncode == 0 and flow.made() == before and flow.keys() == files and not again,
        f"{name}: a second run makes nothing twice",
        "\n".join(again) + told(second),
    )
    broken = flow.cleanup(CHECK_FAULT="questions")
    left = before - flow.made() - {"functionapp-config-appsettings-pqlab-app"}
    expect(
        broken.returncode == 3 and not left and flow.keys() == files,
        f"{name}: a cleanup that can't ask takes nothing away, and keeps the folder",
        f"{left}{told(broken)}",
    )
    gone = flow.cleanup()
    expect(
        gone.returncode == 0 and flow.made() == cloud.kept and not (folder / "out").exists(),
        f"{name}: the cleanup takes it all away",
        f"{flow.made() ^ cloud.kept}\n{told(gone)}",
    )
    if name == "azure":
        expect(
            f"keyvault create --name {VAULT} " in flow.log() and f"keyvault purge --name {VAULT} " in flow.log(),
            "azure: and the vault for good",
        )


def check_files(flow, first):
    folder, name = flow.folder, flow.cloud.name
    for role, purpose in (("server", "sslserver"), ("client", "sslclient")):
        judged = run(
            ["openssl", "verify", "-purpose", purpose, "-CAfile", "out/ca-cert.pem", f"out/{role}-cert.pem"], cwd=folder
        )
        expect(judged.returncode == 0, f"{name}: the {role}'s certificate is good for it", judged.stdout + judged.stderr)
    loose = [path for path in (folder / "out").rglob("*") if path.is_file() and path.stat().st_mode & 0o077]
    expect(
        not loose and not (folder / "out/tmp").exists(),
        f"{name}: its files are private, the temporary ones gone",
        str(loose),
    )
    if name != "azure":
        return
    made = folder / "made"
    secrets = [(made / f"keyvault-secret-pqlab-client-{kind}").read_text().strip() for kind in ("pfx", "pfx-password")]
    (folder / "client.pfx").write_bytes(base64.b64decode(secrets[0], validate=True))
    read = run(["openssl", "pkcs12", "-in", "client.pfx", "-noout", "-passin", "file:out/client.pfx.password"], cwd=folder)
    expect(
        read.returncode == 0 and "\n" not in secrets[0],
        "azure: the setting is a PKCS#12 in base64 on one line",
        read.stderr,
    )
    secrets.append((folder / "out/ca.passphrase").read_text().strip())
    shown = flow.log() + first.stdout + first.stderr
    expect(
        not any(secret in shown for secret in secrets), "azure: no secret is shown, or among the arguments of az"
    )


def check_what_was_there(folder, cloud):
    flow, name = Flow(folder, cloud, cloud.before), cloud.name
    first = flow.create()
    more = flow.made() - cloud.before
    gone = flow.cleanup()
    expect(
        first.returncode == 0 and more and gone.returncode == 0 and flow.made() == cloud.before | cloud.kept,
        f"{name}: of what was there before, nothing is taken away",
        f"{flow.made() ^ (cloud.before | cloud.kept)}\n{told(first)}{told(gone)}",
    )
    if name == "google":
        changed = [line for line in flow.log().splitlines() if "ssl-policies update" in line]
        expect(not changed, "google: nor is the policy changed", "\n".join(changed))


def check_faults(folder, cloud):
    name = cloud.name
    flow = Flow(folder / "questions", cloud)
    answer = flow.create(CHECK_FAULT="questions")
    state = folder / "questions/out/state"
    expect(
        answer.returncode == 3 and not flow.made() and "=made" not in state.read_text(),
        f"{name}: if it can't ask, it makes nothing",
        f"{flow.made()}{told(answer)}",
    )
    flow = Flow(folder / "race", cloud)
    answer = flow.create(CHECK_FAULT="race")
    theirs = flow.made()
    gone = flow.cleanup()
    expect(
        answer.returncode == 3 and len(theirs) == 1 and gone.returncode == 0 and flow.made() == theirs,
        f"{name}: what another makes between question and command stays",
        f"{theirs}{flow.made()}{told(answer)}{told(gone)}",
    )


def check_azure(folder, cloud):
    theirs = "keyvault-secret-pqlab-client-pfx"
    flow = Flow(folder / "secret", cloud, {"group-example", f"keyvault-{VAULT}", theirs})
    before = flow.made()
    answer = flow.create()
    gone = flow.cleanup()
    expect(
        answer.returncode == 3
        and gone.returncode == 0
        and flow.made() == before
        and (flow.folder / "made" / theirs).read_text() == "",
        "azure: a secret of the same name is neither overwritten nor deleted",
        f"{flow.made()}{told(answer)}{told(gone)}",
    )
    flow = Flow(folder / "port", cloud)
    taken = flow.create(CHECK_LISTENERS="1")
    parts = {part for part in flow.made() if "gateway" in part}
    expect(
        taken.returncode == 2 and not parts and "--frontend-port" in taken.stderr,
        "azure: a port that another listener has is refused",
        f"{parts}{told(taken)}",
    )
    other = flow.create(CHECK_PORT="8443")
    asked = (flow.folder / "curl.log").read_text().splitlines()
    expect(
        other.returncode == 0 and len(asked) == 2 and all(f"https://{DOMAIN}:8443/" in line for line in asked),
        "azure: the proof goes to the number of the frontend port",
        f"{asked}{told(other)}",
    )


def check_stand_in_flows(folder: Path):
    for cloud in CLOUDS:
        check_flow(folder / cloud.name / "flow", cloud)
        check_what_was_there(folder / cloud.name / "before", cloud)
        check_faults(folder / cloud.name, cloud)
        if cloud.name == "azure":
            check_azure(folder / cloud.name, cloud)
