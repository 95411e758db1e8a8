"""The printed commands, parsed by the clouds' own programs, where those can be had."""

import json
import re
import shlex
import shutil

from checks.dry_runs import cloud_commands
from checks.harness import AZURE_VENV, CHECKS, VENV, environment, expect, report, run


def parse(cloud, python, parser, commands, env, folder):
    answer = run([python, parser], text=json.dumps(commands), env=env, cwd=folder)
    wrong = json.loads(answer.stdout.splitlines()[-1]) if answer.returncode == 0 else [answer.stderr[-2000:]]
    expect(commands and not wrong, f"{cloud}: {len(commands)} commands are valid for its program", "\n".join(wrong))
    # A parser that takes everything would prove nothing.
    broken = [[*commands[0], "--no-such-option", "x"]]
    answer = run([python, parser], text=json.dumps(broken), env=env, cwd=folder)
    expect(answer.returncode == 0 and json.loads(answer.stdout.splitlines()[-1]), f"{cloud}: and an unknown option is not")


def parse_aws(folder, text):
    # aws reads this file while it parses.
    (folder / "pqlab-cloud-aws-pqlab/tmp").mkdir(parents=True)
    (folder / "pqlab-cloud-aws-pqlab/tmp/ca.json").write_text(
        re.search(r"ca\.json <<'END'\n(.*?)\nEND\n", text, re.S).group(1)
    )
    for file in ("ca.csr", "ca-cert.pem", "client.csr"):
        (folder / "pqlab-cloud-aws-pqlab" / file).write_text("-")
    env = environment(folder) | {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
    commands = cloud_commands(text, "aws")
    parse("aws", VENV / "bin/python", CHECKS / "aws_parser.py", commands, env, folder)
    # What is often written down, and does not exist.
    wrong = [["aws", "acm", "wait", "certificate-issued"]] + [
        [re.sub("^SHA256WITHECDSA$", "ECDSA", word) for word in command] for command in commands if "SHA256WITHECDSA" in command
    ]
    answer = run([VENV / "bin/python", CHECKS / "aws_parser.py"], text=json.dumps(wrong), env=env, cwd=folder)
    expect(
        answer.returncode == 0 and len(json.loads(answer.stdout)) == len(wrong) > 1,
        "aws: nor are a waiter and an algorithm that do not exist",
        answer.stdout + answer.stderr,
    )


def parse_google(folder, text):
    if not shutil.which("gcloud"):
        report("skipped", "google: no gcloud on this machine, and no registry has it; the commands are not parsed")
        return
    env = environment(folder)
    asked = run(["gcloud", "alpha", "compute", "ssl-policies", "update", "--help"], env=env)
    commands, newer = [], []
    for command in cloud_commands(text, "gcloud"):
        new = any("--post-quantum-key-exchange" in word for word in command)
        (newer if new and "--post-quantum-key-exchange" not in asked.stdout else commands).append(command)
    if newer:
        report("skipped", "google: this gcloud is older than --post-quantum-key-exchange", shlex.join(newer[0]))
    # It reads certificate files while it parses.
    for file in ("server-cert.pem", "client-cert.pem", "ca-cert.pem", "server.key", "server.csr", "client.csr"):
        (folder / "pqlab-cloud-google-pqlab").mkdir(exist_ok=True)
        (folder / "pqlab-cloud-google-pqlab" / file).write_text("-")
    # Its own reading of quotes knows --option='…' only.
    lines = [{"command_string": re.sub(r"'(--[a-z-]+=)", r"\1'", shlex.join(command))} for command in [*commands, [*commands[0], "--no-such-option"]]]
    (folder / "commands.json").write_text(json.dumps(lines))
    answer = run(["gcloud", "meta", "lint-gcloud-commands", f"--commands-file={folder}/commands.json"], env=env, cwd=folder)
    try:
        verdicts = json.loads(answer.stdout)
    except ValueError:
        report("skipped", "google: this gcloud can't check commands", answer.stderr[-500:])
        return
    wrong = [f"{one['command_string']}\n          {one['error_message']}" for one in verdicts if not one["success"]]
    expect(len(verdicts) == len(commands) + 1 and len(wrong) == 1 and "no-such-option" in wrong[0],
           f"google: {len(commands)} commands are valid for gcloud, and an unknown option is not", "\n".join(wrong))  # fmt: skip


def parse_azure(folder, text):
    # az asks for these files while it parses.
    for file in ("tmp/server.pfx", "tmp/client.pfx.base64", "client.pfx.password", "ca-cert.pem"):
        path = folder / "pqlab-cloud-azure-pqlab" / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("-")
    commands = cloud_commands(text, "az")
    parse("azure", AZURE_VENV / "bin/python", CHECKS / "azure_parser.py", commands, environment(folder), folder)
