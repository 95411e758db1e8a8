"""What the scripts print without --run, what their help says, and the arguments that they refuse."""

import re
import shlex

from checks.harness import DOMAIN, HERE, SCRIPTS, environment, expect, run

BAD_ARGUMENTS = {
    "aws": [
        ["--region", "Frankfurt"],
        ["--key-algorithm", "DSA"],
        ["--endpoint-url", "http://192.0.2.1:80"],
        ["--moto"],
        ["--load-balancer-arn", "arn:aws:s3:::bucket"],
    ],
    "google": [["--project", "a b"], ["--region", "eu"], ["--tier", "free"], ["--post-quantum-key-exchange", "yes"]],
    "azure": [["--region", "West Europe"], ["--vault", "9"], ["--ca", "vault"], ["--gateway", "a;b"]],
}
BAD_FOR_ALL = [
    ["--domain", "example"],
    ["--domain", "a.example.com;id"],
    ["--domain", "-x.example.com"],
    ["--name", "A"],
    ["--name", "a$(id)"],
    ["--out", "a b"],
    ["--name"],
    ["--unknown"],
]


def without_files(text):
    return re.sub(r"^cat > \S+ <<'END'\n.*?^END$", "", text, flags=re.M | re.S)


def cloud_commands(text, program):
    """The commands of a program in a dry run, without redirections, as lists of words."""
    text = without_files(text)
    # A question whose answer is dropped, and what is made if it fails.
    text = text.replace(" > /dev/null 2>&1 ||\n", "\n").replace(" || true\n", "\n")
    # A question whose answer must be no.
    text = re.sub(r"^! (.*) > /dev/null 2>&1 \|\| exit 3$", r"\1", text, flags=re.M)
    commands = []
    for line in text.splitlines():
        words = shlex.split(line, comments=True)
        if words[:1] == [program]:
            commands.append(words[: words.index(">")] if ">" in words else words)
    return commands


def check_dry_runs(folder):
    texts = {}
    env = environment(folder)
    for cloud, arguments in SCRIPTS.items():
        shown = ""
        for extra in ([], ["--cleanup"]):
            command = [HERE / cloud, *arguments, "--domain", DOMAIN, *extra]
            before = sorted(folder.rglob("*"))
            answer = run(command, cwd=folder, env=env)
            what = " ".join([cloud, *extra])
            expect(answer.returncode == 0 and not answer.stderr, f"{what}: a dry run", answer.stderr)
            expect(sorted(folder.rglob("*")) == before, f"{what}: it changes nothing")
            parsed = run(["bash", "-n", "-c", answer.stdout])
            expect(parsed.returncode == 0, f"{what}: it prints a valid script", parsed.stderr)
            lines = [line for line in without_files(answer.stdout).splitlines() if not line.startswith("#")]
            loose = [line for line in lines if re.search(r"\$[A-Za-z_{(@]|\s''(\s|$)|=(\s|$)", line)]
            expect(not loose, f"{what}: nothing is left to expand", "\n".join(loose))
            secret = [
                line
                for line in lines
                if re.search(r"BEGIN |--password|--value|pass:[^ ']|Bearer|AKIA", line.replace("-passout pass: ", ""))
            ]
            expect(not secret, f"{what}: no secret among the arguments", "\n".join(secret))
            shown += answer.stdout
        texts[cloud] = shown
        asked = run([HERE / cloud, "--help"], env=env)
        expect(
            asked.returncode == 0 and "Costs:" in asked.stdout and "as of 20" in asked.stdout,
            f"{cloud}: --help tells the costs, and what is post-quantum as of when",
        )
        statements = re.split(r"\n  (?! )", asked.stdout.partition("Post-quantum, as of")[2])[1:]
        loose = [
            one
            for one in statements
            if "unknown, measure" not in one and not ("source" in one and re.search(r"20\d\d-\d\d", one))
        ]
        expect(
            len(statements) > 3 and not loose,
            f"{cloud}: each of these {len(statements)} statements has a source and a date, or is unknown",
            "\n".join(loose),
        )
        taken = []
        for bad in BAD_FOR_ALL + BAD_ARGUMENTS[cloud]:
            answer = run([HERE / cloud, *arguments, "--domain", DOMAIN, *bad], cwd=folder, env=env)
            if answer.returncode != 2 or not answer.stderr or answer.stdout:
                taken.append(f"{bad}: {answer.returncode} {answer.stderr}")
        expect(not taken, f"{cloud}: bad arguments are refused with exit code 2", "\n".join(taken))
    return texts


def check_ml_dsa(folder):
    ml_dsa = run(
        [HERE / "aws", *SCRIPTS["aws"], "--domain", DOMAIN, "--key-algorithm", "ML_DSA_65"],
        cwd=folder, env=environment(folder),
    )  # fmt: skip
    expect(
        "skipped: listener" in ml_dsa.stdout and " elbv2 " not in ml_dsa.stdout and "ML_DSA_65" in ml_dsa.stdout,
        "aws: an ML-DSA CA gets no listener, and the reason is said",
    )
