# shellcheck shell=bash
# What the scripts for the three clouds share: options, dry runs, state, waiting. Sourced, not run.
#
# The output of a dry run is itself a valid script: commands as they stand, all else as comments.

mode=dry-run
action=create
name=pqlab
domain=
out=

# Keys are among the files.
umask 077

die() { # reason: the arguments are at fault
    printf '%s: %s\n' "${0##*/}" "$*" >&2
    exit 2
}
fail() { # reason: the cloud or the machine is at fault
    printf '%s: %s\n' "${0##*/}" "$*" >&2
    exit 3
}

# --- options

value() { # option [value …]: the value, or an end
    [[ $# -ge 2 && $2 != --* ]] || die "$1 needs a value"
    printf '%s' "$2"
}

# shellcheck disable=SC2034 # read by the scripts
# Takes an option that all clouds have. $taken is how many words it was; 0 if it is another's.
common_option() {
    taken=1
    case $1 in
        --run) mode=run ;;
        --dry-run) mode=dry-run ;;
        --cleanup) action=cleanup ;;
        --help | -h)
            usage
            exit 0
            ;;
        --name) name=$(value "$@") taken=2 ;;
        --domain) domain=$(value "$@") taken=2 ;;
        --out) out=$(value "$@") taken=2 ;;
        *) taken=0 ;;
    esac
}

need_match() { # option, value, expression, what it must be
    [[ $2 =~ $3 ]] || die "$1 must be $4, not '$2'"
}

readonly LABEL='[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?'

check_common_options() { # cloud
    [ -n "$domain" ] || die '--domain is missing: the DNS name of the server'
    need_match --name "$name" '^[a-z][a-z0-9-]{0,18}[a-z0-9]$' \
        '2 to 20 lower-case letters, digits and hyphens, a letter first'
    need_match --domain "$domain" "^($LABEL\\.)+$LABEL\$" 'a DNS name in lower case such as api.example.com'
    # Common names end at 64 characters (RFC 5280, ub-common-name), and "client." is put before it.
    [ "${#domain}" -le 57 ] || die '--domain must have at most 57 characters'
    out=${out:-pqlab-cloud-$1-$name}
    need_match --out "$out" '^[A-Za-z0-9_./-]+$' 'a path of letters, digits, and ._/-'
    tmp=$out/tmp
    state=$out/state
    if [ "$mode" = run ]; then
        mkdir -p "$tmp"
        trap 'rm -rf "$tmp"' EXIT
        # Without these, bash leaves an EXIT trap out when a signal ends it.
        trap 'exit 130' INT
        trap 'exit 143' TERM
    fi
}

# --- what is printed

step() { printf '\n# --- %s\n' "$*"; }
note() { printf '# %s\n' "$*"; }
skipped() { printf '# skipped: %s\n' "$*"; }

quoted() { # words: as one would type them
    local word option line=
    for word in "$@"; do
        option=
        if [[ $word =~ ^(--[a-z-]+=)(.+)$ ]]; then
            option=${BASH_REMATCH[1]}
            word=${BASH_REMATCH[2]}
        fi
        if [[ ! $word =~ ^[A-Za-z0-9_@%+=:,./-]+$ ]]; then word=${word@Q}; fi
        line+=" $option$word"
    done
    printf '%s' "${line# }"
}
show() { printf '%s\n' "$(quoted "$@")"; }

# --- commands

# A command whose answer nobody needs. Errors still show.
run() {
    show "$@"
    if [ "$mode" = run ]; then "$@" >/dev/null || fail "this failed: $1 ${2-} ${3-}"; fi
}

# A command whose answer is for the reader.
tell() {
    show "$@"
    if [ "$mode" = run ]; then "$@" || fail "this failed: $1 ${2-}"; fi
}

# A command whose answer goes to a file, whole or not at all.
run_to() { # file, command
    local file=$1
    shift
    printf '%s > %s\n' "$(quoted "$@")" "$(quoted "$file")"
    if [ "$mode" = run ]; then
        "$@" >"$tmp/answer" || fail "this failed: $1 ${2-} ${3-}"
        [ -s "$tmp/answer" ] || fail "no answer from: $1 ${2-} ${3-}"
        mv "$tmp/answer" "$file"
    fi
}

# A file with what stands on stdin. Never for secrets: it is shown.
write() { # file
    local text
    text=$(cat)
    printf "cat > %s <<'END'\n%s\nEND\n" "$(quoted "$1")" "$text"
    if [ "$mode" = run ]; then printf '%s\n' "$text" >"$1"; fi
}

# A command whose answer goes to a variable. A dry run has a stand-in of the same form.
capture() { # variable, stand-in, command
    local variable=$1 stand_in=$2 answer
    shift 2
    show "$@"
    if [ "$mode" = run ]; then
        answer=$("$@") || fail "this failed: $1 ${2-} ${3-}"
        [[ -n $answer && $answer != None ]] || fail "no answer from: $1 ${2-} ${3-}"
    else
        answer=$stand_in
        note "its answer stands below as $stand_in"
    fi
    printf -v "$variable" '%s' "$answer"
}

# Asks until the answer is the wanted one; ends at an unwanted one, or after ten minutes.
wait_for() { # wanted, unwanted (expressions), command
    local wanted=$1 unwanted=$2 answer='' tries=0 pause=${PQLAB_CLOUD_POLL_SECONDS:-5}
    shift 2
    show "$@"
    note "repeated until it says $wanted; $unwanted is an error"
    [ "$mode" = run ] || return 0
    while [ "$tries" -lt 120 ]; do
        answer=$("$@") || fail "this failed: $1 ${2-} ${3-}"
        if [[ $answer =~ ^($wanted)$ ]]; then return 0; fi
        if [[ $answer =~ ^($unwanted)$ ]]; then fail "the answer is $answer, $wanted was hoped for"; fi
        tries=$((tries + 1))
        sleep "$pause"
    done
    fail "the answer is still '$answer', $wanted was hoped for"
}

# --- state: what a first run made, so that a second one doesn't make it again

recall() { # key
    if [ -f "$state" ]; then sed -n "s/^$1=//p" "$state" | tail -n 1; fi
}
remember() { # key, value
    if [ "$mode" = run ]; then printf '%s=%s\n' "$1" "$2" >>"$state"; fi
}
forget() { # key
    if [ "$mode" = run ] && [ -f "$state" ]; then
        sed "/^$1=/d" "$state" >"$tmp/state"
        mv "$tmp/state" "$state"
    fi
}

# The folder belongs to one place in one cloud.
bind() { # key, value
    local before
    before=$(recall "$1")
    if [ -z "$before" ]; then
        remember "$1" "$2"
    elif [ "$before" != "$2" ]; then
        die "$out was made with --$1 $before: give the same, or another --out"
    fi
}

# As capture, but once: a value that was captured before is taken again.
once() { # variable and key, stand-in, command
    local before
    before=$(recall "$1")
    if [ -n "$before" ]; then
        note "there already: $before"
        printf -v "$1" '%s' "$before"
    else
        capture "$@"
        remember "$1" "${!1}"
    fi
}

# A command that is carried out in one of the runs only.
run_once() { # key, command
    if [ "$(recall "$1")" = made ]; then
        show "${@:2}"
        note 'there already'
    else
        run "${@:2}"
        remember "$1" made
    fi
}

# Splits words at "--": a question, and the command that goes with its answer.
split() {
    question=()
    while [ "$1" != -- ]; do
        question+=("$1")
        shift
    done
    shift
    command=("$@")
}
question=() command=()

# Asks the cloud whether a thing is there: 0 if so, 1 if it says that it is not, 2 if that is not
# known. A network that is down and a login that has ended are no proof of absence.
ask() {
    local code=0
    said=$("${question[@]}" 2>&1 >/dev/null) || code=$?
    if [ "$code" = 0 ]; then return 0; fi
    if [ "$code" != 127 ] && is_absence "$said"; then return 1; fi
    printf '%s\n' "$said" >&2
    return 2
}
said=

# aws: NoSuchKey, ResourceNotFoundException, "(404)"; gcloud: NOT_FOUND, "was not found"; az:
# ResourceNotFound, SecretNotFound, and "ResourceNotFoundError" alone for a part of a gateway.
is_absence() { # what was said
    # Google says that a thing "may not exist" to those who may not know; a subscription and a
    # tenant that are not found tell nothing about what is in them.
    if [[ $1 =~ PERMISSION_DENIED|Permission\ denied|Forbidden|AuthorizationFailed|AccessDenied|may\ not\ exist|SubscriptionNotFound|AADSTS ]]; then
        return 1
    fi
    [[ $1 =~ NOT_FOUND|NotFound|NoSuch[A-Z]|\(404\)|HTTPError\ 404|404\ Not\ Found|was\ not\ found|could\ not\ be\ found|not\ found\ within ]]
}

# Whether an error says that another was there first.
is_conflict() { # what was said
    [[ $1 =~ ALREADY_EXISTS|Already[A-Z]|already\ exists|Conflict|\(409\)|HTTPError\ 409 ]]
}

# Makes a thing that is not there. Only those are noted, and so only those are taken away by a
# cleanup: one of the same name that was there before is somebody else's.
unless() { # key, words of the question, --, command
    local key=$1 before code=0 failed=
    split "${@:2}"
    printf '%s > /dev/null 2>&1 ||\n  ' "$(quoted "${question[@]}")"
    show "${command[@]}"
    [ "$mode" = run ] || return 0
    ask || code=$?
    case $code in
        0)
            note 'there already'
            return
            ;;
        2) fail 'whether it is there could not be asked, and so nothing is made: see the message above' ;;
    esac
    before=$(recall "$key")
    # Before, not after: a command that is broken off may have made something.
    remember "$key" made
    "${command[@]}" >/dev/null 2>"$tmp/said" || failed=yes
    cat "$tmp/said" >&2
    if [ -n "$failed" ]; then
        # Made by another between the question and the command. What an earlier run of ours began
        # is in conflict as well, and stays ours.
        if [ "$before" != made ] && is_conflict "$(cat "$tmp/said")"; then forget "$key"; fi
        fail "this failed: ${command[*]:0:3}"
    fi
}

# Writes a thing, anew in each run, but never over one that was there before the first.
write_own() { # key, words of the question, --, command
    local key=$1 code=0
    split "${@:2}"
    printf '! %s > /dev/null 2>&1 || exit 3\n' "$(quoted "${question[@]}")"
    if [ "$mode" = run ] && ! is_ours "$key"; then
        ask || code=$?
        case $code in
            0) fail 'this is there already, and is not of this script: give another --name' ;;
            2) fail 'whether it is there could not be asked, and so nothing is written: see the message above' ;;
        esac
        remember "$key" made
    fi
    run "${command[@]}"
}

# Whether a cleanup is about this thing. A dry run without state shows all of them.
is_ours() { # key
    [ "$(recall "$1")" = made ] || { [ "$mode" = dry-run ] && [ ! -f "$state" ]; }
}

# Takes a thing away, and forgets it.
remove() { # key, command
    local key=$1
    shift
    printf '%s || true\n' "$(quoted "$@")"
    if [ "$mode" = run ]; then
        local failed=
        "$@" >/dev/null 2>"$tmp/said" || failed=yes
        cat "$tmp/said" >&2
        if [ -z "$failed" ]; then
            forget "$key"
        elif is_absence "$(cat "$tmp/said")"; then
            note 'not there'
            forget "$key"
        else
            note 'not removed: see the message above'
            removal_failed=yes
        fi
    fi
}
removal_failed=

# Takes a thing of ours away that the question finds: a cleanup can be run again.
take_away() { # key, words of the question, --, command
    local key=$1 code=0
    is_ours "$key" || return 0
    split "${@:2}"
    if [ "$mode" = run ]; then ask || code=$?; fi
    case $code in
        0) remove "$key" "${command[@]}" ;;
        1)
            show "${command[@]}"
            note 'not there'
            forget "$key"
            ;;
        2)
            show "${command[@]}"
            note 'not removed: whether it is there could not be asked; see the message above'
            removal_failed=yes
            ;;
    esac
}

end_of_cleanup() {
    step 'Files of this machine'
    if [ -n "$removal_failed" ]; then
        note "$out is kept, since something was not removed; run --cleanup again"
        exit 3
    fi
    run rm -rf "$out"
}

# --- keys and requests

# A P-256 key and a request with names and usages. The request has no private key in it: the key
# must be kept, and stays on this machine.
make_request() { # name of the files, DNS name, extended key usage
    if [ -s "$out/$1.key" ] && [ -s "$out/$1.csr" ]; then
        note "there already: $out/$1.key"
        return
    fi
    # A name in the common name alone is refused by rustls, and by Envoy under a name-constrained CA.
    run openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -sha256 \
        -keyout "$out/$1.key" -out "$out/$1.csr" -subj "/CN=$2" \
        -addext "subjectAltName=DNS:$2" -addext 'keyUsage=critical,digitalSignature' \
        -addext "extendedKeyUsage=$3"
}

# --- the proof

# What a listener answers to a client whose certificate it does not want. Application Gateway has
# 400 for all of these (learn.microsoft.com/azure/application-gateway/mutual-authentication-troubleshooting),
# nginx 400, 495 and 496 (nginx.org/en/docs/http/ngx_http_ssl_module.html).
readonly REFUSALS='400|403|495|496'
# Or it ends the connection. curl's exit codes: the handshake failed, an empty answer, nothing could
# be sent, nothing was received. With TLS 1.3 the alert comes after the client's handshake. Names that
# are not resolved (6) and timeouts (28) prove nothing.
readonly BROKEN_OFF='35|52|55|56'

must_let_in() { # curl, with --write-out '%{http_code}'
    local status
    show "$@"
    [ "$mode" = run ] || return 0
    status=$("$@") || fail 'no answer to a client with its certificate'
    note "it answers $status"
    if [[ $status =~ ^(000|$REFUSALS)$ ]]; then fail "$status to a client with its certificate: it must be let in"; fi
}

must_refuse() { # curl, with --write-out '%{http_code}'
    local status code=0
    printf '%s || true\n' "$(quoted "$@")"
    note "it must say $REFUSALS, or curl must end with $BROKEN_OFF"
    [ "$mode" = run ] || return 0
    status=$("$@") || code=$?
    note "it answers $status, and curl ends with $code"
    if [ "$code" = 0 ]; then
        if [[ ! $status =~ ^($REFUSALS)$ ]]; then fail "$status to a client without a certificate: it must be refused"; fi
    elif [[ ! $code =~ ^($BROKEN_OFF)$ ]]; then
        fail "curl ended with $code, which does not prove that a client without a certificate is refused"
    fi
}

# A connection with the client's certificate, none without it, and one that only hybrid key
# exchange makes possible.
verify_listener() { # address, port
    # Not HTTP/2: a connection that is broken off has other exit codes there.
    local curl=(curl --silent --show-error --http1.1 --max-time 20 --output /dev/null --write-out '%{http_code}\n'
        --connect-to "$domain:$2:$1:$2" --cacert "$out/ca-cert.pem")
    local identity=(--cert "$out/client-cert.pem" --key "$out/client.key")
    # New names and addresses take a while to answer.
    must_let_in "${curl[@]}" "${identity[@]}" --retry 8 --retry-connrefused "https://$domain:$2/"
    must_refuse "${curl[@]}" "https://$domain:$2/"
    local probe=(pqlab connect "$1:$2" --server-name "$domain" --groups X25519MLKEM768
        --ca "$out/ca-cert.pem" "${identity[@]}")
    if [ "$mode" = run ] && ! command -v pqlab >/dev/null; then
        show "${probe[@]}"
        skipped 'pqlab is not on the path; that command tells whether the listener has X25519MLKEM768'
    else
        tell "${probe[@]}"
    fi
}

begin() { # title
    printf '#!/usr/bin/env bash\nset -euo pipefail\n# %s\n' "$1"
    if [ "$mode" = dry-run ]; then
        note 'Dry run: nothing is carried out. --run does it. Names that the cloud makes up stand here as zeros.'
        if [ "$action" = create ]; then show mkdir -p "$out" "$tmp"; fi
    fi
}
