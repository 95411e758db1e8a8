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

# A command that must be refused.
must_fail() {
    printf '! %s\n' "$(quoted "$@")"
    if [ "$mode" = run ] && "$@" >/dev/null 2>&1; then fail 'this went through, and must be refused'; fi
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

# Makes a thing that the question does not find. Only those are noted, and so only those are taken
# away by a cleanup: one of the same name that was there before is somebody else's.
unless() { # key, words of the question, --, command
    local key=$1 question=()
    shift
    while [ "$1" != -- ]; do
        question+=("$1")
        shift
    done
    shift
    printf '%s > /dev/null 2>&1 ||\n  ' "$(quoted "${question[@]}")"
    if [ "$mode" = run ] && "${question[@]}" >/dev/null 2>&1; then
        show "$@"
        note 'there already'
    else
        # Before, not after: a command that is broken off may have made something.
        remember "$key" made
        run "$@"
    fi
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
        if "$@" >/dev/null; then
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
    local key=$1 question=()
    shift
    while [ "$1" != -- ]; do
        question+=("$1")
        shift
    done
    shift
    is_ours "$key" || return 0
    if [ "$mode" = run ] && ! "${question[@]}" >/dev/null 2>&1; then
        show "$@"
        note 'not there'
        forget "$key"
    else
        remove "$key" "$@"
    fi
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

# A connection with the client's certificate, none without it, and one that only hybrid key
# exchange makes possible.
verify_listener() { # address, port
    local curl=(curl --silent --show-error --max-time 20 --output /dev/null
        --connect-to "$domain:$2:$1:$2" --cacert "$out/ca-cert.pem")
    local identity=(--cert "$out/client-cert.pem" --key "$out/client.key")
    # New names and addresses take a while to answer.
    tell "${curl[@]}" "${identity[@]}" --retry 8 --retry-connrefused --write-out '%{http_code}\n' "https://$domain:$2/"
    must_fail "${curl[@]}" "https://$domain:$2/"
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
