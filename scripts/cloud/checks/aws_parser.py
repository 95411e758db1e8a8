"""Holds commands of the AWS CLI (JSON on stdin) against the services' models; answers the wrong ones.

One process for all commands. Names of values are held against the model too, which the AWS CLI
leaves to the service; what would send a request is replaced.
"""

import contextlib, io, json, sys
import awscli.clidriver, botocore.session, botocore.validate
session = botocore.session.get_session()
def unknown_values(shape, value):
    if shape.type_name == "structure":
        return [bad for name, inner in value.items() for bad in unknown_values(shape.members[name], inner)]
    if shape.type_name == "list":
        return [bad for inner in value for bad in unknown_values(shape.member, inner)]
    return [value] if getattr(shape, "enum", None) and value not in shape.enum else []
def hold_against_model(self, service_name, operation_name, parameters, parsed_globals):
    shape = session.get_service_model(service_name).operation_model(operation_name).input_shape
    bad = botocore.validate.ParamValidator().validate(parameters, shape)
    if bad.has_errors():
        raise ValueError(bad.generate_report())
    if unknown_values(shape, parameters):
        raise ValueError(f"unknown: {unknown_values(shape, parameters)}")
    return 0
awscli.clidriver.CLIOperationCaller.invoke = hold_against_model
wrong = []
for words in json.load(sys.stdin):
    said = io.StringIO()
    if "wait" in words:
        at = words.index("wait")
        client = session.create_client(words[at - 1], region_name="eu-central-1")
        code = int(words[at + 1].replace("-", "_") not in client.waiter_names)
    else:
        with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
            try:
                code = awscli.clidriver.create_clidriver().main(words[1:])
            except SystemExit as end:
                code = end.code
    if code:
        wrong.append(" ".join(words) + "\n          " + said.getvalue().strip()[-300:])
print(json.dumps(wrong))
