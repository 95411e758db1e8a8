"""Lets az parse commands (JSON on stdin), and answers the wrong ones.

What would run a command is replaced, so that it ends after parsing.
"""

import contextlib, io, json, sys
from azure.cli.core import get_default_cli
from azure.cli.core.commands import AzCliCommandInvoker
from azure.cli.core._profile import Profile
def parsed(*arguments, **options):
    raise SystemExit(0)
AzCliCommandInvoker._run_jobs_serially = parsed
Profile.get_login_credentials = parsed
Profile.get_subscription_id = lambda *arguments, **options: "0"
cli, wrong = get_default_cli(), []
for words in json.load(sys.stdin):
    said = io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        try:
            code = cli.invoke(words[1:])
        except SystemExit as end:
            code = end.code
    if code:
        wrong.append(" ".join(words) + "\n          " + said.getvalue().strip()[-300:])
print(json.dumps(wrong))
