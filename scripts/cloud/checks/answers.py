"""What the scripts make of answers: of a cloud's errors, and of a listener to clients."""

from checks.harness import CHECKS, DOMAIN, HERE, environment, expect, run

# As aws, gcloud and az say it.
ABSENT = [
    "An error occurred (404) when calling the HeadObject operation: Not Found",
    "An error occurred (NoSuchKey) when calling the GetObject operation: The specified key does not exist.",
    "An error occurred (ResourceNotFoundException) when calling the DescribeCertificateAuthority operation: no",
    "ERROR: (gcloud.privateca.pools.describe) NOT_FOUND: Resource 'projects/p/locations/l/caPools/n' was not found",
    "ERROR: (gcloud.compute.ssl-policies.describe) Could not fetch resource:\n"
    " - The resource 'projects/p/global/sslPolicies/n' was not found",
    "ERROR: (ResourceGroupNotFound) Resource group 'n' could not be found.",
    "ERROR: (SecretNotFound) A secret with (name/id) n was not found in this key vault.",
    "ERROR: The Resource 'Microsoft.KeyVault/vaults/n' not found within subscription.",
    # All that is said of a part of a gateway: azure-cli-core, azure/cli/core/aaz/_selector.py.
    "ERROR: ResourceNotFoundError",
]
UNKNOWN = [
    "An error occurred (403) when calling the HeadObject operation: Forbidden",
    "An error occurred (ExpiredToken) when calling the HeadObject operation: The provided token has expired.",
    'Could not connect to the endpoint URL: "https://acm-pca.eu-central-1.amazonaws.com/"',
    "ERROR: (gcloud.privateca.pools.describe) PERMISSION_DENIED: Permission denied on resource n (or it may not exist).",
    "ERROR: (gcloud.compute.ssl-policies.describe) There was a problem refreshing your current auth tokens",
    "ERROR: (SubscriptionNotFound) The subscription '0' could not be found.",
    "ERROR: AADSTS90002: Tenant '0' was not found.",
    "ERROR: Please run 'az login' to setup account.",
    "ERROR: Failed to resolve 'n.vault.azure.net' ([Errno -2] Name or service not known)",
    "az: command not found",
    "",
]
REFUSAL = "400 0"
WELCOME = "200 0"
# Status and exit code of curl with a certificate and without, and whether that is a proof.
LISTENERS = [
    (WELCOME, "400 0", True),
    ("404 0", "403 0", True),
    (WELCOME, "495 0", True),
    (WELCOME, "496 0", True),
    (WELCOME, "000 35", True),
    (WELCOME, "000 52", True),
    (WELCOME, "000 55", True),
    (WELCOME, "000 56", True),
    ("400 0", REFUSAL, False),
    ("403 0", REFUSAL, False),
    ("495 0", REFUSAL, False),
    ("496 0", REFUSAL, False),
    ("000 0", REFUSAL, False),
    ("000 60", REFUSAL, False),
    (WELCOME, WELCOME, False),
    (WELCOME, "502 0", False),
    (WELCOME, "000 6", False),
    (WELCOME, "000 7", False),
    (WELCOME, "000 28", False),
    (WELCOME, "000 60", False),
]


def call(words, **options):
    """A function of common.bash."""
    script = f'set -euo pipefail; source {HERE}/common.bash; mode=run out=out domain={DOMAIN}; "$@"'
    return run(["bash", "-c", script, "check", *words], **options)


def check_errors():
    wrong = [text for text in ABSENT if call(["is_absence", text]).returncode != 0]
    expect(not wrong, f"{len(ABSENT)} errors that say that a thing is not there are taken so", "\n".join(wrong))
    wrong = [text for text in UNKNOWN if call(["is_absence", text]).returncode != 1]
    expect(not wrong, f"{len(UNKNOWN)} errors that do not say so are not", "\n".join(wrong))


def check_proofs(folder):
    env = environment(folder) | {"CHECK": str(folder)}
    env["PATH"] = f"{CHECKS}/stand_ins:{env['PATH']}"
    wrong = []
    for with_certificate, without, proof in LISTENERS:
        answer = call(
            ["verify_listener", "192.0.2.1", "443"],
            cwd=folder, env=env | {"CURL_WITH": with_certificate, "CURL_WITHOUT": without},
        )  # fmt: skip
        if answer.returncode != (0 if proof else 3):
            wrong.append(f"{with_certificate} with, {without} without: {answer.returncode} {answer.stderr}")
    expect(not wrong, f"the proof: {len(LISTENERS)} answers of listeners are told apart", "\n".join(wrong))
